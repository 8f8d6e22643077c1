//! The program's frame grid: which frame of the program a picture belongs to.

use gst::ClockTime;

const SECOND: u128 = 1_000_000_000;

/// How far a picture may stand from the frame after the previous one and still be taken as that frame, in frames.
///
/// A camera whose phase is half a frame would otherwise fall to either side by chance of its jitter, and every
/// fall costs one picture and doubles another. More than this and sound and picture part by over 20 ms at 30 fps.
const STICKINESS: f64 = 0.6;

/// Frames of a program at a whole number of frames a second; frame 0 is at running time 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    fps: u32,
}

impl Grid {
    pub(crate) fn new(fps: u32) -> Self {
        Self { fps }
    }

    /// When frame `n` is shown, as running time.
    pub(crate) fn time(self, n: u64) -> ClockTime {
        ClockTime::from_nseconds((u128::from(n) * SECOND / u128::from(self.fps)) as u64)
    }

    /// How long frame `n` is shown; the lengths add up without a rest.
    pub(crate) fn duration(self, n: u64) -> ClockTime {
        self.time(n + 1) - self.time(n)
    }

    /// First frame at or after `time`.
    pub(crate) fn at_or_after(self, time: ClockTime) -> u64 {
        (u128::from(time.nseconds()) * u128::from(self.fps)).div_ceil(SECOND) as u64
    }

    fn position(self, time: ClockTime) -> f64 {
        time.nseconds() as f64 * f64::from(self.fps) / SECOND as f64
    }
}

/// Gives each picture of one source its frame; never the same one twice, never one that is past.
#[derive(Debug)]
pub(crate) struct Snapper {
    grid: Grid,
    last: Option<u64>,
}

impl Snapper {
    pub(crate) fn new(grid: Grid) -> Self {
        Self { grid, last: None }
    }

    /// The frame that a picture of running time `time` is shown as; `None` when that frame has been given.
    pub(crate) fn snap(&mut self, time: ClockTime) -> Option<u64> {
        let position = self.grid.position(time);
        let frame = match self.last {
            Some(last) if (position - (last + 1) as f64).abs() <= STICKINESS => last + 1,
            _ => position.round() as u64,
        };
        if self.last.is_some_and(|last| frame <= last) {
            return None;
        }
        self.last = Some(frame);
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(fps_in: f64, phase_ms: f64, jitter_ms: f64) -> Vec<Option<u64>> {
        let mut snapper = Snapper::new(Grid::new(30));
        (0..300)
            .map(|n| {
                // A fixed pattern, so that the test says the same each time.
                let jitter = jitter_ms * f64::from((n * 7919) % 13 - 6) / 6.0;
                let ms = 1000.0 + f64::from(n) * 1000.0 / fps_in + phase_ms + jitter;
                snapper.snap(ClockTime::from_nseconds((ms * 1e6) as u64))
            })
            .collect()
    }

    #[test]
    fn a_jittering_camera_loses_no_picture_whatever_its_phase() {
        for phase in [0.0, 5.0, 12.0, 16.6, 20.0, 28.0] {
            let frames: Vec<u64> = frames(30.0, phase, 2.5)
                .into_iter()
                .map(|frame| frame.expect("30 into 30 frames a second leaves nothing out"))
                .collect();
            assert!(
                frames.windows(2).all(|pair| pair[1] == pair[0] + 1),
                "phase {phase} ms skips a frame"
            );
        }
    }

    #[test]
    fn twice_the_rate_keeps_every_second_picture() {
        let kept = frames(60.0, 3.0, 0.0).into_iter().flatten().count();
        assert!((149..=151).contains(&kept), "kept {kept} of 300");
    }

    #[test]
    fn the_error_is_bounded() {
        let mut snapper = Snapper::new(Grid::new(30));
        // 29.97 into 30: the phase wanders through everything.
        for n in 0..3000u64 {
            let time = ClockTime::from_nseconds(n * 1001 * 1_000_000 / 30);
            if let Some(frame) = snapper.snap(time) {
                let error = Grid::new(30).time(frame).nseconds().abs_diff(time.nseconds());
                assert!(error <= 20_100_000, "picture {n} is {error} ns off");
            }
        }
    }

    #[test]
    fn durations_add_up() {
        let grid = Grid::new(30);
        let sum: u64 = (0..30).map(|n| grid.duration(n).nseconds()).sum();
        assert_eq!(sum, 1_000_000_000);
        assert_eq!(grid.at_or_after(ClockTime::from_nseconds(1)), 1);
    }
}
