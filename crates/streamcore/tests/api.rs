//! What a host's own backend asks of a room by HTTP, beside people in its chat.
#![allow(clippy::panic, reason = "the helpers of tests fail as tests do")]

mod common;

use common::chatter::{Chatter, host_token, server_on};
use common::client::http;
use common::{server, server_with};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use streamcore::Server;

/// Somebody who asks with a token.
struct Backend {
    base: String,
    token: String,
}

impl Backend {
    fn new(server: &Server, token: &str) -> Self {
        Self {
            base: format!("http://{}/api/rooms/show", server.http_addr()),
            token: token.to_owned(),
        }
    }

    async fn host(server: &Server) -> Self {
        Self::new(server, &host_token(server).await)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        http()
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path)).await
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    async fn act(&self, act: Value) -> (StatusCode, Value) {
        self.post("/acts", json!({"act": act, "reason": "a test"})).await
    }

    /// Says it, and returns its number.
    async fn said(&self, text: &str) -> u64 {
        let (status, body) = self.post("/messages", json!({"text": text})).await;
        assert_eq!(
            (status, &body["result"]),
            (StatusCode::CREATED, &json!("said")),
            "{body}"
        );
        body["seq"].as_u64().expect("a number")
    }
}

async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let text = response.text().await.expect("readable");
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    if !status.is_success() {
        assert_eq!(
            body["status"],
            status.as_u16(),
            "a problem says its status: {body}"
        );
        assert!(body["detail"].is_string() && body["code"].is_string(), "{body}");
    }
    (status, body)
}

fn texts(page: &Value) -> Vec<&str> {
    let messages = page["messages"].as_array().expect("messages");
    messages.iter().filter_map(|one| one["text"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_backend_says_all_hear_and_what_they_say_it_reads() {
    let server = server().await;
    let backend = Backend::host(&server).await;
    let mut ada = Chatter::viewer(&server, "Ada").await;
    backend.said("welcome to the show").await;
    let heard = ada.event("said").await;
    assert_eq!(
        heard["message"]["author"],
        json!({"id": "host", "name": "Maya", "role": "host"})
    );
    let question = ada.said("how much is it?").await;
    let (status, page) = backend.get("/messages?search=how").await;
    assert_eq!((status, texts(&page)), (StatusCode::OK, vec!["how much is it?"]));
    let (_, reply) = backend
        .post("/messages", json!({"text": "ten euros", "reply_to": question}))
        .await;
    let (status, one) = backend.get(&format!("/messages/{}", reply["seq"])).await;
    assert_eq!((status, &one["reply"]["name"]), (StatusCode::OK, &json!("Ada")));
    let (status, chat) = backend.get("/chat").await;
    assert_eq!((status, &chat["you"]["role"]), (StatusCode::OK, &json!("host")));
    assert_eq!(
        texts(&chat["snapshot"]),
        ["welcome to the show", "how much is it?", "ten euros"]
    );
    assert_eq!(chat["seq"], reply["seq"], "the last event");
}

#[tokio::test(flavor = "multi_thread")]
async fn history_comes_page_by_page_and_misses_nothing() {
    let server = server_with(|settings| settings.limits.api_requests_per_second = 1000).await;
    let backend = Backend::host(&server).await;
    for n in 0..25 {
        backend.said(&format!("message {n}")).await;
    }
    let mut all = Vec::new();
    let mut before = String::new();
    loop {
        let (status, page) = backend.get(&format!("/messages?limit=10{before}")).await;
        assert_eq!(status, StatusCode::OK);
        let mut texts: Vec<String> = texts(&page).into_iter().map(str::to_owned).collect();
        assert!(texts.len() <= 10);
        texts.append(&mut all);
        all = texts;
        if page["more"] == false {
            break;
        }
        before = format!("&before={}", page["messages"][0]["seq"]);
    }
    let wanted: Vec<String> = (0..25).map(|n| format!("message {n}")).collect();
    assert_eq!(all, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_moderates_and_its_acts_stand_in_the_log() {
    let server = server().await;
    let backend = Backend::host(&server).await;
    let mut troll = Chatter::viewer(&server, "Troll").await;
    let rude = troll.said("something rude").await;
    let deleted = answer(backend.request(Method::DELETE, &format!("/messages/{rude}?reason=rude"))).await;
    assert_eq!(deleted.0, StatusCode::NO_CONTENT);
    assert_eq!(troll.event("deleted").await["messages"], json!([rude]));
    assert_eq!(
        backend.get(&format!("/messages/{rude}")).await.0,
        StatusCode::NOT_FOUND
    );
    let again = answer(backend.request(Method::DELETE, &format!("/messages/{rude}"))).await;
    assert_eq!(again.0, StatusCode::NOT_FOUND);
    let (status, body) = backend
        .act(json!({"do": "time_out", "member": troll.id(), "seconds": 60}))
        .await;
    assert_eq!((status, &body["result"]), (StatusCode::OK, &json!("acted")));

    let as_troll = Backend::new(&server, &troll.token());
    let (status, body) = as_troll.post("/messages", json!({"text": "again"})).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::FORBIDDEN, &json!("timed_out"))
    );
    assert!(body["retry_after_ms"].as_u64().expect("a time") <= 60_000);
    let (_, chat) = as_troll.get("/chat").await;
    assert_eq!(chat["restriction"]["member"], troll.id());
    assert_eq!(
        chat["snapshot"]["restrictions"],
        json!([]),
        "others' are none of theirs"
    );
    for (method, path) in [
        (Method::GET, "/log"),
        (Method::GET, "/figures"),
        (Method::POST, "/acts"),
        (Method::DELETE, "/messages/1"),
    ] {
        let (status, body) = answer(as_troll.request(method, path)).await;
        assert_eq!(
            (status, &body["code"]),
            (StatusCode::FORBIDDEN, &json!("not_allowed")),
            "{path}"
        );
    }

    let (_, log) = backend.get("/log").await;
    let entries = log["entries"].as_array().expect("entries");
    let acts: Vec<_> = entries
        .iter()
        .map(|entry| (&entry["act"]["do"], &entry["reason"]))
        .collect();
    assert_eq!(
        acts,
        [
            (&json!("time_out"), &json!("a test")),
            (&json!("delete"), &json!("rude"))
        ]
    );
    let (_, older) = backend
        .get(&format!("/log?before={}", entries[0]["number"]))
        .await;
    assert_eq!(older["entries"].as_array().map(Vec::len), Some(1));

    let (_, invited) = backend.act(json!({"do": "invite", "name": "Mo"})).await;
    let mo = Backend::new(&server, invited["token"].as_str().expect("a token"));
    assert_eq!(
        mo.act(json!({"do": "lift", "member": troll.id()})).await.0,
        StatusCode::OK
    );
    let (status, _) = mo
        .act(json!({"do": "uninvite", "member": invited["member"]}))
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN, "the host's alone");
    backend
        .act(json!({"do": "uninvite", "member": invited["member"]}))
        .await;
    let (status, body) = mo.get("/log").await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::UNAUTHORIZED, &json!("token"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn products_and_what_viewers_did_with_them_are_to_be_read() {
    let server = server().await;
    let backend = Backend::host(&server).await;
    let mut ada = Chatter::viewer(&server, "Ada").await;
    let list: Vec<Value> = (0..200)
        .map(|n| {
            json!({
                "id": format!("p{n}"), "title": format!("Product {n}"), "note": "n".repeat(200),
                "link": format!("https://shop.example/p{n}?{}", "x".repeat(1000)),
                "price": {"minor": 100 + n, "currency": "EUR", "digits": 2}, "stock": {"is": "low", "left": 3}
            })
        })
        .collect();
    let (status, body) = backend.act(json!({"do": "products", "list": list})).await;
    assert_eq!(status, StatusCode::OK, "a host may send more than 64 KiB: {body}");
    backend.act(json!({"do": "feature", "products": ["p7"]})).await;
    ada.ask(json!({"type": "visited", "product": "p7", "what": "opened"}))
        .await;
    let (_, shelf) = backend.get("/products").await;
    assert_eq!(shelf["products"].as_array().map(Vec::len), Some(200));
    assert_eq!(shelf["featured"], json!(["p7"]));
    assert_eq!(
        shelf["interest"],
        json!([{"product": "p7", "opened": 1, "carted": 0}])
    );
    let (_, page) = backend.get("/figures").await;
    assert_eq!(
        (&page["figures"][0]["product"], &page["more"]),
        (&json!("p7"), &json!(false))
    );
    let later = page["figures"][0]["minute_ms"].as_u64().expect("a time") + 60_000;
    let (_, page) = backend.get(&format!("/figures?from_ms={later}")).await;
    assert_eq!(page["figures"], json!([]));
    let (_, shelf) = Backend::new(&server, &ada.token()).get("/products").await;
    assert!(shelf["interest"].is_null(), "for host and moderators");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_by_a_code() {
    let server = server_with(|settings| settings.limits.api_requests_per_second = 1000).await;
    let backend = Backend::host(&server).await;
    for (path, body, status, code) in [
        ("/messages", json!({"text": "  "}), 422, "empty"),
        ("/messages", json!({"text": "x".repeat(501)}), 422, "too_long"),
        ("/messages", json!({"text": 7}), 400, "unreadable"),
        (
            "/messages",
            json!({"text": "hi", "surprise": 1}),
            400,
            "unreadable",
        ),
        ("/messages", json!([]), 400, "unreadable"),
        ("/acts", json!({"act": {"do": "nothing"}}), 400, "unreadable"),
        (
            "/acts",
            json!({"act": {"do": "pin", "message": 99}}),
            404,
            "unknown",
        ),
        (
            "/acts",
            json!({"act": {"do": "undo", "entry": 99}}),
            409,
            "not_undoable",
        ),
        (
            "/acts",
            json!({"act": {"do": "feature", "products": ["a", "b", "c", "d"]}}),
            422,
            "out_of_range",
        ),
    ] {
        let (found, problem) = backend.post(path, body.clone()).await;
        assert_eq!(
            (found.as_u16(), &problem["code"]),
            (status, &json!(code)),
            "{path} {body}: {problem}"
        );
    }
    for (path, status, code) in [
        ("/messages?before=x", 400, "unreadable"),
        ("/messages?limit=0", 400, "unreadable"),
        ("/messages?limit=101", 400, "unreadable"),
        ("/messages/x", 404, "unknown"),
        ("/messages/9007199254740992", 404, "unknown"),
    ] {
        let (found, problem) = backend.get(path).await;
        assert_eq!(
            (found.as_u16(), &problem["code"]),
            (status, &json!(code)),
            "{path}: {problem}"
        );
    }
    let text = backend
        .request(Method::POST, "/messages")
        .body("{\"text\":\"hi\"}");
    assert_eq!(answer(text).await.1["code"], "media_type");
    let cut = backend
        .request(Method::POST, "/messages")
        .header("content-type", "application/json")
        .body("{\"text\":");
    assert_eq!(answer(cut).await.1["code"], "unreadable");
    let large = backend
        .request(Method::POST, "/messages")
        .json(&json!({"text": "x".repeat(1_100_000)}));
    assert_eq!(answer(large).await.1["code"], "too_large");
    let viewer = Chatter::viewer(&server, "Ada").await;
    let viewer = Backend::new(&server, &viewer.token());
    let (status, problem) = viewer
        .post("/messages", json!({"text": "x".repeat(70_000)}))
        .await;
    assert_eq!((status.as_u16(), &problem["code"]), (413, &json!("too_large")));

    for token in ["forged", "", &"x".repeat(5000)] {
        let response = Backend::new(&server, token)
            .request(Method::GET, "/chat")
            .send()
            .await;
        let response = response.expect("an answer");
        assert_eq!(response.status(), 401);
        assert!(response.headers().contains_key("www-authenticate"));
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
    let elsewhere = format!("http://{}/api/rooms/elsewhere/chat", server.http_addr());
    let (status, _) = answer(http().get(elsewhere).bearer_auth(&backend.token)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "a token is of one room");
    let nowhere = format!("http://{}/api/rooms/no%20room/chat", server.http_addr());
    let (status, _) = answer(http().get(nowhere).bearer_auth(&backend.token)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_has_a_pace_and_viewers_of_one_address_share_theirs() {
    let server = server().await;
    let backend = Backend::host(&server).await;
    let (ada, bea) = (
        Chatter::viewer(&server, "Ada").await,
        Chatter::viewer(&server, "Bea").await,
    );
    let (ada, bea) = (
        Backend::new(&server, &ada.token()),
        Backend::new(&server, &bea.token()),
    );
    let mut refused = None;
    for _ in 0..60 {
        let response = ada.request(Method::GET, "/chat").send().await.expect("an answer");
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(response);
            break;
        }
    }
    let refused = refused.expect("sixty requests at once are too many");
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(refused.json::<Value>().await.expect("JSON")["code"], "too_fast");
    assert_eq!(
        bea.get("/chat").await.0,
        StatusCode::TOO_MANY_REQUESTS,
        "the same address"
    );
    assert_eq!(backend.get("/chat").await.0, StatusCode::OK, "the host by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_holds_by_http_too_and_so_does_what_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rooms.db");
    let server = server_on(&path).await;
    let backend = Backend::host(&server).await;
    let mut troll = Chatter::viewer(&server, "Troll").await;
    troll.said("something rude").await;
    backend.said("kept").await;
    let (status, _) = backend.act(json!({"do": "ban", "member": troll.id()})).await;
    assert_eq!(status, StatusCode::OK);
    let (status, body) = Backend::new(&server, &troll.token())
        .post("/messages", json!({"text": "me"}))
        .await;
    assert_eq!((status, &body["code"]), (StatusCode::FORBIDDEN, &json!("banned")));
    let (token, id) = (backend.token.clone(), troll.token());
    server.stop().await;
    let server = server_on(&path).await;
    let (_, page) = Backend::new(&server, &token).get("/messages").await;
    assert_eq!(texts(&page), ["something rude", "kept"]);
    let (status, _) = Backend::new(&server, &id)
        .post("/messages", json!({"text": "me"}))
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_describes_what_it_answers() {
    let server = server().await;
    let base = format!("http://{}", server.http_addr());
    let (status, health) = answer(http().get(format!("{base}/api/health"))).await;
    assert_eq!(
        (status, &health["version"]),
        (StatusCode::OK, &json!(env!("CARGO_PKG_VERSION")))
    );
    let (status, api) = answer(http().get(format!("{base}/openapi.json"))).await;
    assert_eq!((status, &api["openapi"]), (StatusCode::OK, &json!("3.1.0")));
    let paths = api["paths"].as_object().expect("paths");
    for (path, methods) in paths {
        let address = path
            .replace("{room}", "show")
            .replace("{seq}", "1")
            .replace("{hash}", "0");
        for method in methods.as_object().expect("methods").keys() {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let response = http()
                .request(method.clone(), format!("{base}{address}"))
                .send()
                .await;
            let response = response.expect("an answer");
            assert_ne!(
                response.status(),
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
            let known = methods[method.as_str().to_lowercase()]["responses"]
                .get(response.status().as_str())
                .is_some();
            assert!(known, "{method} {path} answers {}", response.status());
        }
    }
    assert_eq!(paths.len(), 12, "{:?}", paths.keys());
}
