//! A desk in the chat of the studio's room.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod common;
#[path = "common/talker.rs"]
mod talker;

use common::Engine;
use serde_json::json;
use talker::{Talker, rooms_of};
use tokio_tungstenite::tungstenite::Message;

#[test]
fn a_desk_is_the_host_in_its_rooms_chat() {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(data.path());
    let room = engine.desk().state.streamcore.room.unwrap();
    let mut desk = Talker::at(&engine.address, room.as_str());
    let welcome = desk.greet(Some(&engine.token));
    assert_eq!(welcome["you"]["role"], "host");
    assert_eq!(
        welcome["you"]["token"],
        json!(engine.token),
        "the host's own token stays in the engine"
    );
    let mut viewer = Talker::at(&rooms_of(&engine), room.as_str());
    viewer.greet(None);
    desk.say(&json!({ "type": "say", "id": 1, "text": "good evening" }));
    assert_eq!(desk.hear("done")["result"], "said");
    let heard = viewer.hear("events");
    assert_eq!(heard["events"][0]["message"]["text"], "good evening");
    viewer.say(&json!({ "type": "say", "id": 1, "text": "rude" }));
    let seq = viewer.hear("done")["seq"].clone();
    desk.say(&json!({ "type": "moderate", "id": 2, "act": { "do": "delete", "message": seq } }));
    assert_eq!(desk.hear("done")["result"], "acted");
    loop {
        let events = viewer.hear("events");
        let events = events["events"].as_array().unwrap().clone();
        if events
            .iter()
            .any(|event| event["kind"] == "deleted" && event["messages"] == json!([seq]))
        {
            break;
        }
    }
    // It comes back with what it was given, and misses nothing.
    let mut again = Talker::at(&engine.address, room.as_str());
    again.say(&json!({ "type": "hello", "version": 1, "token": engine.token, "last_seq": 1 }));
    let welcome = again.hear("welcome");
    assert!(welcome.get("snapshot").is_none(), "{welcome}");
    assert!(
        welcome["events"]
            .as_array()
            .is_some_and(|missed| !missed.is_empty())
    );
}

#[test]
fn nobody_else_gets_in_by_the_desks_way() {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(data.path());
    for token in [None, Some(""), Some("wrong")] {
        let mut stranger = Talker::at(&engine.address, "studio");
        stranger.say(&json!({ "type": "hello", "version": 1, "token": token }));
        assert_eq!(stranger.hear("refused")["code"], "token");
    }
    let mut stray = Talker::at(&engine.address, "no-room-of-ours");
    stray.say(&json!({ "type": "hello", "version": 1, "token": engine.token }));
    assert_eq!(stray.hear("refused")["code"], "unavailable");
    let mut noisy = Talker::at(&engine.address, "studio");
    noisy.0.send(Message::Text("[1]".into())).unwrap();
    let ended = loop {
        match noisy.0.read() {
            Ok(Message::Close(_)) | Err(_) => break true,
            Ok(Message::Text(_)) => break false,
            Ok(_) => {}
        }
    };
    assert!(ended, "whoever does not say hello is shown out");
}
