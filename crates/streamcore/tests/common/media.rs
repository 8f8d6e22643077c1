//! The test clip as an encoder of the studio would give it: constrained baseline access units and Opus packets.

#![allow(dead_code, reason = "the feeding example has its own way to the clip")]

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;

/// ffmpeg's default.
pub const OPUS_FRAME: Duration = Duration::from_millis(20);

pub struct Picture {
    pub data: Bytes,
    pub keyframe: bool,
}

pub struct Clip {
    pub frame_duration: Duration,
    pub video: Vec<Picture>,
    pub audio: Vec<Bytes>,
}

/// The clip at 640×360, 30 fps, a keyframe every 60 frames, no B-frames. Encoded once for each test program.
pub fn clip() -> Arc<Clip> {
    static CLIP: OnceLock<Arc<Clip>> = OnceLock::new();
    Arc::clone(CLIP.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let source = testkit::test_clip().expect("the test clip is there");
        Arc::new(encode(&source, folder.path()))
    }))
}

/// Encodes any file that ffmpeg reads.
pub fn encode(source: &Path, folder: &Path) -> Clip {
    let (video, audio) = (folder.join("video.h264"), folder.join("audio.ogg"));
    testkit::run_to_end(
        Command::new("ffmpeg")
            .args(["-nostdin", "-loglevel", "error", "-y", "-i"])
            .arg(source)
            .args([
                "-map",
                "0:v:0",
                "-vf",
                "scale=640:360,fps=30,format=yuv420p",
                "-c:v",
                "libx264",
            ])
            .args([
                "-profile:v",
                "baseline",
                "-preset",
                "veryfast",
                "-tune",
                "zerolatency",
                "-b:v",
                "1200k",
            ])
            .args([
                "-x264-params",
                "keyint=60:min-keyint=60:scenecut=0:aud=1:sliced-threads=0",
            ])
            .args(["-f", "h264"])
            .arg(&video)
            .args([
                "-map", "0:a:0", "-ac", "2", "-ar", "48000", "-c:a", "libopus", "-b:a", "96k",
            ])
            .arg(&audio),
    )
    .expect("ffmpeg encodes the clip");
    Clip {
        frame_duration: Duration::from_secs(1) / 30,
        video: access_units(&std::fs::read(&video).expect("ffmpeg wrote it")),
        audio: ogg_packets(&std::fs::read(&audio).expect("ffmpeg wrote it")),
    }
}

/// Splits a byte stream at its access unit delimiters.
fn access_units(stream: &[u8]) -> Vec<Picture> {
    let mut starts: Vec<usize> = stream
        .windows(5)
        .enumerate()
        .filter(|(_, w)| w == &[0, 0, 0, 1, 9])
        .map(|(i, _)| i)
        .collect();
    starts.push(stream.len());
    starts
        .windows(2)
        .map(|pair| {
            let data = Bytes::copy_from_slice(&stream[pair[0]..pair[1]]);
            let keyframe = data.windows(4).any(|w| w[..3] == [0, 0, 1] && w[3] & 0x1f == 5);
            Picture { data, keyframe }
        })
        .collect()
}

/// Opus packets of an Ogg file (RFC 3533, RFC 7845), without its two header packets.
fn ogg_packets(file: &[u8]) -> Vec<Bytes> {
    let (mut packets, mut packet, mut at) = (Vec::new(), Vec::new(), 0);
    while file.len() > at + 27 && &file[at..at + 4] == b"OggS" {
        let segments = usize::from(file[at + 26]);
        let table = &file[at + 27..at + 27 + segments];
        let mut data = at + 27 + segments;
        for &length in table {
            packet.extend_from_slice(&file[data..data + usize::from(length)]);
            data += usize::from(length);
            if length < 255 {
                packets.push(Bytes::from(std::mem::take(&mut packet)));
            }
        }
        at = data;
    }
    assert!(packets.len() > 100, "the clip has five seconds of sound");
    packets.split_off(2)
}
