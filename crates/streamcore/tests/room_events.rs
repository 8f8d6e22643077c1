//! What the viewer page follows: the room as server-sent events, from before the show to after it.
#![allow(clippy::panic, reason = "the helpers of tests fail as tests do")]

mod common;

use std::time::{Duration, Instant};

use common::client::{Client, http};
use common::{feed, server, server_with};
use reqwest::{Response, StatusCode};
use streamcore::{RoomInfo, Server};

/// The event stream of a room, read event by event.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn open(server: &Server, name: &str) -> Self {
        let url = format!("http://{}/api/rooms/{name}/events", server.http_addr());
        let response = http().get(url).send().await.expect("the server answers");
        assert_eq!(response.status(), StatusCode::OK);
        let kind = response
            .headers()
            .get("content-type")
            .and_then(|v| v.to_str().ok());
        assert_eq!(kind, Some("text/event-stream"));
        Self {
            response,
            text: String::new(),
        }
    }

    /// The next view, or nothing when the stream has ended.
    async fn next(&mut self) -> Option<serde_json::Value> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event
                    .lines()
                    .find_map(|line| line.strip_prefix("data: "))
                    .map(str::to_owned);
                self.text = rest.to_owned();
                if let Some(data) = data {
                    return Some(serde_json::from_str(&data).expect("events are JSON"));
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(5), self.response.chunk());
            let bytes = chunk
                .await
                .expect("an event comes in time")
                .expect("the stream is sound")?;
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    async fn wait(&mut self, what: &str, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        loop {
            let view = self
                .next()
                .await
                .unwrap_or_else(|| panic!("the stream ended before {what}"));
            if wanted(&view) {
                return view;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_show_is_followed_from_before_it_begins() {
    let server = server().await;
    let mut stream = Stream::open(&server, "show").await;
    let first = stream.next().await.expect("the view comes at once");
    assert_eq!(first["state"], "starting_soon");
    assert_eq!(first["viewers"], 0);
    assert!(first.get("since_ms").is_none());

    let feeder = feed(&server, "show", true).await;
    let began = Instant::now();
    let live = stream.wait("live", |view| view["state"] == "live").await;
    assert!(
        began.elapsed() < Duration::from_millis(150),
        "a change of state is not held back"
    );
    assert_eq!(live["title"], "Tonight");
    assert!(live["since_ms"].as_u64().is_some_and(|ms| ms > 1_600_000_000_000));

    let viewer = Client::watch(server.http_addr(), "show").await;
    stream.wait("a viewer", |view| view["viewers"] == 1).await;
    assert_eq!(viewer.delete(None).await, 200);
    stream.wait("no viewer", |view| view["viewers"] == 0).await;

    server.rename(
        &common::room("show"),
        &RoomInfo {
            title: "Later".into(),
        },
    );
    stream
        .wait("the new title", |view| view["title"] == "Later")
        .await;
    drop(feeder.stop());
    stream
        .wait("the loss", |view| view["state"] == "starting_soon")
        .await;
    let feeder = feed(&server, "show", true).await;
    let again = stream.wait("the return", |view| view["state"] == "live").await;
    assert_eq!(again["since_ms"], live["since_ms"], "it is the same show");
    feeder.stop().end();
    stream.wait("the end", |view| view["state"] == "ended").await;

    server.stop().await;
    assert!(stream.next().await.is_none(), "a stopped server ends its streams");
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_beyond_the_number_come_back_later() {
    let server = server_with(|s| s.limits.event_streams = 1).await;
    let first = Stream::open(&server, "show").await;
    let url = format!("http://{}/api/rooms/show/events", server.http_addr());
    let second = http().get(&url).send().await.expect("the server answers");
    assert_eq!(second.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(second.headers().contains_key("retry-after"));
    drop(first);
    testkit::wait_until_async("the place is free again", Duration::from_secs(20), || {
        // The server notices a listener that left when it next writes to it.
        server.rename(
            &common::room("show"),
            &RoomInfo {
                title: format!("{:?}", Instant::now()),
            },
        );
        std::net::TcpStream::connect(server.http_addr()).is_ok_and(|stream| answers_200(stream, "show"))
    })
    .await
    .expect("a listener that leaves gives its place back");
    server.stop().await;
}

/// Whether the events of a room are to be had: the status line is enough.
fn answers_200(mut stream: std::net::TcpStream, name: &str) -> bool {
    use std::io::{Read, Write};
    let asked = write!(
        stream,
        "GET /api/rooms/{name}/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    );
    let mut status = [0; 12];
    asked.is_ok() && stream.read_exact(&mut status).is_ok() && &status == b"HTTP/1.1 200"
}
