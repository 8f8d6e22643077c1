//! A PulseAudio server of the test's own, with a sink that leads nowhere: its monitor is the microphone.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::{PeerError, Process, run_to_end, wait_until};

const START_WITHIN: Duration = Duration::from_secs(10);

/// A PulseAudio server in a folder of its own; gone with its folder when dropped.
#[derive(Debug)]
pub struct PulseAudio {
    // Players go before their server, the server before its folder.
    players: Vec<Process>,
    _server: Process,
    folder: TempDir,
}

impl PulseAudio {
    /// The null sink's name; its monitor is `studio.monitor`.
    pub const SINK: &str = "studio";

    /// Starts a server with one silent null sink, 48 kHz stereo.
    ///
    /// # Errors
    /// [`PeerError`] when PulseAudio is missing or does not answer in time.
    pub fn start() -> Result<Self, PeerError> {
        let folder = tempfile::Builder::new()
            .prefix("testkit-pulse-")
            .tempdir()
            .map_err(PeerError::io("a temporary folder"))?;
        let socket = folder.path().join("native");
        let protocol = format!(
            "module-native-protocol-unix auth-anonymous=1 socket={}",
            socket.display()
        );
        let sink = format!("module-null-sink sink_name={} rate=48000 channels=2", Self::SINK);
        let server = Process::start(
            Command::new("pulseaudio")
                .args([
                    "-n",
                    "--daemonize=no",
                    "--use-pid-file=no",
                    "--exit-idle-time=-1",
                    "--disable-shm=yes",
                ])
                .args(["-L", &protocol, "-L", &sink])
                // Its own home: the user's server, if one runs, is neither found nor disturbed.
                .envs([
                    ("HOME", folder.path()),
                    ("XDG_RUNTIME_DIR", folder.path()),
                    ("XDG_CONFIG_HOME", folder.path()),
                ])
                .env_remove("PULSE_SERVER"),
        )?;
        let mut pulse = Self {
            players: Vec::new(),
            _server: server,
            folder,
        };
        let mut why = None;
        wait_until("PulseAudio answering", START_WITHIN, || {
            if !pulse._server.running() {
                why = Some(pulse._server.output());
                return true;
            }
            pulse.control(&["info"]).is_ok()
        })?;
        match why {
            None => Ok(pulse),
            Some(output) => Err(PeerError::Failed {
                tool: "pulseaudio".into(),
                status: "an early end".into(),
                output,
            }),
        }
    }

    /// The value for `PULSE_SERVER`, which GStreamer and every other client follow.
    pub fn server(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    /// Plays a sine of `hertz` at about −21 dBFS into the sink from now on.
    ///
    /// # Errors
    /// [`PeerError`] when ffmpeg is missing or cannot reach the server.
    pub fn play_tone(&mut self, hertz: u32) -> Result<(), PeerError> {
        let tone = format!("sine=frequency={hertz}:sample_rate=48000");
        let player = Process::start(
            Command::new("ffmpeg")
                .args([
                    "-v", "error", "-re", "-f", "lavfi", "-i", &tone, "-ac", "2", "-f", "pulse",
                ])
                .args(["-device", Self::SINK, "tone"])
                .env("PULSE_SERVER", self.server()),
        )?;
        self.players.push(player);
        wait_until("the tone's stream at the server", START_WITHIN, || {
            self.control(&["list", "short", "sink-inputs"])
                .is_ok_and(|list| !list.trim().is_empty())
        })
    }

    /// Unplugs the sink, and with it the microphone: whoever reads it sees its device go.
    ///
    /// # Errors
    /// [`PeerError::Failed`] when the server refuses.
    pub fn unplug(&self) -> Result<(), PeerError> {
        self.control(&["unload-module", "module-null-sink"]).map(drop)
    }

    /// Plugs the sink in again under the same name.
    ///
    /// # Errors
    /// [`PeerError::Failed`] when the server refuses.
    pub fn plug_in(&self) -> Result<(), PeerError> {
        let name = format!("sink_name={}", Self::SINK);
        self.control(&[
            "load-module",
            "module-null-sink",
            &name,
            "rate=48000",
            "channels=2",
        ])
        .map(drop)
    }

    /// Records the monitor for `length` and returns the peak as a part of full scale, 0 to 1.
    ///
    /// # Errors
    /// [`PeerError`] when ffmpeg cannot read the monitor.
    pub fn peak(&self, length: Duration) -> Result<f64, PeerError> {
        let seconds = format!("{:.3}", length.as_secs_f64());
        let monitor = format!("{}.monitor", Self::SINK);
        let samples = run_to_end(
            Command::new("ffmpeg")
                .args([
                    "-v", "error", "-f", "pulse", "-i", &monitor, "-t", &seconds, "-f", "s16le", "-",
                ])
                .env("PULSE_SERVER", self.server()),
        )?;
        let peak = samples
            .chunks_exact(2)
            .map(|pair| i16::from_le_bytes([pair[0], pair[1]]).unsigned_abs())
            .max();
        Ok(f64::from(peak.unwrap_or(0)) / 32768.0)
    }

    fn control(&self, arguments: &[&str]) -> Result<String, PeerError> {
        let printed = run_to_end(
            Command::new("pactl")
                .args(arguments)
                .env("PULSE_SERVER", self.server()),
        )?;
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("native")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monitor_hears_what_is_played() {
        let mut pulse = PulseAudio::start().unwrap();
        assert!(
            pulse.peak(Duration::from_millis(200)).unwrap() < 0.001,
            "silence first"
        );
        pulse.play_tone(440).unwrap();
        let mut peak = 0.0;
        // The stream is listed a moment before its first sample is heard.
        wait_until("the tone in the monitor", Duration::from_secs(10), || {
            peak = pulse.peak(Duration::from_millis(300)).unwrap_or(0.0);
            peak > 0.05
        })
        .unwrap();
        assert!(
            peak < 0.3,
            "ffmpeg's sine peaks at an eighth of full scale, not {peak}"
        );
    }

    #[test]
    fn the_microphone_can_be_unplugged() {
        let pulse = PulseAudio::start().unwrap();
        pulse.unplug().unwrap();
        assert!(pulse.peak(Duration::from_millis(100)).is_err(), "it must be gone");
        pulse.plug_in().unwrap();
        assert!(
            pulse.peak(Duration::from_millis(100)).is_ok(),
            "and back under its name"
        );
    }
}
