//! Flash and beep: a clip in which a white flash and a tone start together, and the detector that says
//! how far apart they are wherever the clip arrives.

use std::path::Path;
use std::process::Command;

use crate::{PeerError, run_to_end};

/// Flash and beep both begin half a second after each whole second of the clip…
const FIRST_AT_S: f64 = 0.5;
/// …and last this many pictures.
const PICTURES: u32 = 3;
/// Silence before a sound that counts as the beginning of a beep, in seconds.
const QUIET_S: f64 = 0.2;
/// A beep begins where the sound first exceeds this part of its peak: above an encoder's pre-echo,
/// reached within the first quarter of the tone's period.
const ONSET_PART: f64 = 0.3;

/// What was seen and heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Sync {
    /// When a flash began, in seconds of the file's timeline.
    pub flashes_s: Vec<f64>,
    /// When a beep began, in seconds of the file's timeline.
    pub beeps_s: Vec<f64>,
    /// For each flash with a beep within half a second: beep minus flash in milliseconds.
    /// Positive when the sound is late.
    pub skews_ms: Vec<f64>,
}

impl Sync {
    /// The skew farthest from zero in milliseconds, with its sign; nothing when no pair was found.
    pub fn worst_ms(&self) -> Option<f64> {
        self.skews_ms
            .iter()
            .copied()
            .max_by(|a, b| a.abs().total_cmp(&b.abs()))
    }
}

/// Writes a clip of `seconds` at `fps` (1280×720, H.264, PCM stereo at 48 kHz) that flashes white for
/// three pictures and beeps at 1 kHz for as long, first at 0.5 s, then every second.
///
/// The ending decides the container: `.mov` and `.mkv` hold PCM, which has no encoder's delay. `.mp4` gets
/// AAC, whose delay the container's edit list takes off again.
///
/// # Errors
/// [`PeerError`] when ffmpeg is missing or cannot write the file.
pub fn write_clip(path: &Path, seconds: u32, fps: u32) -> Result<(), PeerError> {
    let lasts_s = f64::from(PICTURES) / f64::from(fps);
    let first_picture = (FIRST_AT_S * f64::from(fps)).round() as u32;
    let video = format!(
        "color=c=black:size=1280x720:rate={fps}:duration={seconds},\
         drawbox=color=white:t=fill:enable='between(mod(n,{fps}),{first_picture},{})'",
        first_picture + PICTURES - 1
    );
    // A flash on the picture's grid: with an odd rate half a second is not on it.
    let at_s = f64::from(first_picture) / f64::from(fps);
    let tone = format!(
        "0.5*sin(2*PI*1000*(t-{at_s}))*gte(mod(t,1),{at_s})*lt(mod(t,1),{})",
        at_s + lasts_s
    );
    let audio = format!("aevalsrc='{tone}|{tone}':sample_rate=48000:duration={seconds}");
    let aac = path.extension().is_some_and(|ending| ending == "mp4");
    run_to_end(
        Command::new("ffmpeg")
            .args([
                "-v", "error", "-y", "-f", "lavfi", "-i", &video, "-f", "lavfi", "-i", &audio,
            ])
            .args([
                "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", "0",
            ])
            .args([
                "-g",
                &fps.to_string(),
                "-c:a",
                if aac { "aac" } else { "pcm_s16le" },
            ])
            .arg(path),
    )?;
    Ok(())
}

/// Finds flashes and beeps in `path`, any file or address that ffmpeg reads.
///
/// # Errors
/// [`PeerError::Failed`] when ffmpeg cannot read it, [`PeerError::Unreadable`] when it holds no flash
/// that stands out or no sound at all.
pub fn detect(path: &Path) -> Result<Sync, PeerError> {
    let flashes_s = flashes(&luma(path)?)?;
    let beeps_s = beeps(&sound(path)?)?;
    Ok(pair(flashes_s, beeps_s))
}

fn pair(flashes_s: Vec<f64>, beeps_s: Vec<f64>) -> Sync {
    let nearest = |flash: f64| {
        let skews = beeps_s.iter().map(|beep| (beep - flash) * 1000.0);
        skews
            .min_by(|a, b| a.abs().total_cmp(&b.abs()))
            .filter(|skew| skew.abs() < 500.0)
    };
    let skews_ms = flashes_s.iter().copied().filter_map(nearest).collect();
    Sync {
        flashes_s,
        beeps_s,
        skews_ms,
    }
}

/// Mean luma of each picture, 0 to 255, with its time in seconds.
fn luma(path: &Path) -> Result<Vec<(f64, f64)>, PeerError> {
    let filter = "scale=64:36,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-";
    let printed = run_to_end(
        Command::new("ffmpeg")
            .args(["-v", "error", "-copyts", "-i"])
            .arg(path)
            .args([
                "-map",
                "0:v:0",
                "-vsync",
                "passthrough",
                "-vf",
                filter,
                "-f",
                "null",
                "-",
            ]),
    )?;
    let printed = String::from_utf8_lossy(&printed);
    let mut pictures = Vec::new();
    let mut at_s = None;
    for line in printed.lines() {
        if let Some((_, time)) = line.split_once("pts_time:") {
            at_s = time.split_whitespace().next().and_then(|time| time.parse().ok());
        } else if let Some((_, value)) = line.split_once("YAVG=")
            && let (Some(at_s), Ok(value)) = (at_s, value.trim().parse())
        {
            pictures.push((at_s, value));
        }
    }
    Ok(pictures)
}

fn flashes(pictures: &[(f64, f64)]) -> Result<Vec<f64>, PeerError> {
    let values = || pictures.iter().map(|picture| picture.1);
    let (low, high) = (
        values().fold(f64::MAX, f64::min),
        values().fold(f64::MIN, f64::max),
    );
    if high - low < 40.0 {
        let why = format!("mean luma stays within {low:.0} to {high:.0}: no flash");
        return Err(PeerError::unreadable("the picture", why));
    }
    let bright_from = (low + high) / 2.0;
    // The first picture may already be inside a flash, so only a rise counts.
    let rises = pictures
        .windows(2)
        .filter(|pair| pair[0].1 < bright_from && pair[1].1 >= bright_from);
    Ok(rises.map(|pair| pair[1].0).collect())
}

/// A run of mono samples at 48 kHz and the time of its first in seconds.
struct Block {
    at_s: f64,
    samples: Vec<i16>,
}

/// The first audio stream as blocks that keep their own timestamps: gaps stay gaps.
fn sound(path: &Path) -> Result<Vec<Block>, PeerError> {
    // The samples come on standard output, and each block's time and length on standard error.
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostats", "-v", "info", "-copyts", "-i"])
        .arg(path)
        .args([
            "-map",
            "0:a:0",
            "-af",
            "aresample=48000,aformat=sample_fmts=s16:channel_layouts=mono,ashowinfo",
        ])
        .args(["-f", "s16le", "-"])
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|source| PeerError::Start {
            tool: "ffmpeg".into(),
            source,
        })?;
    let log = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let output_tail = log.lines().rev().take(5).collect::<Vec<_>>().join("\n");
        let status = output.status.to_string();
        return Err(PeerError::Failed {
            tool: "ffmpeg".into(),
            status,
            output: output_tail,
        });
    }
    let mut samples = output
        .stdout
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
    let mut blocks = Vec::new();
    for line in log.lines().filter(|line| line.contains("ashowinfo")) {
        let field = |name: &str| {
            let (_, after) = line.split_once(name)?;
            after.split_whitespace().next()?.parse::<f64>().ok()
        };
        if let (Some(at_s), Some(count)) = (field(" pts_time:"), field(" nb_samples:")) {
            blocks.push(Block {
                at_s,
                samples: samples.by_ref().take(count as usize).collect(),
            });
        }
    }
    Ok(blocks)
}

fn beeps(blocks: &[Block]) -> Result<Vec<f64>, PeerError> {
    let every = || {
        blocks
            .iter()
            .flat_map(|block| block.samples.iter().map(|sample| sample.unsigned_abs()))
    };
    let peak = every().max().unwrap_or(0);
    if peak < 300 {
        return Err(PeerError::unreadable(
            "the sound",
            format!("its peak is {peak} of 32768: silence"),
        ));
    }
    let loud_from = (f64::from(peak) * ONSET_PART) as u16;
    let mut found = Vec::new();
    let mut last_loud_s = f64::MIN;
    for block in blocks {
        for (index, sample) in block.samples.iter().enumerate() {
            if sample.unsigned_abs() < loud_from {
                continue;
            }
            let at_s = block.at_s + index as f64 / 48000.0;
            if at_s - last_loud_s > QUIET_S {
                found.push(at_s);
            }
            last_loud_s = at_s;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(name: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        write_clip(&path, 4, 30).unwrap();
        (folder, path)
    }

    #[test]
    fn the_clip_itself_has_no_skew() {
        for name in ["clip.mov", "clip.mkv", "clip.mp4"] {
            let (_folder, path) = clip(name);
            let sync = detect(&path).unwrap();
            assert_eq!(sync.skews_ms.len(), 4, "{name}: {sync:?}");
            assert!((sync.flashes_s[0] - 0.5).abs() < 0.001, "{name}: {sync:?}");
            assert!(sync.worst_ms().unwrap().abs() < 2.0, "{name}: {sync:?}");
        }
    }

    #[test]
    fn late_sound_is_measured() {
        let (folder, path) = clip("clip.mov");
        let late = folder.path().join("late.mov");
        let mut command = Command::new("ffmpeg");
        command
            .args(["-v", "error", "-i"])
            .arg(&path)
            .args(["-itsoffset", "0.080", "-i"])
            .arg(&path);
        run_to_end(
            command
                .args(["-map", "0:v", "-map", "1:a", "-c", "copy"])
                .arg(&late),
        )
        .unwrap();
        let worst = detect(&late).unwrap().worst_ms().unwrap();
        assert!((worst - 80.0).abs() < 2.0, "80 ms late must read so, not {worst}");
    }

    #[test]
    fn black_and_silence_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("black.mov");
        let inputs = ["-v", "error", "-f", "lavfi", "-i", "color=black:duration=1"];
        let silence = [
            "-f",
            "lavfi",
            "-i",
            "anullsrc=duration=1",
            "-shortest",
            "-c:a",
            "pcm_s16le",
        ];
        run_to_end(Command::new("ffmpeg").args(inputs).args(silence).arg(&path)).unwrap();
        assert!(detect(&path).unwrap_err().to_string().contains("no flash"));
        assert!(beeps(&sound(&path).unwrap()).is_err(), "silence has no beep");
    }

    #[test]
    fn a_gap_in_the_sound_moves_nothing() {
        let mut beep = vec![0_i16; 4800];
        beep.extend([16000; 480]);
        let blocks = [
            Block {
                at_s: 1.0,
                samples: beep.clone(),
            },
            Block {
                at_s: 3.0,
                samples: beep,
            },
        ];
        assert_eq!(beeps(&blocks).unwrap(), [1.1, 3.1]);
    }
}
