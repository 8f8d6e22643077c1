//! Polls, questions, reactions, giveaways and raids over the room's WebSocket: what everybody is told, what a returning
//! client learns, what is there after a restart, and what anybody can look up of a draw.
#![allow(clippy::panic, reason = "the helpers of tests fail as tests do")]

mod common;

use std::time::{Duration, Instant};

use common::chatter::{Chatter, read, server_on};
use common::client::http;
use common::server;
use serde_json::{Value, json};
use streamcore::Server;

fn engage(what: Value) -> Value {
    json!({"do": "engage", "what": what})
}

fn poll() -> Value {
    engage(json!({"do": "open_poll", "question": "Next song?", "options": ["Moth", "Nocturne"]}))
}

async fn take(chatter: &mut Chatter, what: Value) -> Value {
    chatter.ask(json!({"type": "engage", "what": what})).await
}

/// The next event about engagement that is about this.
async fn engaged(chatter: &mut Chatter, is: &str) -> Value {
    loop {
        let what = chatter.event("engaged").await["what"].take();
        if what["is"] == is {
            return what;
        }
    }
}

/// The next pulse for which this holds.
async fn pulse(chatter: &mut Chatter, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let message = read(&mut chatter.socket).await.expect("the connection holds");
        if message["type"] == "pulse" && wanted(&message) {
            return message;
        }
        chatter.put_by(&message);
    }
}

async fn proof(server: &Server, id: u64) -> reqwest::Response {
    let url = format!("http://{}/api/rooms/show/giveaways/{id}", server.http_addr());
    http().get(url).send().await.expect("the server answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_how_a_poll_goes() {
    let server = server().await;
    let mut host = Chatter::host(&server).await;
    let (mut ada, mut bob) = (
        Chatter::viewer(&server, "Ada").await,
        Chatter::viewer(&server, "Bob").await,
    );
    assert!(ada.welcome["engage"].is_null(), "nothing goes on");
    assert_eq!(ada.act(poll()).await["code"], "not_allowed");
    host.acted(poll()).await;
    let opened = engaged(&mut ada, "poll").await["poll"].take();
    assert_eq!(
        (&opened["open"], &opened["votes"]),
        (&json!(true), &json!([0, 0]))
    );
    let id = opened["id"].clone();
    let vote = |option: u32| json!({"do": "vote", "poll": id, "option": option});
    assert_eq!(take(&mut ada, vote(1)).await["result"], "counted");
    let began = Instant::now();
    assert_eq!(take(&mut bob, vote(0)).await["result"], "counted");
    assert_eq!(
        take(&mut bob, vote(1)).await["result"],
        "counted",
        "another choice"
    );
    for watcher in [&mut ada, &mut host] {
        let told = pulse(watcher, |told| told["poll"]["votes"] == json!([0, 2])).await;
        assert_eq!(told["poll"]["id"], id);
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(take(&mut bob, vote(7)).await["field"], "option");
    assert_eq!(take(&mut host, vote(0)).await["code"], "not_allowed");

    // Whoever comes back knows what it chose, and how it stands.
    let (token, seq) = (ada.token(), ada.welcome["seq"].clone());
    drop(ada);
    let hello = json!({"type": "hello", "version": 1, "token": token, "last_seq": seq});
    let back = Chatter::connect(server.http_addr(), hello).await;
    assert!(back.welcome["snapshot"].is_null(), "it missed little");
    assert_eq!(back.welcome["engage"]["mine"]["vote"], 1);
    assert_eq!(back.welcome["engage"]["poll"]["votes"], json!([0, 2]));

    host.acted(engage(json!({"do": "close_poll"}))).await;
    // The first is from the opening.
    engaged(&mut bob, "poll").await;
    let ended = engaged(&mut bob, "poll").await["poll"].take();
    assert_eq!((&ended["open"], &ended["votes"]), (&json!(false), &json!([0, 2])));
    assert_eq!(take(&mut bob, vote(0)).await["code"], "over");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_ends_by_its_time_though_nobody_does_anything() {
    let server = server().await;
    let mut host = Chatter::host(&server).await;
    let mut act = poll();
    act["what"]["seconds"] = json!(10);
    host.acted(act).await;
    let opened = engaged(&mut host, "poll").await["poll"].take();
    let ends_at_ms = opened["ends_at_ms"].as_u64().expect("it has an end");
    // The next that comes is its end: longer than others wait for anything.
    let ended = tokio::time::timeout(Duration::from_secs(15), async {
        loop {
            let next = tokio::time::timeout(
                Duration::from_secs(15),
                futures_util::StreamExt::next(&mut host.socket),
            );
            let Ok(Some(Ok(tokio_tungstenite::tungstenite::Message::Text(text)))) = next.await else {
                continue;
            };
            if text.contains(r#""open":false"#) {
                return text;
            }
        }
    });
    assert!(ended.await.is_ok(), "it ends by itself");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("after 1970").as_millis() as u64;
    assert!(now >= ends_at_ms, "not before its time: {now} {ends_at_ms}");
    assert!(now < ends_at_ms + 2000, "and not long after: {now} {ends_at_ms}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_asked_wanted_answered_and_hidden() {
    let server = server().await;
    let mut host = Chatter::host(&server).await;
    let (mut ada, mut bob) = (
        Chatter::viewer(&server, "Ada").await,
        Chatter::viewer(&server, "Bob").await,
    );
    let ask = |text: &str| json!({"do": "ask", "text": text});
    assert_eq!(
        take(&mut ada, ask("When?")).await["code"],
        "over",
        "not taken yet"
    );
    host.acted(engage(json!({"do": "take_questions", "on": true})))
        .await;
    assert_eq!(take(&mut ada, ask(" ")).await["code"], "empty");
    assert_eq!(take(&mut ada, ask(&"x".repeat(281))).await["most"], 280);
    assert_eq!(take(&mut ada, ask("<b>When</b>?")).await["result"], "acted");
    assert_eq!(take(&mut ada, ask("And where?")).await["code"], "too_fast");
    let asked = engaged(&mut bob, "question").await["question"].take();
    assert_eq!(
        (&asked["text"], &asked["votes"]),
        (&json!("<b>When</b>?"), &json!(1))
    );
    let id = asked["id"].clone();
    assert_eq!(
        take(&mut bob, ask("see https://cheap.example")).await["result"],
        "held"
    );
    let waits = loop {
        let question = engaged(&mut host, "question").await["question"].take();
        if question["state"] == "waiting" {
            break question;
        }
    };
    assert_eq!(waits["held_for"], "link");
    take(&mut bob, json!({"do": "support", "question": id})).await;
    take(&mut bob, json!({"do": "support", "question": id})).await;
    let told = pulse(&mut ada, |told| told["questions"][0]["id"] == id).await;
    assert_eq!(told["questions"][0]["votes"], 2, "once each");
    host.acted(engage(json!({"do": "answer_question", "question": id})))
        .await;
    assert_eq!(
        engaged(&mut bob, "question").await["question"]["state"],
        "answering"
    );
    host.acted(engage(json!({"do": "hide_question", "question": id})))
        .await;
    assert_eq!(engaged(&mut bob, "question_gone").await["question"], id);
    let eve = Chatter::viewer(&server, "Eve").await;
    assert_eq!(
        eve.welcome["engage"]["questions"],
        json!([]),
        "one is hidden, one waits"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draw_can_be_looked_up_by_anybody_once_it_is_done() {
    let server = server().await;
    let mut host = Chatter::host(&server).await;
    let (mut ada, mut bob) = (
        Chatter::viewer(&server, "Ada").await,
        Chatter::viewer(&server, "Bob").await,
    );
    host.acted(engage(
        json!({"do": "open_giveaway", "prize": "A vinyl", "winners": 1}),
    ))
    .await;
    let opened = engaged(&mut ada, "giveaway").await["giveaway"].take();
    let id = opened["id"].as_u64().expect("a number");
    let enter = json!({"do": "enter", "giveaway": id});
    let entered = take(&mut ada, enter.clone()).await;
    assert_eq!(entered["result"], "entered");
    assert_eq!(
        take(&mut ada, enter.clone()).await["entry"],
        entered["entry"],
        "the same one"
    );
    assert_eq!(
        take(&mut bob, enter).await["code"],
        "one_each",
        "both are at this machine"
    );
    // Of those who ask, a pulse that comes before the answer is passed over.
    pulse(&mut host, |told| told["giveaway"]["entries"] == 1).await;
    assert_eq!(
        proof(&server, id).await.status(),
        404,
        "the seed is a secret still"
    );
    host.acted(engage(json!({"do": "draw"}))).await;
    let drawn = loop {
        let giveaway = engaged(&mut ada, "giveaway").await["giveaway"].take();
        if giveaway["state"]["is"] == "drawn" {
            break giveaway;
        }
    };
    assert_eq!(
        drawn["state"]["winners"],
        json!([{"entry": entered["entry"], "name": "Ada"}])
    );
    assert_eq!(drawn["commitment"], opened["commitment"]);
    let proof: Value = proof(&server, id).await.json().await.expect("JSON");
    assert_eq!(proof["list"], json!([entered["entry"]]));
    assert_eq!(proof["state"]["seed"], drawn["state"]["seed"]);
    assert!(!proof.to_string().contains("address") && !proof.to_string().contains(&ada.id()));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("rooms.db");
    let server = server_on(&database).await;
    let mut host = Chatter::host(&server).await;
    let mut ada = Chatter::viewer(&server, "Ada").await;
    for what in [
        json!({"do": "open_giveaway", "prize": "A vinyl", "winners": 1}),
        json!({"do": "take_questions", "on": true}),
        poll()["what"].clone(),
    ] {
        host.acted(engage(what)).await;
    }
    let giveaway = engaged(&mut ada, "giveaway").await["giveaway"].take();
    let poll = engaged(&mut ada, "poll").await["poll"].take();
    let entered = take(&mut ada, json!({"do": "enter", "giveaway": giveaway["id"]})).await;
    take(&mut ada, json!({"do": "vote", "poll": poll["id"], "option": 1})).await;
    take(&mut ada, json!({"do": "ask", "text": "When?"})).await;
    take(&mut ada, json!({"do": "react", "reaction": "fire"})).await;
    pulse(&mut ada, |told| told["reactions"][0]["total"] == 1).await;
    let token = ada.token();
    server.stop().await;

    let server = server_on(&database).await;
    let mut ada = Chatter::with_token(&server, &token).await;
    let engage_now = ada.welcome["engage"].take();
    assert_eq!(engage_now["poll"]["votes"], json!([0, 1]));
    assert_eq!(engage_now["questions"][0]["text"], "When?");
    assert_eq!(engage_now["questions_open"], true);
    assert_eq!(engage_now["reactions"], json!([{"reaction": "fire", "total": 1}]));
    let question = &engage_now["questions"][0]["id"];
    assert_eq!(
        engage_now["mine"],
        json!({"vote": 1, "supported": [question], "entry": entered["entry"]})
    );
    let mut host = Chatter::host(&server).await;
    host.acted(engage(json!({"do": "draw"}))).await;
    let drawn = engaged(&mut ada, "giveaway").await["giveaway"].take();
    assert_eq!(
        drawn["commitment"], giveaway["commitment"],
        "as promised before the restart"
    );
    assert_eq!(drawn["state"]["winners"][0]["name"], "Ada");
    // Taken off, the draw can still be looked up.
    host.acted(engage(json!({"do": "dismiss_giveaway"}))).await;
    let id = giveaway["id"].as_u64().expect("a number");
    let proof: Value = proof(&server, id).await.json().await.expect("JSON");
    assert_eq!(proof["list"], json!([entered["entry"]]));
    assert_eq!(proof["entries"], 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raid_is_the_hosts_and_leads_to_a_room() {
    let server = server().await;
    let mut host = Chatter::host(&server).await;
    let invited = host.acted(json!({"do": "invite", "name": "Inès"})).await;
    let mut ines = Chatter::with_token(&server, invited["token"].as_str().expect("a token")).await;
    let mut ada = Chatter::viewer(&server, "Ada").await;
    let raid = |to: &str| engage(json!({"do": "raid", "to": to}));
    assert_eq!(ines.act(raid("night")).await["code"], "not_allowed");
    for wrong in ["show", "javascript:alert(1)", "http://elsewhere.example/watch/a"] {
        assert_eq!(host.act(raid(wrong)).await["field"], "to", "{wrong}");
    }
    host.acted(raid("https://live.example/watch/night")).await;
    let told = engaged(&mut ada, "raid").await["raid"].take();
    assert_eq!(told["to"], "https://live.example/watch/night");
    let eve = Chatter::viewer(&server, "Eve").await;
    assert_eq!(
        eve.welcome["engage"]["raid"], told,
        "whoever comes in now is taken along"
    );
    host.acted(engage(json!({"do": "call_off_raid"}))).await;
    assert!(engaged(&mut ada, "raid").await["raid"].is_null());
    server.stop().await;
}

/// A thousand reactions are no thousand events: whoever comes back is still told one by one what it missed.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_reacts_pushes_nothing_out_of_the_history() {
    let server = server().await;
    let mut ada = Chatter::viewer(&server, "Ada").await;
    ada.said("before").await;
    let (token, seq) = (ada.token(), ada.welcome["seq"].clone());
    drop(ada);
    let mut watcher = Chatter::viewer(&server, "Watcher").await;
    let mut crowd = Vec::new();
    for at in 0..10 {
        crowd.push(Chatter::viewer(&server, &format!("Viewer {at}")).await);
    }
    let mut counted = 0_u64;
    for _ in 0..20 {
        for viewer in &mut crowd {
            let answer = take(viewer, json!({"do": "react", "reaction": "heart"})).await;
            assert!(
                answer["result"] == "counted" || answer["code"] == "too_fast",
                "{answer}"
            );
            counted += u64::from(answer["result"] == "counted");
        }
    }
    assert!(counted >= 30, "three a second each: {counted}");
    let told = pulse(&mut watcher, |told| told["reactions"][0]["total"] == counted).await;
    assert_eq!(told["reactions"][0]["reaction"], "heart");
    let hello = json!({"type": "hello", "version": 1, "token": token, "last_seq": seq});
    let back = Chatter::connect(server.http_addr(), hello).await;
    assert_eq!(
        back.welcome["events"].as_array().map(Vec::len),
        Some(1),
        "the one message"
    );
    server.stop().await;
}
