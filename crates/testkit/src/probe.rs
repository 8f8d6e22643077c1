//! What a file really holds, as ffprobe reads it.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::{PeerError, run_to_end};

/// A probed file: its streams with every packet.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The streams in the file's order.
    pub streams: Vec<Stream>,
    /// Length in seconds as the container says, 0 if it does not.
    pub duration_s: f64,
    /// The container as ffprobe calls it, for example `mov,mp4,m4a,3gp,3g2,mj2` or `flv`.
    pub container: String,
}

/// One stream and its packets in the file's order.
#[derive(Debug, Clone)]
pub struct Stream {
    /// `video` or `audio`.
    pub kind: String,
    /// ffprobe's name of the codec, for example `h264` or `aac`.
    pub codec: String,
    /// For example `Constrained Baseline` or `LC`; empty if the codec has none.
    pub profile: String,
    /// Picture width, 0 for sound.
    pub width: u32,
    /// Picture height, 0 for sound.
    pub height: u32,
    /// For example `yuv420p`; empty for sound.
    pub pix_fmt: String,
    /// The smallest rate that can tell all timestamps, as a fraction of frames a second; 0/0 for sound.
    pub frame_rate: (u32, u32),
    /// Samples a second, 0 for pictures.
    pub sample_rate: u32,
    /// Channels of sound, 0 for pictures.
    pub channels: u32,
    /// Every packet.
    pub packets: Vec<Packet>,
}

/// One packet: a picture, or a block of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Packet {
    /// When it is shown, in seconds.
    pub pts_s: f64,
    /// Size in bytes.
    pub bytes: u64,
    /// Whether decoding can start here.
    pub keyframe: bool,
}

impl Probe {
    /// The first video stream.
    ///
    /// # Errors
    /// [`PeerError::Unreadable`] when there is none.
    pub fn video(&self) -> Result<&Stream, PeerError> {
        self.first("video")
    }

    /// The first audio stream.
    ///
    /// # Errors
    /// [`PeerError::Unreadable`] when there is none.
    pub fn audio(&self) -> Result<&Stream, PeerError> {
        self.first("audio")
    }

    fn first(&self, kind: &str) -> Result<&Stream, PeerError> {
        let found = self.streams.iter().find(|stream| stream.kind == kind);
        found.ok_or_else(|| PeerError::unreadable("the file", format!("it has no {kind} stream")))
    }
}

impl Stream {
    /// When decoding can start, in seconds, in order.
    pub fn keyframes_s(&self) -> Vec<f64> {
        self.packets
            .iter()
            .filter(|packet| packet.keyframe)
            .map(|packet| packet.pts_s)
            .collect()
    }

    /// Seconds between neighbouring pictures in the order of showing.
    pub fn steps_s(&self) -> Vec<f64> {
        let mut shown: Vec<f64> = self.packets.iter().map(|packet| packet.pts_s).collect();
        shown.sort_by(f64::total_cmp);
        shown.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// What speaks against a constant rate of exactly `fps`; empty when nothing does.
    ///
    /// A container that counts milliseconds (FLV) alternates between 33 and 34 ms: so every step may be
    /// 1 ms off, but their sum may not.
    pub fn faults_of_rate(&self, fps: u32) -> Vec<String> {
        let mut faults = Vec::new();
        if self.frame_rate != (fps, 1) {
            faults.push(format!("the rate is {}/{}", self.frame_rate.0, self.frame_rate.1));
        }
        let wanted = 1.0 / f64::from(fps);
        let steps = self.steps_s();
        for (index, step) in steps.iter().enumerate() {
            if (step - wanted).abs() > 0.00101 {
                faults.push(format!("step {index} is {:.1} ms", step * 1000.0));
            }
        }
        let sum: f64 = steps.iter().sum();
        let off = sum - wanted * steps.len() as f64;
        if steps.is_empty() || off.abs() > 0.002 {
            faults.push(format!(
                "{} steps are {:.1} ms off in sum",
                steps.len(),
                off * 1000.0
            ));
        }
        faults
    }

    /// Mean rate in bits per second over the packets; 0 with fewer than two.
    pub fn bits_per_second(&self) -> f64 {
        let bytes: u64 = self.packets.iter().map(|packet| packet.bytes).sum();
        let steps = self.steps_s();
        let seconds: f64 = steps.iter().sum();
        if seconds <= 0.0 {
            return 0.0;
        }
        // The last packet lasts as long as a mean step.
        bytes as f64 * 8.0 / (seconds + seconds / steps.len() as f64)
    }
}

/// Reads `path` with ffprobe.
///
/// # Errors
/// [`PeerError::Failed`] with ffprobe's words when it cannot read the file.
pub fn probe(path: &Path) -> Result<Probe, PeerError> {
    let json = run_to_end(
        Command::new("ffprobe")
            .args([
                "-v",
                "error",
                "-of",
                "json",
                "-show_streams",
                "-show_format",
                "-show_packets",
            ])
            .args(["-show_entries", "packet=stream_index,pts_time,size,flags"])
            .arg(path),
    )?;
    parse(&json)
}

/// The boxes of an MP4 file in its order, for example `ftyp`, `mdat`, `moov`. One that is cut short ends the list, so a
/// file that is being written can be looked at too.
///
/// # Errors
/// [`PeerError::Unreadable`] when the file cannot be read.
pub fn boxes(path: &Path) -> Result<Vec<String>, PeerError> {
    let whole = std::fs::read(path).map_err(|error| PeerError::unreadable("the file", error))?;
    let mut rest = whole.as_slice();
    let mut kinds = Vec::new();
    while let Some(head) = rest.first_chunk::<8>() {
        let short = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let size = match (short, rest.first_chunk::<16>()) {
            (0, _) => rest.len() as u64,
            (1, Some(long)) => long[8..]
                .iter()
                .fold(0, |size, byte| size << 8 | u64::from(*byte)),
            (size, _) => size.into(),
        };
        let Some(next) = usize::try_from(size)
            .ok()
            .filter(|size| *size >= head.len())
            .and_then(|size| rest.get(size..))
        else {
            break;
        };
        kinds.push(String::from_utf8_lossy(&head[4..]).into_owned());
        rest = next;
    }
    Ok(kinds)
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    packets: Vec<RawPacket>,
    #[serde(default)]
    streams: Vec<RawStream>,
    format: RawFormat,
}

#[derive(Deserialize)]
struct RawFormat {
    #[serde(default)]
    format_name: String,
    duration: Option<String>,
}

#[derive(Deserialize)]
struct RawPacket {
    stream_index: usize,
    pts_time: Option<String>,
    size: Option<String>,
    #[serde(default)]
    flags: String,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct RawStream {
    index: usize,
    codec_type: String,
    codec_name: String,
    profile: String,
    width: u32,
    height: u32,
    pix_fmt: String,
    r_frame_rate: String,
    sample_rate: String,
    channels: u32,
}

fn parse(json: &[u8]) -> Result<Probe, PeerError> {
    let raw: Raw =
        serde_json::from_slice(json).map_err(|error| PeerError::unreadable("ffprobe's answer", error))?;
    let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<f64>().ok());
    let packets_of = |index: usize| {
        let mine = raw.packets.iter().filter(|packet| packet.stream_index == index);
        mine.filter_map(|packet| {
            Some(Packet {
                pts_s: number(&packet.pts_time)?,
                bytes: packet
                    .size
                    .as_deref()
                    .and_then(|size| size.parse().ok())
                    .unwrap_or(0),
                keyframe: packet.flags.starts_with('K'),
            })
        })
        .collect()
    };
    let stream = |raw: &RawStream| Stream {
        kind: raw.codec_type.clone(),
        codec: raw.codec_name.clone(),
        profile: raw.profile.clone(),
        width: raw.width,
        height: raw.height,
        pix_fmt: raw.pix_fmt.clone(),
        frame_rate: fraction(&raw.r_frame_rate),
        sample_rate: raw.sample_rate.parse().unwrap_or(0),
        channels: raw.channels,
        packets: packets_of(raw.index),
    };
    Ok(Probe {
        streams: raw.streams.iter().map(stream).collect(),
        duration_s: number(&raw.format.duration).unwrap_or(0.0),
        container: raw.format.format_name.clone(),
    })
}

fn fraction(text: &str) -> (u32, u32) {
    let parsed = text
        .split_once('/')
        .and_then(|(n, d)| Some((n.parse().ok()?, d.parse().ok()?)));
    parsed.unwrap_or((0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(arguments: &[&str], name: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        run_to_end(
            Command::new("ffmpeg")
                .args(["-v", "error"])
                .args(arguments)
                .arg(&path),
        )
        .unwrap();
        (folder, path)
    }

    const INPUTS: [&str; 8] = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x180:rate=30:duration=3",
        "-f",
        "lavfi",
        "-i",
        "sine=duration=3:sample_rate=48000",
    ];
    const CODECS: [&str; 14] = [
        "-c:v",
        "libx264",
        "-bf",
        "0",
        "-g",
        "60",
        "-sc_threshold",
        "0",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        "-ac",
        "2",
    ];

    #[test]
    fn a_constant_rate_has_no_faults_in_flv_and_mp4() {
        for name in ["a.flv", "a.mp4"] {
            let (_folder, path) = make(&[INPUTS.as_slice(), CODECS.as_slice()].concat(), name);
            let probe = probe(&path).unwrap();
            let video = probe.video().unwrap();
            assert_eq!(video.faults_of_rate(30), Vec::<String>::new(), "{name}");
            assert_eq!(
                (video.width, video.height, video.pix_fmt.as_str()),
                (320, 180, "yuv420p")
            );
            let between: Vec<_> = video.keyframes_s().windows(2).map(|k| k[1] - k[0]).collect();
            assert!(
                between.iter().all(|step| (step - 2.0).abs() < 0.002),
                "{name}: {between:?}"
            );
            let audio = probe.audio().unwrap();
            assert_eq!(
                (audio.codec.as_str(), audio.sample_rate, audio.channels),
                ("aac", 48000, 2)
            );
            assert_eq!(audio.profile, "LC");
            assert!((probe.duration_s - 3.0).abs() < 0.1, "{}", probe.duration_s);
            assert!(video.bits_per_second() > 10_000.0);
        }
    }

    #[test]
    fn a_missing_frame_is_a_fault() {
        let skip = ["-vf", "select='not(eq(n,40))'", "-vsync", "passthrough"];
        let (_folder, path) = make(&[INPUTS.as_slice(), &skip, CODECS.as_slice()].concat(), "a.mp4");
        let faults = probe(&path).unwrap().video().unwrap().faults_of_rate(30);
        assert!(faults.iter().any(|fault| fault.contains("66.7 ms")), "{faults:?}");
    }

    #[test]
    fn another_rate_is_a_fault() {
        let (_folder, path) = make(
            &[INPUTS.as_slice(), &["-r", "25"], CODECS.as_slice()].concat(),
            "a.mp4",
        );
        assert!(
            !probe(&path)
                .unwrap()
                .video()
                .unwrap()
                .faults_of_rate(30)
                .is_empty()
        );
    }

    #[test]
    fn boxes_are_listed_up_to_the_cut() {
        let plain = [INPUTS.as_slice(), CODECS.as_slice()].concat();
        let (_folder, path) = make(&plain, "a.mp4");
        let kinds = boxes(&path).unwrap();
        assert!(
            kinds.contains(&"moov".to_owned()) && kinds.contains(&"mdat".to_owned()),
            "{kinds:?}"
        );
        let pieces = [plain.as_slice(), &["-movflags", "frag_keyframe+empty_moov"]].concat();
        let (_folder, path) = make(&pieces, "a.mp4");
        assert!(boxes(&path).unwrap().contains(&"moof".to_owned()));
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        assert!(!boxes(&path).unwrap().is_empty(), "what comes before the cut");
    }

    #[test]
    fn an_unreadable_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        std::fs::write(&path, b"no film").unwrap();
        assert!(matches!(probe(&path), Err(PeerError::Failed { .. })));
    }
}
