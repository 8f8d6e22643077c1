//! Levels and loudness of a stereo stream.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ebur128::{EbuR128, Mode};
use gst::prelude::*;
use gst_utils::StreamProducer;
use protocol::{ChannelLevel, Db, Levels, Loudness};

use crate::program::{is_studio_audio, lock};

/// Hz.
const RATE: u32 = 48_000;
/// Frames between two readings of the loudness: 100 ms, the overlap that EBU Tech 3341 asks for.
const STEP: usize = 4800;
/// A stream without sound for so long has no momentary loudness.
const STALE: Duration = Duration::from_millis(600);
/// LUFS; what is below the absolute gate of BS.1770 is silence.
const GATE: f64 = -70.0;

/// Measures peak and RMS since the last reading, and loudness by EBU R 128.
///
/// Reading never holds up the thread that feeds: what it cannot hand over now it hands over with the next buffer.
#[derive(Debug)]
pub struct Meter {
    shared: Arc<Shared>,
    probe: Option<(gst::Pad, gst::PadProbeId)>,
}

#[derive(Debug)]
struct Shared {
    /// The feeding thread's own; nobody else takes this lock.
    feeding: Mutex<Feeding>,
    read: Mutex<Sums>,
    loudness: [AtomicU32; 3],
    fed_at: Mutex<Option<Instant>>,
    reset: AtomicBool,
}

struct Feeding {
    /// `None` only if the library refuses 48 kHz stereo.
    ebu: Option<EbuR128>,
    since_step: usize,
    sums: Sums,
    scratch: Vec<f32>,
}

impl std::fmt::Debug for Feeding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feeding")
            .field("sums", &self.sums)
            .finish_non_exhaustive()
    }
}

/// Since the last reading: largest amplitude, sum of squares, frames.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    peak: [f32; 2],
    squares: [f64; 2],
    frames: u64,
}

impl Sums {
    fn add(&mut self, samples: &[f32]) {
        let mut squares = [0f32; 2];
        for frame in samples.chunks_exact(2) {
            for channel in 0..2 {
                self.peak[channel] = self.peak[channel].max(frame[channel].abs());
                squares[channel] += frame[channel] * frame[channel];
            }
        }
        for (sum, squares) in self.squares.iter_mut().zip(squares) {
            *sum += f64::from(squares);
        }
        self.frames += samples.len() as u64 / 2;
    }

    fn merge(&mut self, other: Self) {
        for channel in 0..2 {
            self.peak[channel] = self.peak[channel].max(other.peak[channel]);
            self.squares[channel] += other.squares[channel];
        }
        self.frames += other.frames;
    }

    fn level(&self, channel: usize) -> ChannelLevel {
        let mean = self.squares[channel] / self.frames.max(1) as f64;
        ChannelLevel {
            peak: Db::from_amplitude(self.peak[channel]),
            rms: Db::from_amplitude(mean.sqrt() as f32),
        }
    }
}

impl Meter {
    /// A meter that is fed by hand.
    pub(crate) fn new() -> Self {
        // A histogram keeps the memory of an endless show at a few kilobytes.
        let ebu = EbuR128::new(2, RATE, Mode::M | Mode::S | Mode::I | Mode::HISTOGRAM);
        if let Err(error) = &ebu {
            tracing::error!(%error, "loudness is not measured");
        }
        let none = || AtomicU32::new(f32::NAN.to_bits());
        Self {
            shared: Arc::new(Shared {
                feeding: Mutex::new(Feeding {
                    ebu: ebu.ok(),
                    since_step: 0,
                    sums: Sums::default(),
                    scratch: Vec::new(),
                }),
                read: Mutex::default(),
                loudness: [none(), none(), none()],
                fed_at: Mutex::new(None),
                reset: AtomicBool::new(false),
            }),
            probe: None,
        }
    }

    /// Measures a source's sound (48 kHz stereo F32) on its streaming thread, before fader and mute, until dropped.
    pub fn attach(producer: &StreamProducer) -> Self {
        let mut meter = Self::new();
        let shared = meter.shared.clone();
        meter.probe = producer.appsink().static_pad("sink").and_then(|pad| {
            let id = pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
                if let Some(gst::PadProbeData::Buffer(buffer)) = &info.data
                    && is_studio_audio(pad)
                    && let Ok(map) = buffer.map_readable()
                {
                    shared.feed_bytes(&map);
                }
                gst::PadProbeReturn::Ok
            })?;
            Some((pad, id))
        });
        meter
    }

    /// Takes interleaved stereo samples at 48 kHz.
    pub(crate) fn feed(&self, samples: &[f32]) {
        self.shared.feed(&mut lock(&self.shared.feeding), samples);
    }

    /// Peak and RMS of what came since the last call; silence when nothing came.
    pub fn levels(&self) -> Levels {
        let sums = std::mem::take(&mut *lock(&self.shared.read));
        if sums.frames == 0 {
            return Levels::SILENCE;
        }
        Levels {
            left: sums.level(0),
            right: sums.level(1),
        }
    }

    /// Loudness now. Once the stream has stopped only the integrated loudness remains.
    pub fn loudness(&self) -> Loudness {
        let fresh = lock(&self.shared.fed_at).is_some_and(|at| at.elapsed() < STALE);
        let read = |index: usize| {
            let value = f32::from_bits(self.shared.loudness[index].load(Ordering::Relaxed));
            (!value.is_nan()).then_some(value)
        };
        Loudness {
            momentary: read(0).filter(|_| fresh),
            short_term: read(1).filter(|_| fresh),
            integrated: read(2),
        }
    }

    /// Begins the integrated loudness anew, with the next buffer.
    pub fn reset_integrated(&self) {
        self.shared.reset.store(true, Ordering::Relaxed);
        self.shared.loudness[2].store(f32::NAN.to_bits(), Ordering::Relaxed);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some((pad, id)) = self.probe.take() {
            pad.remove_probe(id);
        }
    }
}

impl Shared {
    fn feed_bytes(&self, bytes: &[u8]) {
        let mut feeding = lock(&self.feeding);
        let mut samples = std::mem::take(&mut feeding.scratch);
        samples.clear();
        samples.extend(
            bytes
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                // One NaN would stay in the filters for ever.
                .map(|sample| if sample.is_finite() { sample } else { 0.0 }),
        );
        self.feed(&mut feeding, &samples);
        feeding.scratch = samples;
    }

    fn feed(&self, feeding: &mut Feeding, samples: &[f32]) {
        feeding.sums.add(samples);
        if let Ok(mut read) = self.read.try_lock() {
            read.merge(std::mem::take(&mut feeding.sums));
        }
        if let Ok(mut fed_at) = self.fed_at.try_lock() {
            *fed_at = Some(Instant::now());
        }
        let Some(ebu) = &mut feeding.ebu else { return };
        if self.reset.swap(false, Ordering::Relaxed) {
            ebu.reset();
            feeding.since_step = 0;
        }
        let mut rest = samples;
        while !rest.is_empty() {
            let take = rest.len().min((STEP - feeding.since_step) * 2);
            let (part, later) = rest.split_at(take);
            rest = later;
            if let Err(error) = ebu.add_frames_f32(part) {
                tracing::trace!(%error, "loudness skipped a buffer");
            }
            feeding.since_step += take / 2;
            if feeding.since_step == STEP || take < 2 {
                feeding.since_step = 0;
                let values = [
                    ebu.loudness_momentary(),
                    ebu.loudness_shortterm(),
                    ebu.loudness_global(),
                ];
                for (slot, value) in self.loudness.iter().zip(values) {
                    let value = value
                        .ok()
                        .filter(|value| *value > GATE)
                        .map_or(f32::NAN, |value| value as f32);
                    slot.store(value.to_bits(), Ordering::Relaxed);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stereo sine of 1 kHz with a peak of `dbfs`, in buffers of 20 ms.
    fn feed_sine(meter: &Meter, dbfs: f32, seconds: usize) {
        let amplitude = 10f32.powf(dbfs / 20.0);
        let samples: Vec<f32> = (0..960)
            .flat_map(|i| {
                let value = amplitude * (std::f32::consts::TAU * i as f32 / 48.0).sin();
                [value, value]
            })
            .collect();
        for _ in 0..seconds * 50 {
            meter.feed(&samples);
        }
    }

    fn near(value: f32, wanted: f32, tolerance: f32, what: &str) {
        assert!(
            (value - wanted).abs() <= tolerance,
            "{what} is {value}, not {wanted}"
        );
    }

    #[test]
    fn a_sine_reads_its_peak_and_three_less_as_rms_once() {
        let meter = Meter::new();
        feed_sine(&meter, -20.0, 1);
        let levels = meter.levels();
        for channel in [levels.left, levels.right] {
            near(channel.peak.value(), -20.0, 0.02, "peak");
            near(channel.rms.value(), -23.01, 0.02, "RMS");
        }
        assert_eq!(meter.levels(), Levels::SILENCE, "each reading starts anew");
    }

    #[test]
    fn channels_are_told_apart() {
        let meter = Meter::new();
        meter.feed(&[0.5, 0.0, -0.5, 0.0]);
        let levels = meter.levels();
        near(levels.left.peak.value(), -6.02, 0.01, "left");
        assert_eq!(levels.right, Levels::SILENCE.right);
    }

    /// EBU Tech 3341, cases 1 and 2.
    #[test]
    fn loudness_reads_as_the_ebu_says() {
        for level in [-23.0, -33.0] {
            let meter = Meter::new();
            feed_sine(&meter, level, 20);
            let loudness = meter.loudness();
            for (value, what) in [
                (loudness.momentary, "momentary"),
                (loudness.short_term, "short-term"),
                (loudness.integrated, "integrated"),
            ] {
                near(value.expect("there was sound"), level, 0.1, what);
            }
        }
    }

    /// EBU Tech 3341, case 3: the relative gate leaves out what is 10 LU quieter.
    #[test]
    fn the_gate_leaves_out_quiet_stretches() {
        let meter = Meter::new();
        feed_sine(&meter, -36.0, 10);
        feed_sine(&meter, -23.0, 60);
        feed_sine(&meter, -36.0, 10);
        near(
            meter.loudness().integrated.expect("sound"),
            -23.0,
            0.1,
            "integrated",
        );
    }

    #[test]
    fn silence_has_no_loudness_and_a_reset_forgets() {
        let meter = Meter::new();
        meter.feed(&[0.0; 96_000]);
        assert_eq!(meter.loudness(), Loudness::default());
        feed_sine(&meter, -10.0, 4);
        assert!(meter.loudness().integrated.is_some());
        meter.reset_integrated();
        assert_eq!(meter.loudness().integrated, None, "at once");
        feed_sine(&meter, -30.0, 4);
        near(
            meter.loudness().integrated.expect("sound"),
            -30.0,
            0.1,
            "integrated",
        );
    }
}
