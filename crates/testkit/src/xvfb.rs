//! An X11 screen without a monitor, and something drawn on it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::{PeerError, Process, run_to_end, wait_until};

const START_WITHIN: Duration = Duration::from_secs(10);

/// A virtual X server on a display number of its own; gone when dropped.
#[derive(Debug)]
pub struct Xvfb {
    // Clients go before their server.
    clients: Vec<Process>,
    _server: Process,
    display: String,
    width: u32,
    height: u32,
}

impl Xvfb {
    /// Starts a screen of `width` × `height` pixels, 24 bits deep.
    ///
    /// # Errors
    /// [`PeerError`] when Xvfb is missing or does not say its display in time.
    pub fn start(width: u32, height: u32) -> Result<Self, PeerError> {
        let screen = format!("{width}x{height}x24");
        let mut server = Process::start(
            // It picks a free display itself and writes the number once it answers.
            Command::new("Xvfb").args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                &screen,
                "-nolisten",
                "tcp",
                "-noreset",
                "-br",
            ]),
        )?;
        let number = server.wait_for_line(START_WITHIN, |line| line.parse::<u32>().is_ok())?;
        Ok(Self {
            clients: Vec::new(),
            _server: server,
            display: format!(":{number}"),
            width,
            height,
        })
    }

    /// The value for `DISPLAY`.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Fills the screen with moving colour bars and waits until they are there.
    ///
    /// # Errors
    /// [`PeerError`] when gst-launch-1.0 is missing, or the screen stays black.
    pub fn draw_bars(&mut self) -> Result<(), PeerError> {
        let size = format!(
            "video/x-raw,width={},height={},framerate=30/1",
            self.width, self.height
        );
        let bars = Process::start(
            Command::new("gst-launch-1.0")
                .env("DISPLAY", &self.display)
                .args([
                    "-q",
                    "videotestsrc",
                    "is-live=true",
                    "pattern=smpte",
                    "horizontal-speed=2",
                    "!",
                    &size,
                ])
                .args(["!", "videoconvert", "!", "ximagesink", "handle-events=false"]),
        )?;
        self.clients.push(bars);
        let picture = tempfile::Builder::new()
            .suffix(".png")
            .tempfile()
            .map_err(PeerError::io("a screenshot"))?;
        wait_until("bars on the screen", START_WITHIN, || {
            self.screenshot(picture.path())
                .is_ok_and(|()| !flat(picture.path()))
        })
    }

    /// Writes what the screen shows now as a PNG.
    ///
    /// # Errors
    /// [`PeerError::Failed`] when ffmpeg cannot read the screen.
    pub fn screenshot(&self, picture: &Path) -> Result<(), PeerError> {
        let size = format!("{}x{}", self.width, self.height);
        run_to_end(
            Command::new("ffmpeg")
                .args([
                    "-v",
                    "error",
                    "-y",
                    "-f",
                    "x11grab",
                    "-draw_mouse",
                    "0",
                    "-video_size",
                    &size,
                ])
                .args(["-i", &self.display, "-frames:v", "1"])
                .arg(picture),
        )?;
        Ok(())
    }
}

/// Whether a picture's luma is nearly the same everywhere.
fn flat(picture: &Path) -> bool {
    let small = ["-vf", "scale=16:16,format=gray", "-f", "rawvideo", "-"];
    let pixels = run_to_end(
        Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(picture)
            .args(small),
    );
    pixels.is_ok_and(|pixels| {
        let (low, high) = (pixels.iter().min(), pixels.iter().max());
        // Xvfb's bare root reads as 6 in some rows and 0 in others.
        high.zip(low).is_some_and(|(high, low)| high - low < 32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_is_black_until_something_is_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let mut screen = Xvfb::start(640, 360).unwrap();
        let [before, after] = ["before.png", "after.png"].map(|name| folder.path().join(name));
        screen.screenshot(&before).unwrap();
        assert!(flat(&before), "nothing was drawn yet");
        screen.draw_bars().unwrap();
        screen.screenshot(&after).unwrap();
        assert!(!flat(&after), "bars are not flat");
    }

    #[test]
    fn two_screens_have_two_displays() {
        let (one, two) = (Xvfb::start(320, 180).unwrap(), Xvfb::start(320, 180).unwrap());
        assert_ne!(one.display(), two.display());
    }
}
