//! One clock and one base time for every pipeline.

use gst::prelude::*;

/// The clock and base time that all pipelines of a studio share.
///
/// A running time means the same instant in every pipeline: the time since the studio started.
#[derive(Debug, Clone)]
pub struct StudioClock {
    clock: gst::Clock,
    base_time: gst::ClockTime,
}

impl StudioClock {
    /// Starts counting now, on the system's monotonic clock.
    pub fn start() -> Self {
        let clock = gst::SystemClock::obtain();
        let base_time = clock.time();
        Self { clock, base_time }
    }

    /// Puts a pipeline on this clock. Call before PLAYING, and again whenever it comes back from NULL.
    pub fn govern(&self, pipeline: &gst::Pipeline) {
        pipeline.use_clock(Some(&self.clock));
        pipeline.set_start_time(gst::ClockTime::NONE);
        pipeline.set_base_time(self.base_time);
    }

    /// Now, as running time of every governed pipeline.
    pub fn running_time(&self) -> gst::ClockTime {
        self.clock.time().saturating_sub(self.base_time)
    }

    /// Now, rounded up to the next frame of a program at `fps` frames a second.
    ///
    /// Sources that start on the grid are shown without a phase error.
    pub fn next_frame(&self, fps: u32) -> gst::ClockTime {
        let second = u128::from(gst::ClockTime::SECOND.nseconds());
        let frame = (u128::from(self.running_time().nseconds()) * u128::from(fps)).div_ceil(second);
        gst::ClockTime::from_nseconds((frame * second / u128::from(fps)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_frame_is_on_the_grid_and_not_past() {
        gst::init().expect("GStreamer is installed");
        let clock = StudioClock::start();
        let before = clock.running_time();
        let frame = clock.next_frame(30);
        assert!(frame >= before, "{frame} is before {before}");
        let n = (frame.nseconds() as f64 * 30.0 / 1e9).round() as u64;
        assert_eq!(
            frame.nseconds(),
            n * 1_000_000_000 / 30,
            "off the grid of 30 frames a second"
        );
    }
}
