//! What strangers send: garbage, forged STUN, floods, offers that lie. The show goes on.

mod common;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use common::client::{Client, Frame, Seen, http, post, prepare};
use common::{KEY, live_room, media, server_with, wait_state};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use str0m::media::Direction;
use streamcore::RoomState;

const SOON: Duration = Duration::from_secs(5);

/// Pictures that a viewer got whole, over a time.
fn pictures(viewer: &Client, time: Duration) -> usize {
    let whole = |seen: &&Seen| {
        matches!(
            seen,
            Seen::Frame(Frame {
                audio: false,
                contiguous: true,
                ..
            })
        )
    };
    viewer.collect(time).iter().filter(whole).count()
}

/// A binding request for a user fragment, with a MESSAGE-INTEGRITY that is not one.
fn forged_request(ufrag: &str, random: &mut StdRng) -> Vec<u8> {
    let username = format!("{ufrag}:evil");
    let mut attributes = Vec::new();
    let mut put = |kind: u16, value: &[u8]| {
        attributes.extend_from_slice(&kind.to_be_bytes());
        attributes.extend_from_slice(&(value.len() as u16).to_be_bytes());
        attributes.extend_from_slice(value);
        attributes.resize(attributes.len().next_multiple_of(4), 0);
    };
    put(0x0006, username.as_bytes());
    put(0x0024, &[0x6e, 0, 1, 0xff]);
    put(0x0025, &[]);
    put(0x802a, &[1; 8]);
    put(0x0008, &random.random::<[u8; 20]>());
    put(0x8028, &[0; 4]);
    let mut data = vec![0, 1];
    data.extend_from_slice(&(attributes.len() as u16).to_be_bytes());
    data.extend_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
    data.extend_from_slice(&random.random::<[u8; 12]>());
    data.extend_from_slice(&attributes);
    data
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_the_media_port_harms_nobody() {
    let (server, _feeder) = live_room("show", true).await;
    let viewer = Client::watch(server.http_addr(), "show").await;
    viewer.wait_frame(false, SOON);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback can be bound");
    let mut random = StdRng::seed_from_u64(7);
    for round in 0..20_000usize {
        let mut data = vec![0u8; random.random_range(0..400)];
        random.fill(&mut data[..]);
        // Half of it looks like something: STUN, DTLS, RTP, RTCP by its first bytes.
        if let Some(first) = data.first_mut().filter(|_| round % 2 == 0) {
            *first = [0, 1, 20, 22, 63, 128, 144, 191][round / 2 % 8];
        }
        let _ = socket.send_to(&data, server.media_addr());
    }
    assert!(
        pictures(&viewer, Duration::from_secs(2)) >= 50,
        "the viewer's picture goes on"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_requests_steal_no_session() {
    let (server, _feeder) = live_room("show", true).await;
    let viewer = Client::watch(server.http_addr(), "show").await;
    viewer.wait_frame(false, SOON);
    // The tag is the user fragment: an attacker who saw the answer knows it, but not the password.
    let ufrag = viewer.etag.trim_matches('"').to_owned();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback can be bound");
    socket
        .set_read_timeout(Some(Duration::from_millis(300)))
        .expect("a timeout can be set");
    let mut random = StdRng::seed_from_u64(8);
    for _ in 0..5000 {
        socket
            .send_to(&forged_request(&ufrag, &mut random), server.media_addr())
            .expect("sent");
    }
    let mut buffer = [0; 2000];
    let answer = socket.recv_from(&mut buffer).map(|(n, _)| buffer[..n].to_vec());
    let is_media = answer
        .as_ref()
        .is_ok_and(|data| data.first().is_some_and(|b| *b >= 128));
    assert!(!is_media, "no media goes to an address that proved nothing");
    assert!(
        pictures(&viewer, Duration::from_secs(2)) >= 50,
        "the owner keeps its session"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_requests_for_nobody_costs_little() {
    let (server, _feeder) = live_room("show", true).await;
    let viewer = Client::watch(server.http_addr(), "show").await;
    viewer.wait_frame(false, SOON);
    let (address, began) = (server.media_addr(), Instant::now());
    let flood = std::thread::spawn(move || {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback can be bound");
        let mut random = StdRng::seed_from_u64(9);
        let data = forged_request("nobody00", &mut random);
        let mut sent = 0u32;
        while began.elapsed() < Duration::from_secs(2) {
            for _ in 0..50 {
                let _ = socket.send_to(&data, address);
                sent += 1;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        sent
    });
    let seen = pictures(&viewer, Duration::from_secs(2));
    let sent = flood.join().expect("the flood ends");
    assert!(sent > 10_000, "it was a flood: {sent}");
    assert!(seen >= 50, "{seen} pictures in 2 s under a flood of {sent}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_that_lie_break_nothing() {
    // The limit on joins has a test of its own; here every offer is to be read.
    let server = server_with(|settings| settings.limits.joins_per_second = 10_000).await;
    let url = format!("http://{}/whip/show", server.http_addr());
    let good = prepare(Direction::SendOnly).offer;
    let mut random = StdRng::seed_from_u64(10);
    let mut codes = std::collections::BTreeMap::<u16, u32>::new();
    for round in 0..300 {
        let mut bad: Vec<u8> = good.clone().into_bytes();
        match round % 4 {
            0 => bad.truncate(random.random_range(0..bad.len())),
            1 => {
                for _ in 0..5 {
                    let at = random.random_range(0..bad.len());
                    bad[at] = random.random_range(32..127);
                }
            }
            2 => {
                let lines: Vec<&str> = good.lines().collect();
                let skip = random.random_range(0..lines.len());
                let kept = lines
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| *i != skip)
                    .map(|(_, l)| format!("{l}\r\n"));
                bad = kept.collect::<String>().into_bytes();
            }
            _ => {
                let line = good
                    .lines()
                    .nth(random.random_range(0..good.lines().count()))
                    .unwrap_or("");
                bad.extend(format!("{line}\r\n").repeat(50).into_bytes());
            }
        }
        let text = String::from_utf8_lossy(&bad).into_owned();
        let response = post(&url, Some(KEY), &text).await;
        let code = response.status().as_u16();
        *codes.entry(code).or_default() += 1;
        assert!([201, 400, 409, 422].contains(&code), "{code} for {text}");
        if let Some(location) = response.headers().get("location").and_then(|l| l.to_str().ok()) {
            let session = format!("http://{}{location}", server.http_addr());
            let gone = http().delete(session).bearer_auth(KEY).send().await;
            assert_eq!(gone.expect("the server answers").status(), 200);
        }
    }
    assert!(
        codes.get(&400).is_some_and(|n| *n > 20),
        "most were refused: {codes:?}"
    );
    let _publisher = Client::publish(server.http_addr(), "show", KEY, media::clip()).await;
    wait_state(&server, "show", RoomState::Live).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_is_text_and_a_name_cannot_leave_its_place() {
    let (server, _feeder) = live_room("show", true).await;
    for path in [
        "/watch/..%2f..%2fetc%2fpasswd",
        "/assets/..%2f..%2fCargo.toml",
        "/assets/%2e%2e/Cargo.toml",
    ] {
        let response = reqwest::get(format!("http://{}{path}", server.http_addr()))
            .await
            .expect("an answer");
        assert_eq!(response.status(), 404, "{path}");
    }
    let state = reqwest::get(format!("http://{}/api/rooms/show", server.http_addr()))
        .await
        .expect("an answer");
    assert_eq!(
        state.headers().get("content-type").and_then(|v| v.to_str().ok()),
        Some("application/json")
    );
    let text = state.text().await.expect("readable");
    assert!(
        text.contains("\"state\":\"live\"") && text.contains("\"title\":\"Tonight\""),
        "{text}"
    );
    server.stop().await;
}
