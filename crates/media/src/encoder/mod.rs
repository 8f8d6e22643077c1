//! Which H.264 encoders work on this machine, what they cost, and which one the studio takes.
//!
//! [`probe`] tries every known encoder with real frames, [`calibrate`] measures x264's presets, [`choose`] decides.
//! None of them may run on air: they take the processor for themselves.

mod calibration;
pub(crate) mod candidates;
mod choice;
mod trial;

pub use calibration::{Calibration, PresetCost, calibrate};
pub use candidates::X264_PRESETS;
pub use choice::choose;

use std::sync::mpsc;
use std::time::Duration;

use protocol::{Canvas, EncoderInfo, H264Profile};

use candidates::{CANDIDATES, Candidate, VideoSettings};

/// How long one encoder may take to show that it works. Opening a driver takes up to two seconds.
const TRY_WITHIN: Duration = Duration::from_secs(4);
/// Enough for a keyframe and what follows it.
const TRY_FRAMES: usize = 6;

/// Encoders that work at the canvas's size, best first, tried with a few real frames each.
///
/// Takes 0.1 s for each that works. One that hangs in its driver is given up after four seconds, with its thread.
pub fn probe(canvas: Canvas) -> Vec<EncoderInfo> {
    CANDIDATES
        .iter()
        .filter(|candidate| works(candidate, canvas))
        .map(|candidate| EncoderInfo {
            id: candidate.element.to_owned(),
            name: candidate.name.to_owned(),
            hardware: candidate.hardware,
            preset: None,
            cost_percent: None,
            chosen: false,
        })
        .collect()
}

fn works(candidate: &'static Candidate, canvas: Canvas) -> bool {
    if gst::ElementFactory::find(candidate.element).is_none() {
        return false;
    }
    let settings = VideoSettings {
        canvas,
        profile: H264Profile::ConstrainedBaseline,
        kbps: 3000,
        preset: Some(X264_PRESETS[0].to_owned()),
        low_delay: true,
        one_thread: false,
    };
    let (answer, answered) = mpsc::channel();
    // A driver that hangs must not hang the studio: then the thread stays behind.
    let spawned = std::thread::Builder::new()
        .name("encoder-try".to_owned())
        .spawn(move || {
            let trial = trial::run(
                candidate,
                &settings,
                &trial::pictures(canvas),
                TRY_FRAMES,
                TRY_WITHIN,
            );
            let _ = answer.send(trial);
        });
    let result = spawned.ok().and_then(|_| answered.recv_timeout(TRY_WITHIN).ok());
    match result {
        Some(Ok(trial)) if trial.frames > 0 => {
            tracing::debug!(
                encoder = candidate.element,
                frames = trial.frames,
                "encoder works"
            );
            true
        }
        Some(Ok(_)) => {
            tracing::info!(encoder = candidate.element, "encoder made nothing");
            false
        }
        Some(Err(error)) => {
            tracing::info!(encoder = candidate.element, %error, "encoder does not work");
            false
        }
        None => {
            tracing::warn!(encoder = candidate.element, "encoder does not answer");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_encoders_are_found_by_trying_them() {
        crate::init().expect("GStreamer is installed");
        let found = probe(Canvas::new(640, 360, 30).expect("a canvas"));
        let ids: Vec<_> = found
            .iter()
            .filter(|info| !info.hardware)
            .map(|info| info.id.as_str())
            .collect();
        assert_eq!(
            ids,
            ["x264enc", "openh264enc"],
            "both are installed, x264 is the better one"
        );
    }

    /// OpenH264 writes to the terminal itself, so only another process can hear it.
    #[test]
    fn trying_the_encoders_says_nothing_on_the_terminal() {
        let own = std::env::current_exe().expect("the test's own path");
        let said = std::process::Command::new(own)
            .args(["--exact", "--nocapture"])
            .arg("encoder::tests::software_encoders_are_found_by_trying_them")
            .output()
            .expect("the test starts again");
        let (words, noise) = (
            String::from_utf8_lossy(&said.stdout),
            String::from_utf8_lossy(&said.stderr),
        );
        assert!(words.contains("1 passed"), "{words}{noise}");
        assert_eq!(noise, "", "this would stand on the person's terminal");
    }

    #[test]
    fn an_encoder_that_refuses_the_size_is_not_offered() {
        crate::init().expect("GStreamer is installed");
        let openh264 = candidates::candidate("openh264enc").expect("it is known");
        let huge = Canvas::new(3840, 2160, 60).expect("a canvas");
        // OpenH264 stops at level 5.2 and 9437184 pixels; whatever it decides, it must decide in time.
        let begun = std::time::Instant::now();
        works(openh264, huge);
        assert!(begun.elapsed() < TRY_WITHIN + Duration::from_secs(1));
    }
}
