//! What the tests of this crate share: encoded media, a publisher that feeds it in real time, and a WebRTC
//! client that counts what it gets.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::panic, reason = "a test helper fails by panicking")]

pub mod chatter;
pub mod client;
pub mod media;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use streamcore::{AccessUnit, LocalPublisher, OpusPacket, RoomId, RoomInfo, RoomState, Server, Settings};

pub const KEY: &str = "a key that only the tests know";

/// A server on free ports of loopback, with a publish key.
pub async fn server() -> Server {
    server_with(|_| {}).await
}

pub async fn server_with(change: impl FnOnce(&mut Settings)) -> Server {
    let mut settings = Settings {
        media: "127.0.0.1:0".parse().expect("valid"),
        publish_key: Some(SecretString::from(KEY)),
        ..Settings::default()
    };
    change(&mut settings);
    Server::start(settings)
        .await
        .expect("free ports of loopback can be had")
}

pub fn room(name: &str) -> RoomId {
    name.parse().expect("the test's room name is valid")
}

/// Waits until a room is in a state.
pub async fn wait_state(server: &Server, name: &str, state: RoomState) {
    testkit::wait_until_async("the room's state", Duration::from_secs(5), || {
        server.room(&room(name)).state == state
    })
    .await
    .expect("the room gets there");
}

/// Waits until a room has so many viewers.
pub async fn wait_viewers(server: &Server, name: &str, viewers: u32, within: Duration) {
    testkit::wait_until_async("the number of viewers", within, || {
        server.room(&room(name)).viewers == viewers
    })
    .await
    .expect("the viewers are counted");
}

/// A server, and a room on it that is live from this process.
pub async fn live_room(name: &str, answers: bool) -> (Server, Feeder) {
    let server = server().await;
    let feeder = feed(&server, name, answers).await;
    (server, feeder)
}

/// Makes a room live from this process.
pub async fn feed(server: &Server, name: &str, answers: bool) -> Feeder {
    let publisher = server
        .publish(
            room(name),
            RoomInfo {
                title: "Tonight".into(),
            },
        )
        .expect("a free room");
    let feeder = Feeder::start(publisher, media::clip(), answers);
    wait_state(server, name, RoomState::Live).await;
    feeder
}

/// Feeds a clip in real time, over and over, from a thread of its own, as an encoder would.
pub struct Feeder {
    stop: Arc<AtomicBool>,
    wants_keyframe: Arc<AtomicU32>,
    thread: Option<JoinHandle<LocalPublisher>>,
}

impl Feeder {
    /// With `answers`, a request brings the clip back to its keyframe, as a forced keyframe of an encoder.
    pub fn start(publisher: LocalPublisher, clip: Arc<media::Clip>, answers: bool) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let wants_keyframe = Arc::new(AtomicU32::new(0));
        let (stopped, wants) = (Arc::clone(&stop), Arc::clone(&wants_keyframe));
        publisher.on_keyframe_request({
            let wants = Arc::clone(&wants);
            move || {
                wants.fetch_add(1, Ordering::SeqCst);
            }
        });
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            let (mut picture, mut frame, mut sound, mut seen) = (0usize, 0u32, 0u32, 0u32);
            while !stopped.load(Ordering::SeqCst) {
                let wanted = wants.load(Ordering::SeqCst);
                if answers && wanted != seen {
                    seen = wanted;
                    picture = 0;
                }
                let video_at = clip.frame_duration * frame;
                let audio_at = media::OPUS_FRAME * sound;
                let at = video_at.min(audio_at);
                std::thread::sleep(at.saturating_sub(began.elapsed()));
                if video_at <= audio_at {
                    let unit = &clip.video[picture % clip.video.len()];
                    let fed = publisher.video(AccessUnit {
                        data: unit.data.clone(),
                        pts: video_at + Duration::from_secs(1000),
                        keyframe: unit.keyframe,
                    });
                    if fed.is_err() {
                        break;
                    }
                    picture += 1;
                    frame += 1;
                } else {
                    let data = clip.audio[sound as usize % clip.audio.len()].clone();
                    let pts = audio_at + Duration::from_secs(1000);
                    if publisher
                        .audio(OpusPacket {
                            data,
                            pts,
                            duration: media::OPUS_FRAME,
                        })
                        .is_err()
                    {
                        break;
                    }
                    sound += 1;
                }
            }
            publisher
        });
        Self {
            stop,
            wants_keyframe,
            thread: Some(thread),
        }
    }

    pub fn keyframe_requests(&self) -> u32 {
        self.wants_keyframe.load(Ordering::SeqCst)
    }

    /// Stops feeding and gives the publisher back.
    pub fn stop(mut self) -> LocalPublisher {
        self.stop.store(true, Ordering::SeqCst);
        self.thread
            .take()
            .expect("stopped once")
            .join()
            .expect("the feeder does not panic")
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
