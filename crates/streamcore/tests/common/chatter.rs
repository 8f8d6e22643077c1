//! Somebody in a room's chat, over a real WebSocket.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use streamcore::Server;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::client::http;
use super::{KEY, server_with};

pub const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Somebody in the chat.
pub struct Chatter {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub welcome: Value,
    /// Events that have come and were not asked for yet.
    pub waiting: Vec<Value>,
    pub next_id: u32,
}

impl Chatter {
    pub async fn connect(address: SocketAddr, hello: Value) -> Self {
        let (welcome, socket) = Self::knock(address, hello).await;
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        Self {
            socket,
            welcome,
            waiting: Vec::new(),
            next_id: 1,
        }
    }

    pub async fn viewer(server: &Server, name: &str) -> Self {
        Self::connect(
            server.http_addr(),
            json!({"type": "hello", "version": 1, "name": name}),
        )
        .await
    }

    pub async fn with_token(server: &Server, token: &str) -> Self {
        Self::connect(
            server.http_addr(),
            json!({"type": "hello", "version": 1, "token": token}),
        )
        .await
    }

    pub async fn host(server: &Server) -> Self {
        Self::with_token(server, &host_token(server).await).await
    }

    /// Says hello and returns the first answer.
    pub async fn knock(
        address: SocketAddr,
        hello: Value,
    ) -> (Value, WebSocketStream<MaybeTlsStream<TcpStream>>) {
        let url = format!("ws://{address}/chat/show");
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.expect("a WebSocket");
        socket.send(Message::text(hello.to_string())).await.expect("sent");
        let answer = read(&mut socket).await.expect("an answer to hello");
        (answer, socket)
    }

    pub fn token(&self) -> String {
        self.welcome["you"]["token"].as_str().expect("a token").to_owned()
    }

    pub fn id(&self) -> String {
        self.welcome["you"]["id"].as_str().expect("a number").to_owned()
    }

    /// Asks, and returns the answer; events that come first are put by.
    pub async fn ask(&mut self, mut request: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        request["id"] = id.into();
        self.socket
            .send(Message::text(request.to_string()))
            .await
            .expect("sent");
        loop {
            let answer = read(&mut self.socket).await.expect("an answer");
            if answer["id"] == id {
                return answer;
            }
            self.put_by(&answer);
        }
    }

    pub fn put_by(&mut self, message: &Value) {
        if let Some(events) = message["events"].as_array() {
            self.waiting.extend(events.iter().cloned());
        }
    }

    pub async fn say(&mut self, text: &str) -> Value {
        self.ask(json!({"type": "say", "text": text})).await
    }

    /// Says it and returns its number.
    pub async fn said(&mut self, text: &str) -> u64 {
        let answer = self.say(text).await;
        assert_eq!(answer["result"], "said", "{answer}");
        answer["seq"].as_u64().expect("a number")
    }

    pub async fn act(&mut self, act: Value) -> Value {
        self.ask(json!({"type": "moderate", "act": act})).await
    }

    pub async fn acted(&mut self, act: Value) -> Value {
        let answer = self.act(act.clone()).await;
        assert_eq!(answer["type"], "done", "{act}: {answer}");
        answer
    }

    /// The next event of this kind.
    pub async fn event(&mut self, kind: &str) -> Value {
        loop {
            if let Some(at) = self.waiting.iter().position(|event| event["kind"] == kind) {
                return self.waiting.remove(at);
            }
            let message = read(&mut self.socket)
                .await
                .unwrap_or_else(|| panic!("the connection ended before {kind} came"));
            self.put_by(&message);
        }
    }

    /// Everything that was said, as it comes, until `last`.
    pub async fn hear_until(&mut self, last: &str) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            let event = self.event("said").await;
            let text = event["message"]["text"].as_str().expect("text").to_owned();
            heard.push(text.clone());
            if text == last {
                return heard;
            }
        }
    }

    /// Waits for the end of the connection.
    pub async fn ended(&mut self) {
        while read(&mut self.socket).await.is_some() {}
    }

    pub fn texts(&self) -> Vec<&str> {
        let messages = self.welcome["snapshot"]["messages"].as_array();
        let messages = messages.map(Vec::as_slice).unwrap_or_default();
        messages
            .iter()
            .filter_map(|message| message["text"].as_str())
            .collect()
    }
}

pub async fn read(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> Option<Value> {
    loop {
        let next = tokio::time::timeout(ANSWER_WITHIN, socket.next());
        match next.await.expect("something comes in time") {
            Some(Ok(Message::Text(text))) => {
                return Some(serde_json::from_str(&text).expect("JSON"));
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            _ => return None,
        }
    }
}

pub async fn server_on(database: &Path) -> Server {
    let database = database.to_owned();
    server_with(|settings| {
        settings.database = Some(database);
        settings.token_key = Some("a key for the tests of 32 letters".to_owned().into());
    })
    .await
}

/// The token of the room's host.
pub async fn host_token(server: &Server) -> String {
    host_token_at(server.http_addr()).await
}

pub async fn host_token_at(address: SocketAddr) -> String {
    let url = format!("http://{address}/api/rooms/show/host");
    let response = http()
        .post(url)
        .bearer_auth(KEY)
        .json(&json!({"name": "Maya"}))
        .send()
        .await
        .expect("the server answers");
    assert_eq!(response.status(), 200);
    let token: Value = response.json().await.expect("JSON");
    token["token"].as_str().expect("a token").to_owned()
}
