//! Listening to a source's stream, on its own streaming thread, without ever holding it up.
//!
//! A tap is a probe on the sink pad of the source's appsink: no thread, no queue of GStreamer's. The streaming
//! thread leaves a reference (video) or a copy of some samples (audio) and goes on.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gst::prelude::*;
use gst_utils::StreamProducer;

use super::lateness::Lateness;
use super::ring::Ring;
use crate::StudioClock;

/// Most frames that wait for their time. A file's sink holds one; only a camera with a wrong clock comes near.
const MOST_FRAMES: usize = 16;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere is a bug of its own; what the lock guards is replaced whole, so it is still good.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes a program thread when data has arrived or something is to be done.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Wake {
    pub fn notify(&self) {
        *lock(&self.count) += 1;
        self.changed.notify_all();
    }

    /// What [`Wake::wait`] compares with.
    pub fn count(&self) -> u64 {
        *lock(&self.count)
    }

    /// Until the count differs from `seen`, or at most `timeout`.
    pub fn wait(&self, seen: u64, timeout: Duration) {
        let count = lock(&self.count);
        // Either end of the wait is handled alike: the caller looks at the clock and at its data.
        drop(
            self.changed
                .wait_timeout_while(count, timeout, |count| *count == seen),
        );
    }
}

/// A frame as its source made it.
#[derive(Debug, Clone)]
pub(crate) struct SourceFrame {
    pub running: u64,
    pub buffer: gst::Buffer,
    pub info: Arc<gst_video::VideoInfo>,
}

impl SourceFrame {
    /// The same pixels: a still picture and a repeated frame come in new buffers around the same memory.
    pub fn same_picture(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.info, &other.info)
            && self.buffer.n_memory() == other.buffer.n_memory()
            && self.buffer.n_memory() > 0
            && (0..self.buffer.n_memory())
                .all(|i| self.buffer.peek_memory(i).as_ptr() == other.buffer.peek_memory(i).as_ptr())
    }
}

#[derive(Debug, Default)]
struct Frames {
    waiting: VecDeque<SourceFrame>,
    shown: Option<SourceFrame>,
    lateness: Lateness,
    format: Option<(gst::Caps, Arc<gst_video::VideoInfo>)>,
}

impl Frames {
    fn info(&mut self, caps: gst::Caps) -> Option<Arc<gst_video::VideoInfo>> {
        if let Some((known, info)) = &self.format
            && (known.as_ptr() == caps.as_ptr() || *known == caps)
        {
            return Some(info.clone());
        }
        let info = Arc::new(gst_video::VideoInfo::from_caps(&caps).ok()?);
        self.format = Some((caps, info.clone()));
        Some(info)
    }
}

/// A source's pictures.
#[derive(Debug)]
pub(crate) struct VideoTap {
    producer: StreamProducer,
    probe: Option<(gst::Pad, gst::PadProbeId)>,
    frames: Arc<Mutex<Frames>>,
    /// Running time at which it began to listen, in nanoseconds.
    pub since: u64,
}

/// What a source has for one tick.
pub(crate) struct Picked {
    /// The frame to show.
    pub frame: Option<SourceFrame>,
    /// No later frame can become the one to show.
    pub settled: bool,
    /// How long past the tick to wait if it is not settled.
    pub allowance: u64,
}

impl VideoTap {
    pub fn new(producer: &StreamProducer, clock: &StudioClock, wake: Arc<Wake>) -> Self {
        let frames = Arc::new(Mutex::new(Frames::default()));
        // A source that is paused sends nothing, but it has a picture.
        if let Some(sample) = producer.last_sample()
            && let (Some(buffer), Some(caps)) = (sample.buffer_owned(), sample.caps_owned())
        {
            let mut frames = lock(&frames);
            frames.shown = frames.info(caps).map(|info| SourceFrame {
                running: 0,
                buffer,
                info,
            });
        }
        let shared = frames.clone();
        let ticking = clock.clone();
        let probe = producer.appsink().static_pad("sink").and_then(|pad| {
            let id = pad.add_probe(
                gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_FLUSH,
                move |pad, info| {
                    match &info.data {
                        Some(gst::PadProbeData::Buffer(buffer)) => {
                            if let Some(running) = running_time(pad, buffer) {
                                on_frame(&shared, pad, buffer, running, ticking.running_time().nseconds());
                                wake.notify();
                            }
                        }
                        // What was decoded before a seek is not shown after it.
                        Some(gst::PadProbeData::Event(event))
                            if event.type_() == gst::EventType::FlushStop =>
                        {
                            lock(&shared).waiting.clear();
                        }
                        _ => {}
                    }
                    gst::PadProbeReturn::Ok
                },
            )?;
            Some((pad, id))
        });
        Self {
            producer: producer.clone(),
            probe,
            frames,
            since: clock.running_time().nseconds(),
        }
    }

    pub fn listens_to(&self, producer: &StreamProducer) -> bool {
        self.producer == *producer
    }

    pub fn has_picture(&self) -> bool {
        let frames = lock(&self.frames);
        frames.shown.is_some() || !frames.waiting.is_empty()
    }

    /// The newest frame nearest to or before the tick at `tick`, `half` a frame time either way.
    pub fn pick(&self, tick: u64, half: u64, now: u64) -> Picked {
        let mut frames = lock(&self.frames);
        while let Some(frame) = frames.waiting.front()
            && frame.running < tick + half
        {
            frames.shown = frames.waiting.pop_front();
        }
        let newest = frames
            .waiting
            .back()
            .or(frames.shown.as_ref())
            .map_or(0, |frame| frame.running);
        let allowance = frames.lateness.allowance(now);
        Picked {
            frame: frames.shown.clone(),
            settled: allowance.is_none() || newest + half > tick,
            allowance: allowance.unwrap_or(0),
        }
    }
}

impl Drop for VideoTap {
    fn drop(&mut self) {
        if let Some((pad, id)) = self.probe.take() {
            pad.remove_probe(id);
        }
    }
}

fn on_frame(frames: &Mutex<Frames>, pad: &gst::Pad, buffer: &gst::Buffer, running: u64, now: u64) {
    let Some(caps) = pad.current_caps() else { return };
    let mut frames = lock(frames);
    let Some(info) = frames.info(caps) else { return };
    frames.lateness.on_arrival(running, now);
    // Time went back: the source started again.
    while frames.waiting.back().is_some_and(|last| last.running > running) {
        frames.waiting.pop_back();
    }
    if frames.waiting.len() == MOST_FRAMES {
        frames.shown = frames.waiting.pop_front();
    }
    frames.waiting.push_back(SourceFrame {
        running,
        buffer: buffer.clone(),
        info,
    });
}

/// Running time of a buffer at the pad; buffers before the program's time zero count as zero.
fn running_time(pad: &gst::Pad, buffer: &gst::BufferRef) -> Option<u64> {
    let event = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = event.segment().downcast_ref::<gst::ClockTime>()?;
    segment
        .to_running_time(buffer.pts()?)
        .map(gst::ClockTime::nseconds)
}

#[derive(Debug, Default)]
struct Samples {
    ring: Ring,
    lateness: Lateness,
}

/// A source's sound.
#[derive(Debug)]
pub(crate) struct AudioTap {
    producer: StreamProducer,
    probe: Option<(gst::Pad, gst::PadProbeId)>,
    samples: Arc<Mutex<Samples>>,
}

impl AudioTap {
    pub fn new(producer: &StreamProducer, clock: &StudioClock, wake: Arc<Wake>) -> Self {
        let samples = Arc::new(Mutex::new(Samples::default()));
        let shared = samples.clone();
        let clock = clock.clone();
        let refused = AtomicBool::new(false);
        let probe = producer.appsink().static_pad("sink").and_then(|pad| {
            let id = pad.add_probe(
                gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_FLUSH,
                move |pad, info| {
                    match &info.data {
                        Some(gst::PadProbeData::Buffer(buffer)) => {
                            if !is_studio_audio(pad) {
                                if !refused.swap(true, Ordering::Relaxed) {
                                    tracing::error!(caps = ?pad.current_caps(), "not 48 kHz stereo F32: silent");
                                }
                            } else if let Some(running) = running_time(pad, buffer) {
                                on_samples(&shared, buffer, running, clock.running_time().nseconds());
                                wake.notify();
                            }
                        }
                        Some(gst::PadProbeData::Event(event)) if event.type_() == gst::EventType::FlushStop => {
                            lock(&shared).ring.clear();
                        }
                        _ => {}
                    }
                    gst::PadProbeReturn::Ok
                },
            )?;
            Some((pad, id))
        });
        Self {
            producer: producer.clone(),
            probe,
            samples,
        }
    }

    pub fn listens_to(&self, producer: &StreamProducer) -> bool {
        self.producer == *producer
    }

    /// How long past `end` (both in samples) to wait for sound up to `end`, in nanoseconds; `None` when it is
    /// there, or not worth waiting for.
    pub fn allowance(&self, end: u64, now: u64) -> Option<u64> {
        let samples = lock(&self.samples);
        if samples.ring.end() >= end {
            return None;
        }
        samples.lateness.allowance(now)
    }

    /// Copies the interleaved samples from `at` on; silence where there are none.
    pub fn read(&self, at: u64, to: &mut [f32]) {
        lock(&self.samples).ring.read(at, to);
    }
}

impl Drop for AudioTap {
    fn drop(&mut self) {
        if let Some((pad, id)) = self.probe.take() {
            pad.remove_probe(id);
        }
    }
}

fn on_samples(samples: &Mutex<Samples>, buffer: &gst::BufferRef, running: u64, now: u64) {
    let Ok(map) = buffer.map_readable() else { return };
    let at = super::sound::sample_at(running);
    let mut samples = lock(samples);
    samples.ring.write(at, &map);
    // By the start of the buffer: the wait for a sample includes the wait for the rest of its buffer.
    samples.lateness.on_arrival(running, now);
}

/// Whether the pad carries 48 kHz stereo F32, interleaved.
pub(crate) fn is_studio_audio(pad: &gst::Pad) -> bool {
    pad.current_caps().is_some_and(|caps| {
        caps.structure(0).is_some_and(|s| {
            s.get::<&str>("format") == Ok("F32LE")
                && s.get::<i32>("rate") == Ok(super::sound::RATE as i32)
                && s.get::<i32>("channels") == Ok(2)
                && s.get::<&str>("layout") == Ok("interleaved")
        })
    })
}
