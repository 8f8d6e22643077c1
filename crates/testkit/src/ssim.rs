//! Comparing a picture with what it should be: structural similarity, so that a black or wrong picture
//! fails and an encoder's small errors pass.

use std::path::Path;
use std::process::Command;

use crate::{PeerError, run_to_end};

/// Writes the picture that `video` shows at `at_s` seconds as a PNG (or what `picture`'s ending says).
///
/// # Errors
/// [`PeerError`] when ffmpeg cannot read the file, or it has no picture there.
pub fn picture_at(video: &Path, at_s: f64, picture: &Path) -> Result<(), PeerError> {
    let seek = format!("{at_s:.6}");
    run_to_end(
        Command::new("ffmpeg")
            .args(["-v", "error", "-y", "-i"])
            .arg(video)
            // Seeking after the input decodes from the start: exact in every container.
            .args(["-ss", &seek, "-frames:v", "1"])
            .arg(picture),
    )?;
    if picture.is_file() {
        return Ok(());
    }
    Err(PeerError::unreadable(
        video.display().to_string(),
        format!("it has no picture at {at_s} s"),
    ))
}

/// Structural similarity of two pictures, 1.0 for equal ones; the first is scaled to the second's size.
///
/// The mean over luma and chroma, as ffmpeg's `ssim` filter gives it.
///
/// # Errors
/// [`PeerError`] when ffmpeg cannot read one of them.
pub fn ssim(picture: &Path, reference: &Path) -> Result<f64, PeerError> {
    let filter = "[0:v][1:v]scale2ref=flags=area[a][b];[a]format=yuv420p[c];[b]format=yuv420p[d];[c][d]ssim=stats_file=-";
    let printed = run_to_end(
        Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(picture)
            .arg("-i")
            .arg(reference)
            .args(["-lavfi", filter, "-frames:v", "1", "-f", "null", "-"]),
    )?;
    let printed = String::from_utf8_lossy(&printed);
    let all = printed
        .split_once("All:")
        .and_then(|(_, after)| after.split_whitespace().next());
    all.and_then(|value| value.parse().ok())
        .ok_or_else(|| PeerError::unreadable("ffmpeg's ssim", format!("it printed {printed:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_picture_passes_and_a_black_one_fails() {
        let folder = tempfile::tempdir().unwrap();
        let clip = crate::test_clip().unwrap();
        let [first, later, small, black] =
            ["first.png", "later.png", "small.png", "black.png"].map(|name| folder.path().join(name));
        picture_at(&clip, 1.0, &first).unwrap();
        picture_at(&clip, 1.2, &later).unwrap();
        let scaled = ["-vf", "scale=640:360"];
        run_to_end(
            Command::new("ffmpeg")
                .args(["-v", "error", "-i"])
                .arg(&first)
                .args(scaled)
                .arg(&small),
        )
        .unwrap();
        let dark = [
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "color=black:size=1280x720",
            "-frames:v",
            "1",
        ];
        run_to_end(Command::new("ffmpeg").args(dark).arg(&black)).unwrap();
        assert!(ssim(&first, &first).unwrap() > 0.999, "equal pictures");
        assert!(ssim(&small, &first).unwrap() > 0.8, "scaling alone must pass");
        let wrong = ssim(&black, &first).unwrap();
        assert!(wrong < 0.6, "a black picture must fail: {wrong}");
        assert!(
            ssim(&later, &first).unwrap() < 0.999,
            "another moment is another picture"
        );
    }

    #[test]
    fn a_moment_past_the_end_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let clip = crate::test_clip().unwrap();
        assert!(picture_at(&clip, 10_000.0, &folder.path().join("none.png")).is_err());
    }
}
