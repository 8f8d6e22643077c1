//! The thread that mixes: 20 ms of sound a tick, whatever the sources do.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use gst::prelude::*;
use gst_utils::StreamProducer;
use protocol::{Db, SourceId, Transition};

use super::limiter::{LOOK_AHEAD, Limiter};
use super::outlet::{Inlet, Outlet};
use super::strip::{self, CLICK_FREE, Ramp, Strip};
use super::tap::{AudioTap, Wake, lock};
use super::{ProgramError, ProgramEvent, SoundInput};
use crate::StudioClock;
use crate::meter::Meter;

/// Frames a second.
pub(crate) const RATE: u64 = 48_000;
/// Frames of one tick: 20 ms, what one Opus packet holds.
const CHUNK: usize = 960;
/// −1 dBFS, so that a lossy encoder behind has room to overshoot.
const CEILING: f32 = 0.891_250_9;
const SECOND: u64 = 1_000_000_000;

/// Number of the sample nearest to a running time in nanoseconds.
pub(crate) fn sample_at(running: u64) -> u64 {
    ((u128::from(running) * u128::from(RATE) + u128::from(SECOND / 2)) / u128::from(SECOND)) as u64
}

/// Running time in nanoseconds of a sample.
pub(crate) fn running_at(sample: u64) -> u64 {
    (u128::from(sample) * u128::from(SECOND) / u128::from(RATE)) as u64
}

/// Mixes sources to one stream of sound.
#[derive(Debug)]
pub(crate) struct Mixer {
    outlet: Outlet,
    clock: StudioClock,
    shared: Arc<Shared>,
    /// Never touched by the thread.
    taps: Mutex<HashMap<SourceId, Arc<AudioTap>>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    stop: AtomicBool,
    wake: Arc<Wake>,
    changes: Mutex<Vec<Change>>,
    meter: Meter,
}

#[derive(Debug)]
enum Change {
    Inputs(Vec<Input>, u32),
    Master(f32),
}

#[derive(Debug)]
struct Input {
    source: SourceId,
    tap: Arc<AudioTap>,
    gains: [f32; 2],
}

impl Mixer {
    pub fn start(
        clock: &StudioClock,
        on_event: Arc<dyn Fn(ProgramEvent) + Send + Sync>,
    ) -> Result<Self, ProgramError> {
        let caps = gst_audio::AudioInfo::builder(gst_audio::AUDIO_FORMAT_F32, RATE as u32, 2)
            .build()?
            .to_caps()?;
        let (outlet, inlet) = Outlet::start("program-audio", &caps, clock, move |error| {
            on_event(ProgramEvent::Failed(error));
        })?;
        let pool = gst::BufferPool::new();
        let mut config = pool.config();
        config.set_params(Some(&caps), (CHUNK * 8) as u32, 8, 0);
        pool.set_config(config)?;
        pool.set_active(true)?;
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            wake: Arc::default(),
            changes: Mutex::default(),
            meter: Meter::new(),
        });
        let thread = Thread {
            shared: shared.clone(),
            clock: clock.clone(),
            inlet,
            pool,
            strips: Vec::new(),
            master: Ramp::at(1.0),
            limiter: Limiter::new(CEILING),
            source: [0.0; CHUNK * 2],
            mix: [0.0; CHUNK * 2],
        };
        let thread = std::thread::Builder::new()
            .name("program-audio".to_owned())
            .spawn(move || thread.run())
            .map_err(ProgramError::Thread)?;
        Ok(Self {
            outlet,
            clock: clock.clone(),
            shared,
            taps: Mutex::default(),
            thread: Some(thread),
        })
    }

    pub fn producer(&self) -> &StreamProducer {
        self.outlet.producer()
    }

    pub fn meter(&self) -> &Meter {
        &self.shared.meter
    }

    pub fn sound(&self, inputs: Vec<SoundInput>, transition: Transition) {
        let frames = match transition {
            Transition::Cut => CLICK_FREE,
            Transition::Fade { ms } => ms.saturating_mul(RATE as u32 / 1000).max(CLICK_FREE),
        };
        let mut taps = lock(&self.taps);
        let mut used = HashMap::new();
        let inputs = inputs
            .into_iter()
            .map(|input| {
                let tap = match taps.get(&input.source) {
                    Some(tap) if tap.listens_to(&input.audio) => tap.clone(),
                    _ => Arc::new(AudioTap::new(&input.audio, &self.clock, self.shared.wake.clone())),
                };
                used.insert(input.source.clone(), tap.clone());
                Input {
                    source: input.source,
                    tap,
                    gains: strip::gains(&input.controls),
                }
            })
            .collect();
        *taps = used;
        // Under the lock of the taps, so that two callers' changes stay in one order.
        lock(&self.shared.changes).push(Change::Inputs(inputs, frames));
    }

    pub fn set_master(&self, gain: Db, muted: bool) {
        let gain = if muted { 0.0 } else { gain.amplitude() as f32 };
        lock(&self.shared.changes).push(Change::Master(gain));
    }
}

impl Drop for Mixer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.wake.notify();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the mixing thread had panicked");
        }
    }
}

struct Thread {
    shared: Arc<Shared>,
    clock: StudioClock,
    inlet: Inlet,
    pool: gst::BufferPool,
    strips: Vec<(SourceId, Arc<AudioTap>, Strip)>,
    master: Ramp,
    limiter: Limiter,
    source: [f32; CHUNK * 2],
    mix: [f32; CHUNK * 2],
}

impl Thread {
    fn run(mut self) {
        let mut start = sample_at(self.now()).next_multiple_of(CHUNK as u64);
        loop {
            // The limiter gives what it took a look-ahead ago: reading ahead by as much keeps the timestamps true.
            let from = start + LOOK_AHEAD as u64;
            let end = from + CHUNK as u64;
            if !self.wait_for_tick(running_at(end)) {
                return;
            }
            self.take_changes();
            let allowed = self.wait_for_sources(end);
            self.mix(from);
            let Some(buffer) = self.buffer(start) else {
                tracing::error!("no memory for sound");
                start += CHUNK as u64;
                continue;
            };
            self.shared.meter.feed(&self.mix);
            if !self.inlet.push(buffer) {
                return;
            }
            self.inlet
                .on_latency(running_at((CHUNK + LOOK_AHEAD) as u64) + allowed);
            start += CHUNK as u64;
        }
    }

    fn now(&self) -> u64 {
        self.clock.running_time().nseconds()
    }

    /// `false` when it is over.
    fn wait_for_tick(&self, tick: u64) -> bool {
        loop {
            if self.shared.stop.load(Ordering::Relaxed) {
                return false;
            }
            match tick.checked_sub(self.now()) {
                None | Some(0) => return true,
                // The clock is the master here: this is the beat, not a wait for somebody.
                Some(left) => std::thread::sleep(Duration::from_nanos(left)),
            }
        }
    }

    fn take_changes(&mut self) {
        let changes = std::mem::take(&mut *lock(&self.shared.changes));
        for change in changes {
            match change {
                Change::Master(gain) => self.master.to(gain, CLICK_FREE),
                Change::Inputs(inputs, frames) => self.take_inputs(inputs, frames),
            }
        }
    }

    fn take_inputs(&mut self, inputs: Vec<Input>, frames: u32) {
        for (source, tap, strip) in &mut self.strips {
            // A source that comes with another producer leaves as the old one and comes as the new.
            if !inputs
                .iter()
                .any(|input| input.source == *source && Arc::ptr_eq(&input.tap, tap))
            {
                strip.go(frames);
            }
        }
        for input in inputs {
            let known = self
                .strips
                .iter_mut()
                .find(|(source, tap, _)| *source == input.source && Arc::ptr_eq(tap, &input.tap));
            match known {
                Some((_, _, strip)) => {
                    strip.move_to(input.gains);
                    strip.come(frames);
                }
                None => {
                    let mut strip = Strip::new(input.gains);
                    strip.come(frames);
                    self.strips.push((input.source, input.tap, strip));
                }
            }
        }
    }

    /// Waits until every source has sound up to the sample `end`, at most as long as each usually takes. How long
    /// past that sample the longest wait may be.
    fn wait_for_sources(&self, end: u64) -> u64 {
        let due = running_at(end);
        let mut longest = 0;
        loop {
            let seen = self.shared.wake.count();
            let now = self.now();
            let allowed = self
                .strips
                .iter()
                .filter_map(|(_, tap, _)| tap.allowance(end, now))
                .max()
                .unwrap_or(0);
            longest = longest.max(allowed);
            let left = (due + allowed).saturating_sub(now);
            if left == 0 || self.shared.stop.load(Ordering::Relaxed) {
                return longest;
            }
            self.shared.wake.wait(seen, Duration::from_nanos(left));
        }
    }

    fn mix(&mut self, from: u64) {
        self.mix.fill(0.0);
        for (_, tap, strip) in &mut self.strips {
            tap.read(from, &mut self.source);
            strip.add(&self.source, &mut self.mix);
        }
        self.strips.retain(|(_, _, strip)| !strip.gone());
        match self.master.steady() {
            Some(1.0) => {}
            Some(gain) => self.mix.iter_mut().for_each(|sample| *sample *= gain),
            None => {
                for frame in self.mix.chunks_exact_mut(2) {
                    let gain = self.master.next();
                    frame[0] *= gain;
                    frame[1] *= gain;
                }
            }
        }
        self.limiter.process(&mut self.mix);
    }

    fn buffer(&self, start: u64) -> Option<gst::Buffer> {
        let mut buffer = self.pool.acquire_buffer(None).ok()?;
        let to = buffer.get_mut()?;
        {
            let mut map = to.map_writable().ok()?;
            for (to, sample) in map.chunks_exact_mut(4).zip(&self.mix) {
                to.copy_from_slice(&sample.to_le_bytes());
            }
        }
        let end = start + CHUNK as u64;
        let pts = running_at(start);
        to.set_pts(gst::ClockTime::from_nseconds(pts));
        to.set_duration(gst::ClockTime::from_nseconds(running_at(end) - pts));
        to.set_offset(start);
        to.set_offset_end(end);
        Some(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_and_running_times_are_each_others_inverse() {
        for sample in [0, 1, 959, 960, 48_000, 172_800_000, 172_800_001] {
            assert_eq!(sample_at(running_at(sample)), sample);
        }
        assert_eq!(running_at(960), 20_000_000);
    }
}
