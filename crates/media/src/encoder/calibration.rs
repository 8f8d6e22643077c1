//! What x264 costs on this machine, and which of its presets leaves room for everything else.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use protocol::{Canvas, ErrorCode, H264Profile, UserError};
use serde::{Deserialize, Serialize};

use super::candidates::{VideoSettings, X264, X264_PRESETS, candidate};
use super::trial;

/// Time for one preset. Three of them and their pictures stay under one second.
const PRESET_WITHIN: Duration = Duration::from_millis(220);
/// Frames measured for one preset, when there is time.
const FRAMES: usize = 14;
/// What the program, sources, sound, preview and outputs take, in percent of one core, generously.
const EVERYTHING_ELSE: u32 = 100;
/// Most of the machine that the studio plans to take with one encode. The rest is for the desk's window and for
/// scenes that are harder than the test picture.
const MOST_WITH_ONE: u32 = 80;
/// Most of the machine that it plans to take with two: a second rendition is a luxury.
const MOST_WITH_TWO: u32 = 40;

/// What one preset costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresetCost {
    /// x264's name for it.
    pub preset: String,
    /// Of one core, for one encode of the canvas.
    pub percent: u32,
}

/// x264 on this machine, for one canvas. Worth keeping: it changes with the machine and the canvas only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibration {
    /// What was encoded.
    pub canvas: Canvas,
    /// Processor threads that this process may use.
    pub cores: usize,
    /// All presets, best first.
    pub costs: Vec<PresetCost>,
    /// The best that leaves room.
    pub preset: String,
    /// There is room for a second encode at that preset.
    pub room_for_second: bool,
}

impl Calibration {
    /// What the chosen preset costs, in percent of one core.
    pub fn cost_percent(&self) -> Option<u32> {
        let chosen = self.costs.iter().find(|cost| cost.preset == self.preset);
        chosen.map(|cost| cost.percent)
    }

    fn from_costs(canvas: Canvas, cores: usize, costs: Vec<PresetCost>) -> Self {
        let whole = u32::try_from(cores).unwrap_or(1).max(1) * 100;
        let fits = |encodes: u32, most: u32| (encodes + EVERYTHING_ELSE) * 100 / whole <= most;
        let chosen = costs
            .iter()
            .find(|cost| fits(cost.percent, MOST_WITH_ONE))
            .or(costs.last());
        let (preset, percent) = chosen.map_or((X264_PRESETS[0].to_owned(), 0), |cost| {
            (cost.preset.clone(), cost.percent)
        });
        Self {
            canvas,
            cores,
            preset,
            room_for_second: fits(percent.saturating_mul(2), MOST_WITH_TWO),
            costs,
        }
    }
}

/// Measures x264's presets at the canvas's size. Takes less than a second of one core: never on air.
///
/// # Errors
/// `NoEncoder` when x264 is not installed or makes nothing.
pub fn calibrate(canvas: Canvas) -> Result<Calibration, UserError> {
    let begun = Instant::now();
    let none = || UserError::new(ErrorCode::NoEncoder).with("missing", X264);
    let x264 = candidate(X264).ok_or_else(none)?;
    let pictures = trial::pictures(canvas);
    let mut costs = Vec::new();
    for preset in X264_PRESETS {
        let settings = VideoSettings {
            canvas,
            profile: H264Profile::ConstrainedBaseline,
            kbps: rate_of(canvas),
            preset: Some(preset.to_owned()),
            low_delay: true,
            one_thread: true,
        };
        let trial = trial::run(x264, &settings, &pictures, FRAMES, PRESET_WITHIN).map_err(|error| {
            tracing::warn!(preset, %error, "calibration failed");
            none()
        })?;
        let frame = typical(trial.busy).ok_or_else(none)?;
        let percent = frame.as_secs_f64() * f64::from(canvas.fps()) * 100.0;
        costs.push(PresetCost {
            preset: preset.to_owned(),
            percent: percent.ceil() as u32,
        });
    }
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let calibration = Calibration::from_costs(canvas, cores, costs);
    tracing::info!(
        ms = begun.elapsed().as_millis() as u64,
        preset = calibration.preset,
        percent = calibration.cost_percent(),
        room_for_second = calibration.room_for_second,
        "x264 calibrated"
    );
    Ok(calibration)
}

/// kb/s that such a canvas is usually sent at.
fn rate_of(canvas: Canvas) -> u32 {
    let pixels = u64::from(canvas.width()) * u64::from(canvas.height()) * u64::from(canvas.fps());
    u32::try_from(pixels / 9200).unwrap_or(60_000).clamp(500, 60_000)
}

/// A frame's usual time: below the middle, because whatever else runs only ever makes frames slower.
fn typical(mut busy: Vec<Duration>) -> Option<Duration> {
    busy.sort_unstable();
    busy.get(busy.len() / 3).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(percents: [u32; 3]) -> Vec<PresetCost> {
        X264_PRESETS
            .iter()
            .zip(percents)
            .map(|(preset, percent)| PresetCost {
                preset: (*preset).to_owned(),
                percent,
            })
            .collect()
    }

    fn chosen(cores: usize, percents: [u32; 3]) -> (String, bool) {
        let c = Calibration::from_costs(Canvas::default(), cores, costs(percents));
        (c.preset, c.room_for_second)
    }

    #[test]
    fn the_best_preset_that_leaves_room_is_taken() {
        assert_eq!(
            chosen(2, [28, 15, 9]),
            ("veryfast".to_owned(), false),
            "720p30 on two cores"
        );
        assert_eq!(
            chosen(2, [65, 36, 20]),
            ("superfast".to_owned(), false),
            "1080p30 on two cores"
        );
        assert_eq!(
            chosen(2, [130, 72, 39]),
            ("ultrafast".to_owned(), false),
            "1080p60 on two cores"
        );
        assert_eq!(
            chosen(8, [65, 36, 20]),
            ("veryfast".to_owned(), true),
            "1080p30 on eight cores"
        );
        assert_eq!(
            chosen(1, [90, 50, 30]),
            ("ultrafast".to_owned(), false),
            "nothing fits, the cheapest runs"
        );
    }

    #[test]
    fn measuring_takes_under_a_second_and_finds_the_order_of_presets() {
        crate::init().expect("GStreamer is installed");
        let begun = Instant::now();
        let calibration = calibrate(Canvas::default()).expect("x264 is installed");
        let took = begun.elapsed();
        let percents: Vec<_> = calibration.costs.iter().map(|cost| cost.percent).collect();
        println!("{calibration:?} in {took:?}");
        assert!(took < Duration::from_millis(1500), "{took:?} on a loaded machine");
        assert!(
            percents[0] > percents[2],
            "veryfast costs more than ultrafast: {percents:?}"
        );
        assert!(calibration.cost_percent().is_some_and(|percent| percent > 0));
    }

    #[test]
    fn it_can_be_kept() {
        let kept = Calibration::from_costs(Canvas::default(), 4, costs([28, 15, 9]));
        let text = serde_json::to_string(&kept).expect("it has a text");
        assert_eq!(
            serde_json::from_str::<Calibration>(&text).expect("it is one"),
            kept
        );
    }
}
