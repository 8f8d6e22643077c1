//! What a client emits, as the message of [`wire`](crate::chat::wire) that it stands for.

use serde_json::{Map, Value};
use socketioxide::extract::AckSender;

use crate::chat::requests::unreadable;
use crate::chat::wire::Refused;

/// The fields of a request.
pub(super) type Body = Map<String, Value>;

/// Longer names of events are none.
const MOST_OF_A_NAME: usize = 32;

/// Something that a client asks for.
pub(super) struct Request {
    pub what: Result<What, Refused>,
    pub ack: AckSender,
}

/// A request that can be read so far.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct What {
    /// As it would have come over the WebSocket.
    pub text: String,
    /// Where to, of a hello.
    pub room: Option<String>,
}

/// Reads what was emitted under a name.
pub(super) fn read(event: &str, mut body: Body) -> Result<What, Refused> {
    if event.len() > MOST_OF_A_NAME {
        return Err(unreadable("no such event"));
    }
    let room = match (event, body.remove("room")) {
        ("hello", Some(Value::String(room))) => Some(room),
        ("hello", _) => return Err(unreadable("say hello with the name of the room as `room`")),
        (_, None) => None,
        (_, Some(_)) => return Err(unreadable("unknown field `room`")),
    };
    body.insert("type".into(), event.into());
    if event != "hello" {
        // The acknowledgement says which answer is whose.
        body.entry("id").or_insert(0.into());
    }
    let text = serde_json::to_string(&body).map_err(unreadable)?;
    Ok(What { text, room })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::wire::FromClient;

    fn body(value: Value) -> Body {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn what_is_emitted_is_what_the_websocket_would_bring() {
        let hello = read(
            "hello",
            body(json!({"version": 1, "room": "show", "last_seq": 7})),
        )
        .expect("read");
        assert_eq!(hello.room.as_deref(), Some("show"));
        assert_eq!(
            serde_json::from_str::<FromClient>(&hello.text).expect("a hello"),
            FromClient::Hello {
                version: 1,
                token: None,
                name: None,
                last_seq: Some(7),
                pass: None
            }
        );
        let say = read("say", body(json!({"text": "hi", "type": "log", "id": 4}))).expect("read");
        assert!(
            matches!(serde_json::from_str(&say.text), Ok(FromClient::Say { id: 4, .. })),
            "the event's name counts: {}",
            say.text
        );
        let say = read("say", body(json!({"text": "hi"}))).expect("read");
        assert!(
            serde_json::from_str::<FromClient>(&say.text).is_ok(),
            "without a number"
        );
    }

    #[test]
    fn a_room_belongs_to_a_hello() {
        for (event, fields) in [
            ("hello", json!({"version": 1})),
            ("hello", json!({"version": 1, "room": 7})),
            ("say", json!({"text": "hi", "room": "show"})),
            (&"x".repeat(33), json!({})),
        ] {
            assert!(
                matches!(read(event, body(fields.clone())), Err(Refused::Unreadable { .. })),
                "{event} {fields}"
            );
        }
    }
}
