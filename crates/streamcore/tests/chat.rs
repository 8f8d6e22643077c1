//! Chat over its WebSocket, with several clients at once, and what is left of it after a restart.
#![allow(clippy::panic, reason = "the helpers of tests fail as tests do")]

mod common;

use common::chatter::{ANSWER_WITHIN, Chatter, read, server_on};
use common::client::http;
use common::{server, server_with};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(flavor = "multi_thread")]
async fn what_one_says_all_hear_and_a_moderators_act_reaches_all() {
    let server = server().await;
    let (mut ada, mut bob, mut host) = (
        Chatter::viewer(&server, "Ada").await,
        Chatter::viewer(&server, "Bob").await,
        Chatter::host(&server).await,
    );
    let seq = ada.said("Where do you ship?").await;
    let heard = bob.event("said").await;
    assert_eq!(heard["message"]["text"], "Where do you ship?");
    assert_eq!(heard["message"]["author"]["name"], "Ada");
    assert_eq!(heard["seq"], seq);
    host.acted(json!({"do": "pin", "message": seq})).await;
    assert_eq!(bob.event("pinned").await["by"], "Maya");
    host.acted(json!({"do": "delete", "message": seq})).await;
    assert_eq!(bob.event("deleted").await["messages"], json!([seq]));
    bob.event("unpinned").await;
    // Whoever comes later does not see it either.
    assert!(Chatter::viewer(&server, "Eve").await.texts().is_empty());
    host.acted(json!({"do": "time_out", "member": ada.id(), "seconds": 60}))
        .await;
    ada.event("restricted").await;
    let refused = ada.say("again").await;
    assert_eq!(refused["code"], "timed_out", "{refused}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_moderator_moderates_until_the_invitation_is_taken_back() {
    let server = server().await;
    let (mut ada, mut host) = (
        Chatter::viewer(&server, "Ada").await,
        Chatter::host(&server).await,
    );
    let invited = host.acted(json!({"do": "invite", "name": "Inès"})).await;
    let token = invited["token"].as_str().expect("a token");
    let mut ines = Chatter::with_token(&server, token).await;
    assert_eq!(ines.welcome["you"]["role"], "moderator");
    assert_eq!(ines.welcome["you"]["name"], "Inès");
    let seq = ada.said("boo").await;
    ines.acted(json!({"do": "delete", "message": seq})).await;
    assert_eq!(
        ines.act(json!({"do": "invite", "name": "X"})).await["code"],
        "not_allowed"
    );
    host.acted(json!({"do": "uninvite", "member": ines.id()})).await;
    ines.ended().await;
    let hello = json!({"type": "hello", "version": 1, "token": token});
    assert_eq!(Chatter::knock(server.http_addr(), hello).await.0["code"], "token");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_message_is_seen_by_moderators_alone_until_it_is_released() {
    let server = server().await;
    let (mut ada, mut bob, mut host) = (
        Chatter::viewer(&server, "Ada").await,
        Chatter::viewer(&server, "Bob").await,
        Chatter::host(&server).await,
    );
    let held = ada.say("see shop.example/x").await;
    assert_eq!(held["result"], "held", "{held}");
    let waits = host.event("held").await;
    let number = waits["held"]["message"]["seq"].as_u64().expect("a number");
    ada.said("hello?").await;
    assert_eq!(
        bob.hear_until("hello?").await,
        ["hello?"],
        "the held one is not there"
    );
    host.acted(json!({"do": "release", "message": number})).await;
    assert_eq!(bob.hear_until("see shop.example/x").await, ["see shop.example/x"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_returns_misses_nothing_and_hears_nothing_twice() {
    let server = server().await;
    let (mut ada, mut bob) = (
        Chatter::viewer(&server, "Ada").await,
        Chatter::viewer(&server, "Bob").await,
    );
    let seq = ada.said("one").await;
    bob.hear_until("one").await;
    let token = bob.token();
    drop(bob);
    for text in ["two", "three", "four"] {
        ada.said(text).await;
    }
    let hello = json!({"type": "hello", "version": 1, "token": token, "last_seq": seq});
    let bob = Chatter::connect(server.http_addr(), hello).await;
    let events = bob.welcome["events"].as_array().expect("events");
    let missed: Vec<&str> = events
        .iter()
        .filter_map(|event| event["message"]["text"].as_str())
        .collect();
    assert_eq!(missed, ["two", "three", "four"]);
    assert!(
        bob.welcome.get("snapshot").is_none(),
        "what it has is not sent again"
    );
    assert_eq!(bob.welcome["you"]["name"], "Bob", "the token says who it is");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rooms.db");
    let first = server_on(&file).await;
    let (mut ada, mut host) = (Chatter::viewer(&first, "Ada").await, Chatter::host(&first).await);
    let seq = ada.said("kept").await;
    let gone = ada.said("deleted").await;
    host.acted(json!({"do": "delete", "message": gone})).await;
    host.acted(json!({"do": "ban", "member": ada.id()})).await;
    let token = ada.token();
    first.stop().await;
    let second = server_on(&file).await;
    let mut ada = Chatter::with_token(&second, &token).await;
    assert_eq!(ada.texts(), ["kept"]);
    assert!(ada.welcome["seq"].as_u64() > Some(gone), "numbers go on");
    assert_eq!(ada.welcome["you"]["restriction"]["member"], ada.id());
    assert_eq!(ada.say("hello").await["code"], "banned");
    let mut newcomer = Chatter::viewer(&second, "Other").await;
    assert_eq!(
        newcomer.say("hello").await["code"],
        "banned",
        "the address is banned as well"
    );
    let mut host = Chatter::host(&second).await;
    let found = host
        .ask(json!({"type": "history", "before": 9_000_000, "search": "kep"}))
        .await;
    assert_eq!(found["messages"][0]["seq"], seq, "{found}");
    let log = host.ask(json!({"type": "log"})).await;
    let acts: Vec<&Value> = log["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| &entry["act"]["do"])
        .collect();
    assert_eq!(acts, ["ban", "delete"], "newest first");
    assert_eq!(
        undoable(&log),
        [false, false],
        "what undoing takes is gone with the server"
    );
    for entry in log["entries"].as_array().expect("entries") {
        let refused = host.act(json!({"do": "undo", "entry": entry["number"]})).await;
        assert_eq!(refused["code"], "not_undoable");
    }
    second.stop().await;
    // What is on the disk names nobody's address.
    for name in ["rooms.db", "rooms.db-wal"] {
        if let Ok(bytes) = std::fs::read(folder.path().join(name)) {
            assert!(
                !bytes.windows(9).any(|w| w == b"127.0.0.1"),
                "{name} holds an address"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_not_right_and_words_that_are_none_are_turned_away() {
    let server = server().await;
    let knock = async |hello: Value| Chatter::knock(server.http_addr(), hello).await.0;
    let forged = knock(json!({"type": "hello", "version": 1, "token": "a.b.c"})).await;
    assert_eq!(forged["code"], "token");
    let old = knock(json!({"type": "hello", "version": 99})).await;
    assert_eq!((&old["code"], &old["wanted"]), (&json!("version"), &json!(1)));
    assert_eq!(
        knock(json!({"type": "say", "id": 1, "text": "x"})).await["code"],
        "unreadable"
    );
    assert_eq!(
        knock(json!({"type": "hello", "version": 1, "role": "host"})).await["code"],
        "unreadable"
    );
    let mut ada = Chatter::viewer(&server, "Ada").await;
    for act in [
        json!({"do": "clear"}),
        json!({"do": "ban", "member": "host"}),
        json!({"do": "invite", "name": "me"}),
    ] {
        assert_eq!(ada.act(act).await["code"], "not_allowed");
    }
    assert_eq!(ada.ask(json!({"type": "log"})).await["code"], "not_allowed");
    assert_eq!(ada.say(&"x".repeat(501)).await["code"], "too_long");
    assert_eq!(ada.say(" \u{200b} ").await["code"], "empty");
    // Nothing of it has ended the connection.
    ada.said("<script>alert(1)</script>").await;
    let wrong = http()
        .post(format!("http://{}/api/rooms/show/host", server.http_addr()))
        .bearer_auth("wrong")
        .json(&json!({"name": "Me"}))
        .send()
        .await
        .expect("an answer");
    assert_eq!(wrong.status(), 401);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_a_ban_holds_for_one_address_and_no_other() {
    let server =
        server_with(|settings| settings.trusted_proxies = vec!["127.0.0.1".parse().expect("valid")]).await;
    let from = async |forwarded: &str| forwarded_for(&server, forwarded).await;
    let mut host = Chatter::host(&server).await;
    let mut troll = from("192.0.2.7").await;
    troll.said("boo").await;
    host.acted(json!({"do": "ban", "member": troll.id()})).await;
    from("192.0.2.8").await.said("hello").await;
    let returned = from("192.0.2.8, 192.0.2.7").await.say("boo").await;
    assert_eq!(
        returned["code"], "banned",
        "what stands before the proxy's own word is a claim"
    );
    server.stop().await;
}

/// Whether each entry of a log can be taken back, newest first.
fn undoable(log: &Value) -> Vec<bool> {
    let entries = log["entries"].as_array().expect("entries");
    entries.iter().map(|entry| entry["undoable"] == true).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_of_each_act_whether_it_can_be_taken_back_now() {
    let server = server().await;
    let (mut ada, mut host) = (
        Chatter::viewer(&server, "Ada").await,
        Chatter::host(&server).await,
    );
    let before = host.welcome["seq"].as_u64().expect("a number");
    let seq = ada.said("hello").await;
    host.acted(json!({"do": "pin", "message": seq})).await;
    host.acted(json!({"do": "delete", "message": seq})).await;
    let log = host.ask(json!({"type": "log"})).await;
    assert_eq!(undoable(&log), [true, true]);
    let deleted = log["entries"][0]["number"].clone();
    host.acted(json!({"do": "undo", "entry": deleted})).await;
    let log = host.ask(json!({"type": "log"})).await;
    assert_eq!(
        undoable(&log),
        [false, false, true],
        "the undo, the delete, the pin"
    );
    // Whoever comes back is told the same of what it missed.
    let hello = json!({"type": "hello", "version": 1, "token": host.token(), "last_seq": before});
    let back = Chatter::connect(server.http_addr(), hello).await;
    let missed = back.welcome["events"].as_array().expect("events");
    let told: Vec<bool> = missed
        .iter()
        .filter(|event| event["kind"] == "logged")
        .map(|event| event["entry"]["undoable"] == true)
        .collect();
    assert_eq!(told, [true, false, false]);
    server.stop().await;
}

/// Somebody whom a proxy passes on, with its first answer as the welcome, whatever it says.
async fn forwarded_for(server: &streamcore::Server, forwarded: &str) -> Chatter {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    let mut request = format!("ws://{}/chat/show", server.http_addr())
        .into_client_request()
        .expect("a request");
    let value = forwarded.parse().expect("a header");
    request.headers_mut().insert("x-forwarded-for", value);
    let (mut socket, _) = tokio_tungstenite::connect_async(request)
        .await
        .expect("a WebSocket");
    let hello = json!({"type": "hello", "version": 1});
    socket.send(Message::text(hello.to_string())).await.expect("sent");
    Chatter {
        welcome: read(&mut socket).await.expect("an answer"),
        socket,
        waiting: Vec::new(),
        next_id: 1,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_so_many_places_and_the_crew_needs_none() {
    let server = server_with(|settings| {
        settings.trusted_proxies = vec!["127.0.0.1".parse().expect("valid")];
        settings.limits.chat_connections_per_address = 3;
        settings.limits.chat_joins_per_second = 1000;
    })
    .await;
    let mut inside = Vec::new();
    for n in 0..3 {
        let device = format!("2001:db8:1:2::{n}");
        inside.push(forwarded_for(&server, &device).await);
        assert_eq!(inside[n].welcome["type"], "welcome");
    }
    let fourth = forwarded_for(&server, "2001:db8:1:2:aaaa::1").await.welcome;
    assert_eq!(
        (&fourth["type"], &fourth["code"]),
        (&json!("refused"), &json!("crowded"))
    );
    assert!(fourth["retry_after_ms"].as_u64() >= Some(1000), "{fourth}");
    let neighbour = forwarded_for(&server, "2001:db8:1:3::1").await.welcome;
    assert_eq!(neighbour["type"], "welcome", "another network");
    // A claim before the proxy's own word opens no door.
    let liar = forwarded_for(&server, "192.0.2.1, 2001:db8:1:2::9").await.welcome;
    assert_eq!(liar["code"], "crowded");
    // Without a proxy's word it is loopback, which counts as well; the crew comes in all the same.
    let mut full = Vec::new();
    for n in 0..3 {
        full.push(Chatter::viewer(&server, &format!("Viewer {n}")).await);
    }
    let hello = json!({"type": "hello", "version": 1});
    let (refused, _) = Chatter::knock(server.http_addr(), hello).await;
    assert_eq!(refused["code"], "crowded");
    let mut host = Chatter::host(&server).await;
    let invited = host.acted(json!({"do": "invite", "name": "Inès"})).await;
    let token = invited["token"].as_str().expect("a token");
    let moderators = [
        Chatter::with_token(&server, token).await,
        Chatter::with_token(&server, token).await,
    ];
    assert_eq!(moderators[1].welcome["you"]["role"], "moderator");
    // A place comes free when somebody leaves.
    let mut gone = full.pop().expect("three");
    gone.socket.close(None).await.expect("closed");
    gone.ended().await;
    let until = tokio::time::Instant::now() + ANSWER_WITHIN;
    loop {
        let hello = json!({"type": "hello", "version": 1});
        if Chatter::knock(server.http_addr(), hello).await.0["type"] == "welcome" {
            break;
        }
        assert!(tokio::time::Instant::now() < until, "the place was to come free");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_never_say_hello_are_few_of_one_address() {
    let server = server_with(|settings| settings.limits.chat_connections_per_address = 3).await;
    let url = format!("ws://{}/chat/show", server.http_addr());
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(tokio_tungstenite::connect_async(&url).await.expect("a WebSocket"));
    }
    match tokio_tungstenite::connect_async(&url).await {
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => assert_eq!(response.status(), 429),
        other => panic!("the fourth was to be refused: {other:?}"),
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_holds_nobody_up() {
    let server = server_with(|settings| settings.limits.chat_connections_per_address = 100).await;
    let address = server.http_addr();
    let (stop, _) = tokio::sync::watch::channel(false);
    let mut floods = Vec::new();
    for n in 0..50 {
        let flood = Chatter::viewer(&server, &format!("Flood{n}")).await;
        let mut stopped = stop.subscribe();
        floods.push(tokio::spawn(async move {
            let (mut out, mut back) = flood.socket.split();
            // What is answered must be read, or the server waits for us.
            let reader = tokio::spawn(async move { while back.next().await.is_some() {} });
            let text = json!({"type": "say", "id": 1, "text": "buy"}).to_string();
            let mut sent = 0_u32;
            loop {
                tokio::select! {
                    _ = stopped.changed() => break,
                    sending = out.send(Message::text(text.clone())) => {
                        if sending.is_err() {
                            break;
                        }
                        sent += 1;
                    }
                }
            }
            reader.abort();
            sent
        }));
    }
    let hello = json!({"type": "hello", "version": 1, "name": "Ada"});
    let mut ada = Chatter::connect(address, hello.clone()).await;
    let mut bob = Chatter::connect(address, hello).await;
    for n in 0..5 {
        let text = format!("honest {n}");
        ada.said(&text).await;
        assert_eq!(bob.hear_until(&text).await.last(), Some(&text));
    }
    stop.send_replace(true);
    let mut sent = 0;
    for flood in floods {
        sent += flood.await.expect("the flood ends");
    }
    assert!(sent > 2_000, "it was a flood: {sent}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_that_somebody_is_in_never_give_way() {
    let server = server_with(|settings| settings.limits.rooms = 1).await;
    let mut ada = Chatter::viewer(&server, "Ada").await;
    let other = format!("ws://{}/chat/other", server.http_addr());
    let knock = async || {
        let (mut socket, _) = tokio_tungstenite::connect_async(&other)
            .await
            .expect("a WebSocket");
        let hello = json!({"type": "hello", "version": 1});
        socket.send(Message::text(hello.to_string())).await.expect("sent");
        read(&mut socket).await.expect("an answer")
    };
    assert_eq!(knock().await["code"], "unavailable");
    ada.said("still here").await;
    ada.socket.close(None).await.expect("closed");
    ada.ended().await;
    let until = tokio::time::Instant::now() + ANSWER_WITHIN;
    while knock().await["type"] != "welcome" {
        assert!(
            tokio::time::Instant::now() < until,
            "the empty room was to give way"
        );
    }
    server.stop().await;
}
