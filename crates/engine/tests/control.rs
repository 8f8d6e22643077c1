//! The control server: who may join, and what two desks see.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;

use common::{Desk, Engine, clip, open, say};
use protocol::{ClientMessage, Command, ErrorCode, PictureKind, SceneDraft, SourceSettings, Watch};
use tokio_tungstenite::tungstenite::Message;

#[test]
fn only_the_right_token_joins() {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(data.path());
    for wrong in ["", "x", &engine.token[1..], &format!("{}x", engine.token)] {
        let error = Desk::join(&engine.address, wrong)
            .err()
            .expect("a wrong token is refused");
        assert_eq!(error.code, ErrorCode::BadToken);
    }
    let mut socket = open(&engine.address);
    say(
        &mut socket,
        &ClientMessage::Hello {
            version: 999,
            token: engine.token.clone(),
        },
    );
    let answer = socket.read().unwrap().into_text().unwrap();
    assert!(answer.contains("version_mismatch"), "{answer}");
    let mut socket = open(&engine.address);
    socket.send(Message::Text("{}".into())).unwrap();
    let answer = socket.read().unwrap().into_text().unwrap();
    assert!(answer.contains("bad_request"), "{answer}");
    engine.desk();
}

#[test]
fn foreign_pages_are_turned_away() {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(data.path());
    let ask = |host: &str, origin: &str| {
        let mut stream = TcpStream::connect(engine.address.trim_start_matches("http://")).unwrap();
        write!(
            stream,
            "GET / HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    };
    let own = engine.address.trim_start_matches("http://");
    assert!(
        ask(own, &engine.address).contains("200"),
        "our own page is served"
    );
    assert!(
        ask("evil.example", &engine.address).contains("403"),
        "a foreign name is DNS rebinding"
    );
    assert!(
        ask(own, "https://evil.example").contains("403"),
        "a foreign page has no business here"
    );
}

#[test]
fn a_second_desk_stays_in_step() {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(data.path());
    let (mut first, mut second) = (engine.desk(), engine.desk());
    first.done(Command::AddScene {
        draft: SceneDraft {
            name: "Encore".into(),
        },
    });
    first.add("Bars", SourceSettings::TestCard { tone_hz: 1000 });
    second.done(Command::NameShow {
        title: "Nocturne".into(),
    });
    let same = |state: &protocol::State| {
        state.scenes.len() == 2 && state.sources.len() == 1 && state.show.title == "Nocturne"
    };
    first.until("the first desk sees the second's title", same);
    second.until("the second desk sees the first's scene and source", same);
    assert_eq!(first.state.scenes, second.state.scenes);
    let third = engine.desk();
    assert_eq!(
        third.state.scenes, first.state.scenes,
        "a snapshot says the same as the events"
    );
}

#[test]
fn a_failed_command_names_the_thing_and_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(data.path());
    let mut desk = engine.desk();
    let before = desk.state.scenes.clone();
    let nowhere = protocol::SceneId::try_from("nowhere").unwrap();
    let error = desk
        .ask(Command::RenameScene {
            scene: nowhere,
            name: "x".into(),
        })
        .unwrap_err();
    assert_eq!(
        (error.code, error.params["thing"].as_str()),
        (ErrorCode::NotFound, "scene")
    );
    assert_eq!(desk.state.scenes, before);
}

#[test]
fn pictures_and_meters_come_to_those_who_watch() {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(data.path());
    let mut desk = engine.desk();
    desk.add("Clip", clip());
    desk.watch(Watch {
        program: true,
        preview: false,
        thumbnails: true,
        meters: true,
    });
    for kind in [PictureKind::Program, PictureKind::Source] {
        let jpeg = desk.picture(kind);
        assert_eq!(jpeg[..2], [0xff, 0xd8], "{kind:?} is a JPEG");
    }
    while desk
        .meters
        .as_ref()
        .is_none_or(|m| m.master.left.peak.value() < -60.0)
    {
        desk.follow(std::time::Duration::from_millis(100));
    }
    let meters = desk.meters.clone().unwrap();
    assert_eq!(meters.strips.len(), 1, "the clip sounds: {meters:?}");
}

#[test]
fn the_host_is_led_to_the_chat_and_nobody_else_hears_the_secret() {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(data.path());
    let (mut first, second) = (engine.desk(), engine.desk());
    let protocol::Reply::Link { url } = first.done(Command::ChatLink) else {
        panic!("a link was to be answered");
    };
    let (page, token) = url.split_once("#token=").expect("the secret stands behind the #");
    let (name, path) = page.trim_start_matches("http://").split_once('/').unwrap();
    assert_eq!(path, "moderate/studio");
    let port = name.rsplit_once(':').unwrap().1;
    let url = format!("ws://127.0.0.1:{port}/chat/studio");
    let (mut socket, _) = tokio_tungstenite::tungstenite::connect(url).unwrap();
    let hello = format!(r#"{{"type":"hello","version":1,"token":"{token}"}}"#);
    socket.send(Message::Text(hello.into())).unwrap();
    let welcome = socket.read().unwrap().into_text().unwrap();
    assert!(welcome.contains(r#""role":"host""#), "{welcome}");
    let states = [&first.state, &second.state].map(|state| serde_json::to_string(state).unwrap());
    assert!(
        states.iter().all(|state| !state.contains(token)),
        "a secret in the state"
    );
    assert!(
        data.path().join("rooms.db").exists(),
        "chat is kept in the data folder"
    );
}

#[test]
fn others_publish_into_the_studios_rooms_with_the_key_alone() {
    let data = tempfile::tempdir().unwrap();
    let mut command = common::command(data.path(), &["--streamcore-publish-key-env", "ROOM_KEY"]);
    let engine = Engine::start_by(command.env("ROOM_KEY", "let-me-in"));
    let mut desk = engine.desk();
    desk.add_room("guest");
    let watch = desk.state.streamcore.watch_urls.first().unwrap().clone();
    let port = watch.trim_start_matches("http://").split_once('/').unwrap().0;
    let port = port.rsplit_once(':').unwrap().1;
    let offer = |key: &str| {
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        write!(
            stream,
            "POST /whip/guest HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/sdp\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    };
    assert!(offer("wrong").contains("401"), "a wrong key is refused");
    let taken = offer("let-me-in");
    assert!(
        taken.contains("422"),
        "the key is right, the offer is none: {taken}"
    );
}
