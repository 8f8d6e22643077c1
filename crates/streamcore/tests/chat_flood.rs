//! Two hundred strangers against one room of the real program: ten thousand messages a second, garbage among them, while
//! a show is on air and two people talk. What must hold is asserted; how fast it went is printed.
#![allow(clippy::panic, reason = "the helpers of tests fail as tests do")]
#![allow(clippy::print_stdout, reason = "the figures are for whoever runs it")]

mod common;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::chatter::{Chatter, host_token_at};
use common::client::{Client, Frame, Seen, http};
use common::{KEY, media};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use testkit::Process;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;

const STRANGERS: usize = 200;
/// Each stranger's messages a second: together ten thousand, with some to spare for those who are thrown out and come
/// back.
const EACH: u32 = 60;
const TICK: Duration = Duration::from_millis(100);
const TOKEN_KEY: &str = "the tokens' key of this test, long enough";
const SOON: Duration = Duration::from_secs(30);
/// What the room may hold more at its worst: queues and history, never what strangers send.
const MOST_MORE_KIB: u64 = 128 * 1024;
/// Ticks of a picture at 30 frames a second.
const PICTURE: u64 = 3000;

/// How a stranger is a nuisance.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Says what may be said, too fast.
    Loud,
    /// What is no JSON, or not of this protocol.
    Malformed,
    /// More bytes than a message may have.
    Oversized,
    /// Speaks before hello, or says hello twice.
    OutOfOrder,
    /// Tokens of somebody else's making, and of ours that are over.
    Forged,
}

impl Kind {
    fn of(n: usize) -> Self {
        match n % 10 {
            0 => Self::Malformed,
            1 if n % 20 == 1 => Self::Oversized,
            1 => Self::OutOfOrder,
            2 => Self::Forged,
            _ => Self::Loud,
        }
    }
}

/// What became of a stranger.
#[derive(Debug, Default)]
struct Outcome {
    sent: u64,
    /// Numbers of messages that the server took.
    taken: Vec<u64>,
    refused: u64,
    welcomes: u64,
    /// How often it came.
    connections: u64,
    time: Duration,
}

fn token(exp: u64, key: &str) -> String {
    let claims = json!({"iss": "streamcore", "aud": "show", "sub": "host", "name": "Maya", "role": "host", "exp": exp});
    jsonwebtoken::encode(
        &jsonwebtoken::Header::default(),
        &claims,
        &jsonwebtoken::EncodingKey::from_secret(key.as_bytes()),
    )
    .expect("signed")
}

/// What is sent first, if anything, and then over and over.
fn words(kind: Kind, n: usize) -> (Option<String>, Vec<String>) {
    let hello = json!({"type": "hello", "version": 1, "name": format!("Stranger {n}")}).to_string();
    let say = json!({"type": "say", "id": 1, "text": format!("buy from {n}")}).to_string();
    match kind {
        Kind::Loud => (Some(hello), vec![say]),
        Kind::Malformed => (
            Some(hello),
            vec![
                "{\"type\":\"say\",".to_owned(),
                json!({"type": "say", "id": 1, "text": "x", "role": "host"}).to_string(),
                json!({"type": "say", "id": -1, "text": ["x"]}).to_string(),
                json!({"type": "moderate", "id": 1, "act": {"do": "clear"}}).to_string(),
                "[".repeat(2000),
            ],
        ),
        Kind::Oversized => {
            let long = json!({"type": "say", "id": 1, "text": "x".repeat(100 * 1024)});
            (Some(hello), vec![say, long.to_string()])
        }
        Kind::OutOfOrder if (n / 20).is_multiple_of(2) => (None, vec![say, hello]),
        Kind::OutOfOrder => (Some(hello.clone()), vec![hello]),
        Kind::Forged => {
            let forged = [
                token(4_000_000_000, "some other key of 32 characters or more"),
                token(1_500_000_000, TOKEN_KEY),
                "a.b.c".to_owned(),
            ];
            let forged = &forged[n / 10 % 3];
            let hello = json!({"type": "hello", "version": 1, "token": forged}).to_string();
            (Some(hello), vec![say])
        }
    }
}

/// Sends without regard for anything until told to stop, and comes back whenever it is thrown out.
async fn be_a_nuisance(address: SocketAddr, n: usize, mut stop: watch::Receiver<bool>) -> Outcome {
    let url = format!("ws://{address}/chat/show");
    let (first, next) = words(Kind::of(n), n);
    let heard = Arc::new(Mutex::new(Outcome::default()));
    let (mut sent, mut connections) = (0, 0);
    let began = Instant::now();
    let mut tick = tokio::time::interval(TICK);
    while !*stop.borrow() {
        tick.tick().await;
        let Ok((socket, _)) = tokio_tungstenite::connect_async(&url).await else {
            continue;
        };
        connections += 1;
        let (mut out, mut back) = socket.split();
        // What is answered must be read, or the server waits for us.
        let answers = Arc::clone(&heard);
        let reader = tokio::spawn(async move {
            while let Some(Ok(message)) = back.next().await {
                let Message::Text(text) = message else { continue };
                if text.starts_with(r#"{"type":"events""#) {
                    continue;
                }
                let answer: Value = serde_json::from_str(&text).expect("the server speaks JSON");
                let mut heard = answers.lock().expect("nobody panics with it");
                match answer["type"].as_str() {
                    Some("done") => heard.taken.extend(answer["seq"].as_u64()),
                    Some("refused") => heard.refused += 1,
                    Some("welcome") => heard.welcomes += 1,
                    _ => {}
                }
            }
        });
        let mut due = first.iter().chain(next.iter().cycle());
        'connected: loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                _ = tick.tick() => {}
            }
            for text in due.by_ref().take((EACH / 10) as usize) {
                let gone = tokio::select! {
                    done = out.send(Message::text(text.clone())) => done.is_err(),
                    _ = stop.wait_for(|stop| *stop) => break 'connected,
                };
                if gone {
                    break 'connected;
                }
                sent += 1;
            }
        }
        // Nobody waits for the answers to all that is still in the pipe: it is more than a minute's worth.
        reader.abort();
    }
    let mut outcome = std::mem::take(&mut *heard.lock().expect("nobody panics with it"));
    (outcome.sent, outcome.connections) = (sent, connections);
    outcome.time = began.elapsed();
    outcome
}

/// The most memory that the process has ever held, in KiB, as Linux counts it.
fn peak_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// What a viewer saw of the picture.
struct Picture {
    frames: u64,
    missing: u64,
    /// Longest time between two frames.
    longest_gap: Duration,
    /// How much later than its own time the latest frame came, against the earliest.
    latest: Duration,
}

impl Picture {
    fn figures(&self) -> String {
        let Self {
            frames,
            missing,
            longest_gap,
            latest,
        } = self;
        format!("{frames} frames, {missing} missing, longest gap {longest_gap:.1?}, latest by {latest:.1?}")
    }
}

fn picture(seen: &[Seen]) -> Picture {
    let frames: Vec<&Frame> = seen
        .iter()
        .filter_map(|seen| match seen {
            Seen::Frame(frame) if !frame.audio => Some(frame),
            _ => None,
        })
        .collect();
    let (first, last) = match (frames.first(), frames.last()) {
        (Some(first), Some(last)) => (*first, *last),
        _ => panic!("the viewer saw no picture"),
    };
    let due = |frame: &Frame| Duration::from_secs_f64((frame.rtp_time - first.rtp_time) as f64 / 90_000.0);
    // Against the one that came earliest, since the first may itself have been late.
    let late = |frame: &&Frame| (frame.at - first.at).as_secs_f64() - due(frame).as_secs_f64();
    let earliest = frames.iter().map(late).fold(0.0, f64::min);
    let latest = frames.iter().map(late).fold(0.0, f64::max);
    Picture {
        frames: frames.len() as u64,
        missing: ((last.rtp_time - first.rtp_time) / PICTURE + 1).saturating_sub(frames.len() as u64),
        longest_gap: frames
            .windows(2)
            .map(|two| two[1].at - two[0].at)
            .max()
            .unwrap_or_default(),
        latest: Duration::from_secs_f64(latest - earliest),
    }
}

/// All that the room keeps, by number.
async fn all_kept(host: &mut Chatter) -> HashSet<u64> {
    let mut kept = HashSet::new();
    let mut before = 9_000_000_u64;
    loop {
        let page = host.ask(json!({"type": "history", "before": before})).await;
        let messages = page["messages"].as_array().expect("messages");
        let numbers: Vec<u64> = messages
            .iter()
            .filter_map(|message| message["seq"].as_u64())
            .collect();
        before = numbers.first().copied().unwrap_or_default();
        kept.extend(numbers);
        if page["more"] != true {
            return kept;
        }
    }
}

fn sorted(mut delays: Vec<Duration>) -> Vec<Duration> {
    delays.sort_unstable();
    delays
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_strangers_neither_stop_the_talk_nor_the_show() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut program = Process::start(
        Command::new(env!("CARGO_BIN_EXE_streamcore"))
            .args(["serve", "--http", "127.0.0.1:0", "--media", "127.0.0.1:0"])
            .args([
                "--publish-key-env",
                "FLOOD_KEY",
                "--token-key-env",
                "FLOOD_TOKEN_KEY",
            ])
            // They come from two hundred addresses in life, and from one here.
            .args([
                "--chat-connections-per-address",
                "1000",
                "--chat-joins-per-second",
                "1000",
            ])
            .arg("--database")
            .arg(folder.path().join("rooms.db"))
            .env("FLOOD_KEY", KEY)
            .env("FLOOD_TOKEN_KEY", TOKEN_KEY),
    )
    .expect("the program starts");
    let line = program.wait_for_line(SOON, |line| line.starts_with("http "));
    let line = line.expect("it says where it listens");
    let address = line.rsplit('/').next().and_then(|address| address.parse().ok());
    let address: SocketAddr = address.expect("an address");

    let _publisher = Client::publish(address, "show", KEY, media::clip()).await;
    let until = Instant::now() + SOON;
    loop {
        let view = http()
            .get(format!("http://{address}/api/rooms/show"))
            .send()
            .await;
        let view: Value = view.expect("an answer").json().await.expect("JSON");
        if view["state"] == "live" {
            break;
        }
        assert!(Instant::now() < until, "the show was to be live: {view}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let viewer = Client::watch(address, "show").await;
    viewer.wait_frame(false, SOON);
    // The first pictures come from the cache, with stamps of their own.
    viewer.collect(Duration::from_secs(1));
    let hello = |name: &str| json!({"type": "hello", "version": 1, "name": name});
    let mut ada = Chatter::connect(address, hello("Ada")).await;
    let mut bob = Chatter::connect(address, hello("Bob")).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let calm = picture(&viewer.collect(Duration::ZERO));
    let before = peak_kib(program.pid());

    let (stop, stopped) = watch::channel(false);
    let began = Instant::now();
    let strangers: Vec<_> = (0..STRANGERS)
        .map(|n| tokio::spawn(be_a_nuisance(address, n, stopped.clone())))
        .collect();
    // Bob notes when he hears what Ada says.
    let hears = tokio::spawn(async move {
        let mut at = Vec::new();
        while at.len() < 10 {
            let event = bob.event("said").await;
            let text = event["message"]["text"].as_str().unwrap_or_default();
            if text == format!("honest {}", at.len()) {
                at.push(Instant::now());
            }
        }
        at
    });
    let mut said = Vec::new();
    let mut honest = Vec::new();
    for n in 0..10 {
        tokio::time::sleep(Duration::from_millis(800)).await;
        said.push(Instant::now());
        honest.push(ada.said(&format!("honest {n}")).await);
    }
    let heard = hears.await.expect("Bob hears all of it");
    stop.send_replace(true);
    let flood = began.elapsed();
    let during = picture(&viewer.collect(Duration::ZERO));
    let mut outcomes = Vec::new();
    for (n, stranger) in strangers.into_iter().enumerate() {
        outcomes.push((Kind::of(n), stranger.await.expect("a stranger ends")));
    }
    let after = peak_kib(program.pid());

    let delays = sorted(
        heard
            .iter()
            .zip(&said)
            .map(|(heard, said)| *heard - *said)
            .collect(),
    );
    let sum = |count: fn(&Outcome) -> u64| outcomes.iter().map(|(_, one)| count(one)).sum::<u64>();
    let (sent, refused, came) = (
        sum(|one| one.sent),
        sum(|one| one.refused),
        sum(|one| one.connections),
    );
    let taken = sum(|one| one.taken.len() as u64);
    println!(
        "{sent} messages in {flood:.1?} ({:.0} a second), {taken} taken, {refused} refused, {came} connections",
        sent as f64 / flood.as_secs_f64()
    );
    println!(
        "honest delay: median {:.1?}, longest {:.1?}",
        delays[5], delays[9]
    );
    println!("picture when calm: {}", calm.figures());
    println!("picture in the flood: {}", during.figures());
    println!("memory at most: {before:?} KiB before, {after:?} KiB after");

    for (n, (kind, one)) in outcomes.iter().enumerate() {
        let most = 5.0 + 3.0 * one.time.as_secs_f64();
        match kind {
            // Each of its connections is somebody new, unless it was never thrown out.
            Kind::Loud if one.connections == 1 => {
                assert!(
                    one.taken.len() as f64 <= most,
                    "stranger {n} said more than it may"
                );
            }
            Kind::Malformed | Kind::Forged => {
                assert!(
                    one.taken.is_empty(),
                    "stranger {n}, {kind:?}, was taken at its word"
                );
            }
            _ => {}
        }
        assert!(
            *kind != Kind::Forged || one.welcomes == 0,
            "a forged token let stranger {n} in"
        );
    }
    assert!(taken > 0 && refused > 0, "it was a flood");
    let mut host = Chatter::connect(
        address,
        json!({"type": "hello", "version": 1, "token": host_token_at(address).await}),
    )
    .await;
    let kept = all_kept(&mut host).await;
    let acknowledged = outcomes.iter().flat_map(|(_, one)| &one.taken).chain(&honest);
    for seq in acknowledged {
        assert!(kept.contains(seq), "{seq} was acknowledged and is not there");
    }
    if let (Some(before), Some(after)) = (before, after) {
        assert!(after - before < MOST_MORE_KIB, "{before} KiB became {after} KiB");
    }
    // A machine that has no time for the viewer loses it a packet here and there; a stalled server loses it the show.
    assert!(during.missing * 20 <= during.frames, "{}", during.figures());
    assert!(program.running(), "the server lives");
    Chatter::connect(address, hello("Eve"))
        .await
        .said("who is here?")
        .await;
    program.terminate().expect("it can be asked to end");
    assert!(
        program.wait_exit(SOON).expect("it ends").success(),
        "it ends as asked"
    );
}
