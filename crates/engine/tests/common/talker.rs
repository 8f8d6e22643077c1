//! Somebody in a room's chat, who waits by blocking.

use std::net::TcpStream;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::stream::MaybeTlsStream;
use tokio_tungstenite::tungstenite::{Message, WebSocket, connect};

use crate::common::{Engine, PATIENCE};

pub struct Talker(pub WebSocket<MaybeTlsStream<TcpStream>>);

impl Talker {
    pub fn at(http: &str, room: &str) -> Self {
        let url = format!("{}/chat/{room}", http.replacen("http", "ws", 1));
        let (socket, _) = connect(url).expect("the server answers");
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            // What never comes fails the test that waits for it.
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
        }
        Self(socket)
    }

    pub fn say(&mut self, message: &Value) {
        self.0.send(Message::Text(message.to_string().into())).unwrap();
    }

    /// The next message of this type.
    pub fn hear(&mut self, kind: &str) -> Value {
        loop {
            let text = self.0.read().expect("still there").into_text().unwrap();
            let message: Value = serde_json::from_str(&text).unwrap_or_default();
            if message["type"] == kind {
                return message;
            }
        }
    }

    pub fn greet(&mut self, token: Option<&str>) -> Value {
        self.say(&json!({ "type": "hello", "version": 1, "token": token }));
        self.hear("welcome")
    }
}

/// The room server's own address.
pub fn rooms_of(engine: &Engine) -> String {
    let watch = engine.desk().state.streamcore.watch_urls.first().unwrap().clone();
    let port = watch.trim_start_matches("http://").split_once('/').unwrap().0;
    format!("http://127.0.0.1:{}", port.rsplit_once(':').unwrap().1)
}
