//! A show for the tests of the viewer page: encodes a file with ffmpeg and publishes it in process, in real
//! time, over and over. Prints its addresses as one JSON line, then takes orders, one a line, from standard
//! input: `publish`, `drop` (the publisher is lost), `end` (the show is over), `quit`.
//!
//! ```text
//! feed FILE ROOM TITLE [HTTP [MEDIA]]
//! ```
//! `flash` as FILE is a clip that flashes and beeps together once a second.
#![allow(clippy::print_stdout, reason = "an example speaks to whoever started it")]

#[path = "../tests/common/media.rs"]
mod media;

use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use streamcore::{AccessUnit, LocalPublisher, OpusPacket, RoomId, RoomInfo, Server, Settings};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, room, title, addresses @ ..] = &arguments[..] else {
        anyhow::bail!("usage: feed FILE ROOM TITLE [HTTP [MEDIA]]");
    };
    let room: RoomId = room.parse()?;
    let mut settings = Settings {
        media: "127.0.0.1:0".parse()?,
        ..Settings::default()
    };
    if let Some(http) = addresses.first() {
        settings.http = http.parse()?;
    }
    if let Some(media) = addresses.get(1) {
        settings.media = media.parse()?;
    }
    let folder = tempfile::tempdir()?;
    let file = if file == "flash" {
        let made = folder.path().join("flash.mkv");
        testkit::flash::write_clip(&made, 5, 30)?;
        made
    } else {
        PathBuf::from(file)
    };
    let mut clip = media::encode(&file, folder.path());
    // Both come round together, or they part a little more each time.
    let length = clip.frame_duration * u32::try_from(clip.video.len())?;
    clip.audio.truncate(usize::try_from(
        length.as_millis() / media::OPUS_FRAME.as_millis(),
    )?);
    let clip = Arc::new(clip);
    let server = Server::start(settings).await?;
    println!(
        "{}",
        serde_json::json!({
            "http": server.http_addr(),
            "media": server.media_addr(),
            "watch": server.watch_urls(&room).first().context("there is an address")?,
            "frames": clip.video.len(),
        })
    );
    let (orders, mut inbox) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if orders.send(line).is_err() {
                break;
            }
        }
    });
    let mut show: Option<Show> = None;
    // The end of standard input is the end of whoever started this.
    while let Some(order) = inbox.recv().await {
        match order.trim() {
            "publish" => {
                let info = RoomInfo { title: title.clone() };
                show = Some(Show::start(
                    server.publish(room.clone(), info)?,
                    Arc::clone(&clip),
                ));
            }
            "drop" => drop(show.take().map(Show::stop)),
            "end" => {
                if let Some(show) = show.take() {
                    show.stop().end();
                }
            }
            "quit" => break,
            other => anyhow::bail!("unknown order: {other}"),
        }
        println!("{}", serde_json::json!({ "done": order.trim() }));
    }
    drop(show.take().map(Show::stop));
    server.stop().await;
    Ok(())
}

/// Presentation times do not begin at zero in a studio either.
const BASE: Duration = Duration::from_secs(1);
/// libopus at 48 kHz: 312 samples (RFC 7845 section 4.2 says why a file's first samples are skipped).
const OPUS_PRE_SKIP: Duration = Duration::from_micros(6500);

/// The feeding thread.
struct Show {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<LocalPublisher>,
}

impl Show {
    fn start(publisher: LocalPublisher, clip: Arc<media::Clip>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let wants_keyframe = Arc::new(AtomicBool::new(false));
        publisher.on_keyframe_request({
            let wants = Arc::clone(&wants_keyframe);
            move || wants.store(true, Ordering::SeqCst)
        });
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            feed(&publisher, &clip, &stopped, &wants_keyframe);
            publisher
        });
        Self { stop, thread }
    }

    fn stop(self) -> LocalPublisher {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("feeding does not panic")
    }
}

fn feed(publisher: &LocalPublisher, clip: &media::Clip, stopped: &AtomicBool, wants_keyframe: &AtomicBool) {
    let began = Instant::now();
    let (mut frame, mut sound, mut picture) = (0u32, 0u32, 0usize);
    while !stopped.load(Ordering::SeqCst) {
        let (video_at, audio_at) = (clip.frame_duration * frame, media::OPUS_FRAME * sound);
        std::thread::sleep(video_at.min(audio_at).saturating_sub(began.elapsed()));
        let fed = if video_at <= audio_at {
            // The nearest keyframe stands in for the one that an encoder would make.
            if wants_keyframe.swap(false, Ordering::SeqCst) {
                while !clip.video[picture].keyframe {
                    picture = (picture + 1) % clip.video.len();
                }
            }
            let unit = &clip.video[picture];
            picture = (picture + 1) % clip.video.len();
            frame += 1;
            publisher.video(AccessUnit {
                data: unit.data.clone(),
                pts: video_at + BASE,
                keyframe: unit.keyframe,
            })
        } else {
            let data = clip.audio[sound as usize % clip.audio.len()].clone();
            sound += 1;
            // What a packet holds is older than its place in the file says, by what the encoder looks ahead.
            let pts = (audio_at + BASE).saturating_sub(OPUS_PRE_SKIP);
            publisher.audio(OpusPacket {
                data,
                pts,
                duration: media::OPUS_FRAME,
            })
        };
        if let Err(error) = fed {
            tracing::warn!(%error, "not fed");
        }
    }
}
