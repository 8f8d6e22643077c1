//! Encoders that work here and what they cost: measured off air, kept between starts.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use media::encoder::{self, Calibration};
use protocol::{Canvas, EncoderChoice, EncoderInfo, ErrorCode, UserError};
use serde::{Deserialize, Serialize};

/// File of the last measurement, in the data folder.
const FILE: &str = "encoders.json";
/// A measurement is made again after so long: drivers and graphics cards change.
const FRESH_FOR: Duration = Duration::from_secs(7 * 86_400);

/// What the probe and the calibration found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encoders {
    canvas: Canvas,
    /// Processor threads at the time: another number is another machine.
    cores: usize,
    /// The studio's version: another one may know more encoders.
    version: String,
    found: Vec<EncoderInfo>,
    calibration: Option<Calibration>,
}

impl Encoders {
    /// Tries every encoder and measures x264, for up to some seconds. Off air only.
    pub fn measure(canvas: Canvas) -> Self {
        let found = encoder::probe(canvas);
        // Without x264 there is nothing to calibrate; the others have no presets that matter here.
        let calibration = encoder::calibrate(canvas).ok();
        Self {
            canvas,
            cores: cores(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            found,
            calibration,
        }
    }

    /// The last measurement, if it is of this machine, this canvas, and not old.
    pub fn kept(folder: &Path, canvas: Canvas) -> Option<Self> {
        let path = folder.join(FILE);
        let age = SystemTime::now()
            .duration_since(std::fs::metadata(&path).ok()?.modified().ok()?)
            .ok()?;
        let kept: Self = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
        let same =
            kept.canvas == canvas && kept.cores == cores() && kept.version == env!("CARGO_PKG_VERSION");
        (same && age < FRESH_FOR && !kept.found.is_empty()).then_some(kept)
    }

    /// Keeps the measurement for the next start. Losing it costs a second of measuring, so a failure is only logged.
    pub fn keep(&self, folder: &Path) {
        let write = || -> std::io::Result<()> {
            let fresh: PathBuf = folder.join(format!("{FILE}.new"));
            std::fs::write(&fresh, serde_json::to_vec(self)?)?;
            std::fs::rename(&fresh, folder.join(FILE))
        };
        if let Err(error) = write() {
            tracing::warn!(%error, "the measurement of encoders was not kept");
        }
    }

    /// All that work, with the chosen one marked.
    pub fn list(&self, choice: &EncoderChoice) -> Vec<EncoderInfo> {
        encoder::choose(self.found.clone(), choice, self.calibration.as_ref()).unwrap_or_default()
    }

    /// The one to take.
    ///
    /// # Errors
    /// [`ErrorCode::NoEncoder`] when none works.
    pub fn chosen(&self, choice: &EncoderChoice) -> Result<EncoderInfo, UserError> {
        let list = encoder::choose(self.found.clone(), choice, self.calibration.as_ref())?;
        list.into_iter()
            .find(|e| e.chosen)
            .ok_or_else(|| UserError::new(ErrorCode::NoEncoder).with("missing", "x264enc"))
    }

    /// Whether a second encode has room beside the first.
    pub fn room_for_second(&self) -> bool {
        self.calibration.as_ref().is_some_and(|c| c.room_for_second)
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
