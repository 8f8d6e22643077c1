//! Who watches, in numbers: told to those who run the room, kept show by show, and nothing in it that says who it was.
#![allow(clippy::panic, reason = "the helpers of tests fail as tests do")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::chatter::{Chatter, read, server_on};
use common::client::{Client, Seen};
use common::{feed, live_room, wait_viewers};
use serde_json::{Value, json};
use sqlx::sqlite::SqlitePoolOptions;
use streamcore::Server;

const SOON: Duration = Duration::from_secs(5);
const FOX: &str = "Mozilla/5.0 Firefox/140";
const CHROME: &str = "Mozilla/5.0 Chrome/156";

/// The next numbers that fit.
async fn watching(chatter: &mut Chatter, fits: impl Fn(&Value) -> bool) -> Value {
    loop {
        let mut message = read(&mut chatter.socket).await.expect("the connection holds");
        if message["type"] == "watching" && fits(&message["watching"]) {
            return message["watching"].take();
        }
        chatter.put_by(&message);
    }
}

async fn watch(server: &Server, browser: &str) -> Client {
    let viewer = Client::watch_with(server.http_addr(), "show", browser).await;
    viewer.wait_frame(false, SOON);
    viewer
}

/// How many rows of a table, and of shows that still have what could tell visitors apart.
async fn rows(database: &Path) -> (i64, i64) {
    let url = format!("sqlite:{}", database.display());
    let pool = SqlitePoolOptions::new().connect(&url).await.expect("opens");
    let count = async |query: &'static str| -> i64 {
        sqlx::query_scalar(query).fetch_one(&pool).await.expect("counted")
    };
    (
        count("SELECT count(*) FROM show_visitors").await,
        count("SELECT count(*) FROM shows WHERE salt IS NOT NULL").await,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn host_and_moderators_are_told_how_many_watch_and_viewers_are_not() {
    let (server, _feeder) = live_room("show", true).await;
    let mut host = Chatter::host(&server).await;
    let mut ada = Chatter::viewer(&server, "Ada").await;
    assert_eq!(watching(&mut host, |_| true).await["now"], 0, "told at once");
    let first = watch(&server, FOX).await;
    let _second = watch(&server, FOX).await;
    let _third = watch(&server, CHROME).await;
    let seen = watching(&mut host, |now| now["now"] == 3).await;
    assert_eq!((&seen["peak"], &seen["joined"]), (&json!(3), &json!(3)));
    assert_eq!(seen["visitors"], 2, "one address, two browsers: {seen}");
    assert_eq!(first.delete(None).await, 200);
    let seen = watching(&mut host, |now| now["now"] == 2).await;
    assert_eq!((&seen["peak"], &seen["departed"]), (&json!(3), &json!(1)));
    assert!(
        seen["average_ms"].as_u64() > Some(0) && seen["median_ms"].as_u64() > Some(0),
        "{seen}"
    );
    for request in [
        json!({"type": "shows"}),
        json!({"type": "curve", "show": 1}),
        json!({"type": "export", "member": "host"}),
    ] {
        assert_eq!(ada.ask(request).await["code"], "not_allowed");
    }
    // Whatever Ada was told came before the answer.
    assert!(ada.said("hello").await > 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_show_goes_on_over_a_restart_and_when_it_is_over_nobody_can_be_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("rooms.db");
    let server = server_on(&database).await;
    let feeder = feed(&server, "show", true).await;
    let mut host = Chatter::host(&server).await;
    let _viewer = watch(&server, FOX).await;
    host.said("welcome").await;
    watching(&mut host, |now| now["now"] == 1).await;
    server.stop().await;
    drop(feeder.stop());
    let (visitors, salts) = rows(&database).await;
    assert_eq!((visitors, salts), (1, 1), "the show is not over");

    let server = server_on(&database).await;
    let feeder = feed(&server, "show", true).await;
    let mut host = Chatter::host(&server).await;
    let viewer = watch(&server, FOX).await;
    let other = watch(&server, CHROME).await;
    let seen = watching(&mut host, |now| now["now"] == 2).await;
    assert_eq!(
        (&seen["visitors"], &seen["joined"]),
        (&json!(2), &json!(3)),
        "one of them was there before"
    );
    feeder.stop().end();
    for viewer in [&viewer, &other] {
        viewer.wait_for("the end", SOON, |seen| matches!(seen, Seen::Closed).then_some(()));
    }
    wait_viewers(&server, "show", 0, SOON).await;
    let show = loop {
        let shows = host.ask(json!({"type": "shows"})).await;
        let shows = shows["shows"].as_array().expect("a list");
        assert_eq!(shows.len(), 1, "it was one show: {shows:?}");
        if shows[0]["ended_ms"].is_u64() {
            break shows[0].clone();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(show["watching"]["visitors"], 2);
    assert_eq!(show["watching"]["joined"], 3);
    let curve = host.ask(json!({"type": "curve", "show": show["show"]})).await;
    let minutes = curve["minutes"].as_array().expect("minutes");
    let sum = |key: &str| {
        minutes
            .iter()
            .filter_map(|minute| minute[key].as_u64())
            .sum::<u64>()
    };
    assert_eq!((sum("joined"), sum("messages")), (3, 1), "{minutes:?}");
    server.stop().await;
    assert_eq!(rows(&database).await, (0, 0), "hashes and salt are gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_hands_over_what_is_kept_of_a_viewer_and_forgets_it() {
    let server = common::server().await;
    let mut host = Chatter::host(&server).await;
    let (mut ada, mut ben) = (
        Chatter::viewer(&server, "Ada").await,
        Chatter::viewer(&server, "Ben").await,
    );
    let said = ada.said("I live in Rue des Fleurs").await;
    ben.said("hello Ada").await;
    host.acted(json!({"do": "pin", "message": said})).await;
    let mut ines = {
        let invited = host.acted(json!({"do": "invite", "name": "Inès"})).await;
        Chatter::with_token(&server, invited["token"].as_str().expect("a token")).await
    };
    let forget = json!({"do": "forget", "member": ada.id()});
    let export = json!({"type": "export", "member": ada.id()});
    assert_eq!(ines.act(forget.clone()).await["code"], "not_allowed");
    assert_eq!(ines.ask(export.clone()).await["code"], "not_allowed");
    let exported = host.ask(export.clone()).await["export"].take();
    assert_eq!(exported["messages"][0]["text"], "I live in Rue des Fleurs");
    assert_eq!(exported["entries"][0]["act"]["do"], "pin");

    host.acted(forget).await;
    assert_eq!(ben.event("all_deleted").await["member"], ada.id());
    ben.event("unpinned").await;
    let newcomer = Chatter::viewer(&server, "Eve").await;
    assert_eq!(newcomer.texts(), ["hello Ada"]);
    let exported = host.ask(export).await["export"].take();
    assert_eq!(exported["messages"], json!([]));
    let log = host.ask(json!({"type": "log"})).await.to_string();
    assert!(!log.contains("\"Ada\""), "{log}");
    server.stop().await;
}
