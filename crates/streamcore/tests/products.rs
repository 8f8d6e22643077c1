//! Products over the room's WebSocket: who may do what, what is refused, what everybody is told, what is counted and
//! what is there after a restart.
#![allow(clippy::panic, reason = "the helpers of tests fail as tests do")]

mod common;

use std::time::Duration;

use common::chatter::{Chatter, host_token, read, server_on};
use common::client::http;
use common::{server, server_with};
use futures_util::SinkExt;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use streamcore::Server;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// The smallest thing that is told to be a PNG.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";
const UTM: &str = "utm_source=streamcore&utm_medium=live&utm_campaign=show";

fn product(id: &str) -> Value {
    json!({"id": id, "title": format!("Thing {id}"), "stock": {"is": "in_stock"},
           "price": {"minor": 3230, "currency": "EUR", "digits": 2, "was_minor": 3800},
           "link": format!("https://shop.example/{id}")})
}

fn list(ids: &[&str]) -> Value {
    json!({"do": "products", "list": ids.iter().map(|id| product(id)).collect::<Vec<_>>()})
}

fn feature(ids: &[&str]) -> Value {
    json!({"do": "feature", "products": ids})
}

async fn moderator(server: &Server, host: &mut Chatter) -> Chatter {
    let invited = host.acted(json!({"do": "invite", "name": "Inès"})).await;
    Chatter::with_token(server, invited["token"].as_str().expect("a token")).await
}

/// The second click of a minute counts again in the next one: what asks for the same minute begins early in it.
async fn early_in_a_minute() {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let second = since_epoch.expect("after 1970").as_secs() % 60;
    if second > 50 {
        tokio::time::sleep(Duration::from_secs(61 - second)).await;
    }
}

/// The next `interest` that says so many carts of the first product.
async fn carts(chatter: &mut Chatter, wanted: u64) -> Value {
    loop {
        let message = read(&mut chatter.socket).await.expect("the connection holds");
        if message["type"] == "interest" && message["products"][0]["carted"] == wanted {
            return message;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_sets_the_list_and_a_moderator_may_only_feature() {
    let server = server().await;
    let (mut ada, mut host) = (
        Chatter::viewer(&server, "Ada").await,
        Chatter::host(&server).await,
    );
    let mut ines = moderator(&server, &mut host).await;
    for act in [list(&["a"]), json!({"do": "product", "product": product("a")})] {
        assert_eq!(ines.act(act.clone()).await["code"], "not_allowed");
        assert_eq!(ada.act(act).await["code"], "not_allowed");
    }
    host.acted(list(&["a", "b", "c", "d"])).await;
    let listed = ada.event("listed").await;
    assert_eq!(listed["products"][0]["title"], "Thing a");
    assert_eq!(
        listed["products"][0]["link"],
        format!("https://shop.example/a?{UTM}")
    );
    assert_eq!(ada.act(feature(&["a"])).await["code"], "not_allowed");
    ines.acted(feature(&["b", "a"])).await;
    let featured = ada.event("featured").await;
    assert_eq!(
        (&featured["products"], &featured["by"]),
        (&json!(["b", "a"]), &json!("Inès"))
    );
    for wrong in [feature(&["a", "b", "c", "d"]), feature(&["a", "a"])] {
        assert_eq!(ines.act(wrong).await["field"], "products");
    }
    assert_eq!(ines.act(feature(&["nothing"])).await["code"], "unknown");

    let logged = loop {
        let entry = host.event("logged").await["entry"].take();
        if entry["act"]["do"] == "feature" {
            break entry;
        }
    };
    assert_eq!(logged["whom"], "Thing b, Thing a");
    host.acted(json!({"do": "undo", "entry": logged["number"]})).await;
    assert_eq!(ada.event("featured").await["products"], json!([]), "taken back");
    let log = host.ask(json!({"type": "log"})).await;
    let list_act = log["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .find(|entry| entry["act"]["do"] == "products");
    assert_eq!(
        list_act.expect("it is in the log")["act"]["list"],
        json!([]),
        "without the list"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_list_keeps_what_is_featured_and_still_there() {
    let server = server().await;
    let (mut ada, mut host) = (
        Chatter::viewer(&server, "Ada").await,
        Chatter::host(&server).await,
    );
    host.acted(list(&["a", "b"])).await;
    host.acted(feature(&["a", "b"])).await;
    let mut changed = product("b");
    changed["stock"] = json!({"is": "sold_out"});
    host.acted(json!({"do": "product", "product": changed})).await;
    assert_eq!(
        ada.event("product_changed").await["product"]["stock"]["is"],
        "sold_out"
    );
    assert_eq!(
        host.act(json!({"do": "product", "product": product("z")})).await["code"],
        "unknown"
    );
    ada.event("listed").await;
    host.acted(list(&["c", "b"])).await;
    let listed = ada.event("listed").await;
    assert_eq!(listed["featured"], json!(["b"]));
    let snapshot = Chatter::viewer(&server, "Eve").await.welcome["snapshot"].take();
    assert_eq!(snapshot["featured"], json!(["b"]));
    let ids: Vec<&Value> = snapshot["products"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert_eq!(ids, ["c", "b"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_is_refused_by_its_field_and_ends_nothing() {
    let server = server().await;
    let mut host = Chatter::host(&server).await;
    let with = |field: &str, value: Value| {
        let mut product = product("a");
        product[field] = value;
        json!({"do": "products", "list": [product]})
    };
    for (act, field) in [
        (with("title", "x".repeat(121).into()), "products[0].title"),
        (with("note", "x".repeat(201).into()), "products[0].note"),
        (with("link", "javascript:alert(1)".into()), "products[0].link"),
        (with("link", "http://shop.example/".into()), "products[0].link"),
        (with("image", "0".repeat(64).into()), "products[0].image"),
        (
            with("price", json!({"minor": 1, "currency": "€", "digits": 2})),
            "products[0].price.currency",
        ),
        (list(&["a", "a"]), "products[1].id"),
    ] {
        let refused = host.act(act).await;
        assert_eq!(
            (&refused["code"], &refused["field"]),
            (&json!("out_of_range"), &json!(field))
        );
    }
    // These have no number that could be read: the answer has none either.
    for wrong in [
        with("price", json!({"minor": 12.5, "currency": "EUR", "digits": 2})),
        with("price", json!({"minor": -1, "currency": "EUR", "digits": 2})),
        with("colour", "red".into()),
        with("stock", json!({"is": "low"})),
    ] {
        let request = json!({"type": "moderate", "id": 900, "act": wrong});
        host.socket
            .send(Message::text(request.to_string()))
            .await
            .expect("sent");
        let answer = loop {
            let message = read(&mut host.socket).await.expect("the connection holds");
            if message["type"] == "refused" {
                break message;
            }
        };
        assert_eq!(answer["code"], "unreadable", "{wrong}");
    }
    host.acted(list(&["a"])).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_taken_from_who_shows_the_hosts_token_at_the_door() {
    let server = server().await;
    let many: Vec<Value> = (0..200)
        .map(|n| {
            let mut product = product(&format!("p{n}"));
            product["note"] = "é".repeat(200).into();
            product
        })
        .collect();
    let act = json!({"do": "products", "list": many});
    assert!(act.to_string().len() > 100_000, "more than others may send");
    let token = host_token(&server).await;
    let enter = async |authorization: Option<&str>| {
        let url = format!("ws://{}/chat/show", server.http_addr());
        let mut request = url.into_client_request().expect("a request");
        if let Some(value) = authorization {
            request
                .headers_mut()
                .insert("authorization", value.parse().expect("a header"));
        }
        let (mut socket, _) = tokio_tungstenite::connect_async(request)
            .await
            .expect("a WebSocket");
        let hello = json!({"type": "hello", "version": 1, "token": token});
        socket.send(Message::text(hello.to_string())).await.expect("sent");
        let welcome = read(&mut socket).await.expect("a welcome");
        Chatter {
            socket,
            welcome,
            waiting: Vec::new(),
            next_id: 1,
        }
    };
    for stranger in [None, Some("Bearer a.b.c")] {
        let mut other = enter(stranger).await;
        let request = json!({"type": "moderate", "id": 1, "act": act});
        // The server may have hung up before all of it is out.
        let _ = other.socket.send(Message::text(request.to_string())).await;
        other.ended().await;
    }
    let mut host = enter(Some(&format!("Bearer {token}"))).await;
    host.acted(act).await;
    let viewer = Chatter::viewer(&server, "Ada").await;
    assert_eq!(
        viewer.welcome["snapshot"]["products"].as_array().map(Vec::len),
        Some(200)
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_count_once_a_minute_and_are_told_to_the_crew_without_numbers() {
    early_in_a_minute().await;
    let server = server().await;
    let (mut ada, mut bob, mut host) = (
        Chatter::viewer(&server, "Ada").await,
        Chatter::viewer(&server, "Bob").await,
        Chatter::host(&server).await,
    );
    let mut ines = moderator(&server, &mut host).await;
    assert_eq!(ines.welcome["interest"], json!([]));
    assert!(ada.welcome.get("interest").is_none(), "viewers are not told");
    host.acted(list(&["a", "b"])).await;
    let before = Chatter::viewer(&server, "Eve").await.welcome["seq"].clone();
    let visit = |what: &str| json!({"type": "visited", "product": "a", "what": what});
    for what in ["carted", "carted", "opened"] {
        assert_eq!(ada.ask(visit(what)).await["result"], "counted");
    }
    assert_eq!(bob.ask(visit("carted")).await["result"], "counted");
    assert_eq!(
        host.ask(visit("carted")).await["result"],
        "counted",
        "answered, and not counted"
    );
    let unknown = ada
        .ask(json!({"type": "visited", "product": "z", "what": "opened"}))
        .await;
    assert_eq!(unknown["code"], "unknown");
    let told = carts(&mut ines, 2).await;
    assert_eq!(
        told["products"],
        json!([{"product": "a", "opened": 1, "carted": 2}])
    );
    let after = Chatter::viewer(&server, "Eve").await.welcome["seq"].clone();
    assert_eq!(before, after, "clicks take no numbers");

    assert_eq!(ada.ask(json!({"type": "figures"})).await["code"], "not_allowed");
    let figures = ines.ask(json!({"type": "figures", "from_ms": 0})).await;
    let rows = figures["figures"].as_array().expect("figures");
    let carted: u64 = rows.iter().filter_map(|row| row["carted"].as_u64()).sum();
    assert_eq!((carted, &figures["more"]), (2, &json!(false)));
    assert!(
        rows.iter()
            .all(|row| row["minute_ms"].as_u64().is_some_and(|at| at % 60_000 == 0))
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_clicks_make_few_words() {
    let server = server_with(|settings| settings.limits.chat_connections_per_address = 100).await;
    let mut host = Chatter::host(&server).await;
    host.acted(list(&["a"])).await;
    let mut viewers = Vec::new();
    for n in 0..40 {
        viewers.push(Chatter::viewer(&server, &format!("V{n}")).await);
    }
    for viewer in &mut viewers {
        viewer
            .ask(json!({"type": "visited", "product": "a", "what": "carted"}))
            .await;
    }
    let mut told = 0;
    loop {
        let message = read(&mut host.socket).await.expect("the connection holds");
        if message["type"] == "interest" {
            told += 1;
            if message["products"][0]["carted"] == 40 {
                break;
            }
        }
    }
    // Forty requests take far less than ten seconds, and a second has one word.
    assert!(told <= 10, "{told}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_returns_is_told_what_changed_and_a_restart_forgets_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rooms.db");
    let first = server_on(&file).await;
    let (mut ada, mut host) = (Chatter::viewer(&first, "Ada").await, Chatter::host(&first).await);
    host.acted(list(&["a", "b"])).await;
    let seq = ada.event("listed").await["seq"].clone();
    let token = ada.token();
    ada.ask(json!({"type": "visited", "product": "a", "what": "opened"}))
        .await;
    drop(ada);
    host.acted(list(&["a"])).await;
    host.acted(list(&["b", "a"])).await;
    host.acted(feature(&["a"])).await;
    let hello = json!({"type": "hello", "version": 1, "token": token, "last_seq": seq});
    let ada = Chatter::connect(first.http_addr(), hello).await;
    let events = ada.welcome["events"].as_array().expect("events");
    let kinds: Vec<&Value> = events.iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["listed", "featured"], "the newest list says it all");
    assert!(
        ada.welcome["now_ms"]
            .as_u64()
            .is_some_and(|now| now > 1_700_000_000_000)
    );
    first.stop().await;

    let second = server_on(&file).await;
    let mut host = Chatter::host(&second).await;
    let snapshot = &host.welcome["snapshot"];
    assert_eq!(snapshot["products"][1]["title"], "Thing a");
    assert_eq!(snapshot["featured"], json!(["a"]));
    assert_eq!(
        host.welcome["interest"],
        json!([{"product": "a", "opened": 1, "carted": 0}])
    );
    assert_eq!(
        host.ask(json!({"type": "figures"})).await["figures"][0]["opened"],
        1
    );
    second.stop().await;
}

async fn put(server: &Server, token: &str, body: impl Into<reqwest::Body>) -> Response {
    let url = format!("http://{}/api/rooms/show/images", server.http_addr());
    http()
        .put(url)
        .bearer_auth(token)
        .body(body)
        .send()
        .await
        .expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_the_hosts_to_put_and_everybodys_to_see() {
    let server = server().await;
    let token = host_token(&server).await;
    let viewer = Chatter::viewer(&server, "Ada").await.token();
    for other in [common::KEY, "", viewer.as_str()] {
        assert_eq!(put(&server, other, PNG).await.status(), StatusCode::UNAUTHORIZED);
    }
    let page = put(&server, &token, "<svg onload=alert(1)>").await;
    assert_eq!(page.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let mut large = PNG.to_vec();
    large.resize(1024 * 1024, 0);
    assert_eq!(put(&server, &token, large.clone()).await.status(), StatusCode::OK);
    large.push(0);
    assert_eq!(
        put(&server, &token, large).await.status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );

    let answer: Value = put(&server, &token, PNG).await.json().await.expect("JSON");
    let hash = answer["image"].as_str().expect("a hash");
    let url = |hash: &str| format!("http://{}/rooms/show/images/{hash}", server.http_addr());
    let shown = http().get(url(hash)).send().await.expect("an answer");
    let header = |name: &str| shown.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(shown.bytes().await.expect("a body"), PNG);
    for none in ["0".repeat(64).as_str(), "..%2f..%2fx", "x"] {
        assert_eq!(
            http().get(url(none)).send().await.expect("an answer").status(),
            StatusCode::NOT_FOUND
        );
    }
    let mut host = Chatter::host(&server).await;
    let mut with = product("a");
    with["image"] = hash.into();
    host.acted(json!({"do": "products", "list": [with]})).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_who_clicks_without_end_waits_in_the_network() {
    let server = server().await;
    let mut host = Chatter::host(&server).await;
    host.acted(list(&["a"])).await;
    let mut ada = Chatter::viewer(&server, "Ada").await;
    let began = tokio::time::Instant::now();
    for _ in 0..40 {
        ada.ask(json!({"type": "visited", "product": "a", "what": "opened"}))
            .await;
    }
    // Twenty at once, then ten a second.
    assert!(
        began.elapsed() > Duration::from_millis(1500),
        "{:?}",
        began.elapsed()
    );
    server.stop().await;
}
