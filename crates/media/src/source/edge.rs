//! The edge between a source and the program: what stays while a source's insides come and go.
//!
//! An edge is an appsink without a pipeline, fed by whoever has the next buffer: a streaming thread of the source's
//! pipeline, or the source's own thread with a still or the slate. All times here are running times of the studio.
//! So consumers are linked once, whatever happens behind.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use gst::{ClockTime, prelude::*};
use gst_utils::{StreamProducer, streamproducer::ProducerSettings};
use protocol::Canvas;

use super::{
    error::SourceError,
    grid::{Grid, Snapper},
    picture::Picture,
};

/// Samples a second of all sound in the studio.
pub(crate) const RATE: u32 = 48_000;

/// Appsink, its producer, and the bare pad that feeds it.
#[derive(Debug)]
struct Edge {
    pad: gst::Pad,
    producer: StreamProducer,
}

impl Edge {
    fn new(name: &str) -> Result<Self, SourceError> {
        let appsink = gst_app::AppSink::builder()
            .name(name)
            .async_(false)
            .enable_last_sample(true)
            .max_buffers(4)
            .processing_deadline(ClockTime::ZERO)
            .build();
        // Whoever pushes has waited already; here a buffer goes on at once.
        let producer = StreamProducer::with(&appsink, ProducerSettings { sync: false });
        // A source's end is not the program's.
        producer.set_forward_events([]);
        let pad = gst::Pad::builder(gst::PadDirection::Src).name("edge").build();
        let element = || SourceError::ElementMissing { element: "appsink" };
        let sink_pad = appsink.static_pad("sink").ok_or_else(element)?;
        pad.link(&sink_pad).map_err(|_| element())?;
        pad.set_active(true).map_err(|_| element())?;
        appsink.set_state(gst::State::Playing).map_err(|_| element())?;
        pad.push_event(gst::event::StreamStart::new(name));
        Ok(Self { pad, producer })
    }

    fn set_caps(&self, caps: &gst::Caps) {
        self.pad.push_event(gst::event::Caps::new(caps));
        let segment = gst::FormattedSegment::<ClockTime>::new();
        self.pad.push_event(gst::event::Segment::new(&segment));
    }

    /// A failure can only be that the edge itself is being shut down.
    fn push(&self, buffer: gst::Buffer) {
        if let Err(flow) = self.pad.push(buffer) {
            tracing::trace!(%flow, "edge is shut");
        }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        // NULL first: it wakes a thread that is inside the sink, so that the pad can be shut.
        let _ = self.producer.appsink().set_state(gst::State::Null);
        let _ = self.pad.set_active(false);
    }
}

/// Holds buffers back by a constant time; paced by the buffers that follow.
#[derive(Debug)]
struct DelayLine<T> {
    delay: ClockTime,
    held: VecDeque<(ClockTime, T)>,
}

impl<T> DelayLine<T> {
    fn new() -> Self {
        Self {
            delay: ClockTime::ZERO,
            held: VecDeque::new(),
        }
    }

    fn set(&mut self, delay: ClockTime) {
        if delay != self.delay {
            self.delay = delay;
            self.held.clear();
        }
    }

    /// Takes what is of `time`, gives what is due then, with its new time.
    fn pass(&mut self, time: ClockTime, item: T, mut give: impl FnMut(ClockTime, T)) {
        if self.delay.is_zero() {
            return give(time, item);
        }
        self.held.push_back((time + self.delay, item));
        while self.held.front().is_some_and(|(due, _)| *due <= time) {
            if let Some((due, item)) = self.held.pop_front() {
                give(due, item);
            }
        }
    }
}

/// A lock that a panic elsewhere does not take away: what it guards is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The picture side.
#[derive(Debug)]
pub(crate) struct VideoEdge {
    edge: Edge,
    canvas: Canvas,
    grid: Grid,
    gate: Mutex<VideoGate>,
    /// Frame number + 1 of the last frame that went out, 0 before the first.
    last: AtomicU64,
}

#[derive(Debug)]
struct VideoGate {
    delay: DelayLine<(gst::Caps, gst::Buffer)>,
    out: VideoOut,
}

/// What went out last.
#[derive(Debug)]
struct VideoOut {
    snapper: Snapper,
    caps: Option<gst::Caps>,
    last: Option<gst::Buffer>,
}

impl VideoEdge {
    pub(crate) fn new(name: &str, canvas: Canvas) -> Result<Self, SourceError> {
        let grid = Grid::new(canvas.fps());
        Ok(Self {
            edge: Edge::new(&format!("{name}-video"))?,
            canvas,
            grid,
            gate: Mutex::new(VideoGate {
                delay: DelayLine::new(),
                out: VideoOut {
                    snapper: Snapper::new(grid),
                    caps: None,
                    last: None,
                },
            }),
            last: AtomicU64::new(0),
        })
    }

    pub(crate) fn producer(&self) -> &StreamProducer {
        &self.edge.producer
    }

    pub(crate) fn grid(&self) -> Grid {
        self.grid
    }

    /// What all pictures of all sources have in common, so that the compositor need not convert any:
    /// the canvas's rate, square pixels, progressive, BT.709, chroma sited as in H.264.
    pub(crate) fn caps(&self, format: gst_video::VideoFormat, width: u32, height: u32) -> gst::Caps {
        program_caps(self.canvas, format, width, height)
    }

    /// A picture of running time `time`: put on the grid and sent, or left out when its frame is taken.
    pub(crate) fn offer(&self, caps: &gst::Caps, buffer: gst::Buffer, time: ClockTime) {
        let VideoGate { delay, out } = &mut *lock(&self.gate);
        delay.pass(time, (caps.clone(), buffer), |time, (caps, buffer)| {
            self.send(out, &caps, buffer, time);
        });
    }

    /// A picture of the studio's own for one frame of the grid.
    pub(crate) fn show(&self, picture: &Picture, frame: u64) {
        let caps = self.caps(picture.format, picture.frame.width, picture.frame.height);
        let out = &mut lock(&self.gate).out;
        self.send(out, &caps, picture.buffer.clone(), self.grid.time(frame));
    }

    /// A picture that has no time, right behind the last one.
    pub(crate) fn show_next(&self, caps: &gst::Caps, buffer: gst::Buffer) {
        let next = self.last.load(Ordering::Relaxed);
        let out = &mut lock(&self.gate).out;
        self.send(out, caps, buffer, self.grid.time(next));
    }

    /// The last picture once more, so that a scene that has just been made shows it. False before the first.
    pub(crate) fn repeat(&self, frame: u64) -> bool {
        let out = &mut lock(&self.gate).out;
        let (Some(caps), Some(buffer)) = (out.caps.clone(), out.last.clone()) else {
            return false;
        };
        self.send(out, &caps, buffer, self.grid.time(frame));
        true
    }

    /// The picture that went out last.
    pub(crate) fn latest(&self) -> Option<gst::Sample> {
        let out = &lock(&self.gate).out;
        let (caps, buffer) = (out.caps.as_ref()?, out.last.as_ref()?);
        Some(gst::Sample::builder().caps(caps).buffer(buffer).build())
    }

    fn send(&self, out: &mut VideoOut, caps: &gst::Caps, mut buffer: gst::Buffer, time: ClockTime) {
        let Some(frame) = out.snapper.snap(time) else {
            return;
        };
        {
            // Copies the head only; the pixels stay where they are.
            let buffer = buffer.make_mut();
            buffer.set_pts(self.grid.time(frame));
            buffer.set_dts(ClockTime::NONE);
            buffer.set_duration(self.grid.duration(frame));
        }
        if out.caps.as_ref() != Some(caps) {
            self.edge.set_caps(caps);
            out.caps = Some(caps.clone());
        }
        out.last = Some(buffer.clone());
        self.last.store(frame + 1, Ordering::Relaxed);
        self.edge.push(buffer);
    }

    /// Last frame of the grid that went out.
    pub(crate) fn last_frame(&self) -> Option<u64> {
        self.last.load(Ordering::Relaxed).checked_sub(1)
    }

    pub(crate) fn delay(&self, delay: ClockTime) {
        lock(&self.gate).delay.set(delay);
    }
}

/// See [`VideoEdge::caps`].
pub(crate) fn program_caps(
    canvas: Canvas,
    format: gst_video::VideoFormat,
    width: u32,
    height: u32,
) -> gst::Caps {
    gst::Caps::builder("video/x-raw")
        .field("format", format.to_str())
        .field("width", width as i32)
        .field("height", height as i32)
        .field("framerate", gst::Fraction::new(canvas.fps() as i32, 1))
        .field("pixel-aspect-ratio", gst::Fraction::new(1, 1))
        .field("interlace-mode", "progressive")
        .field("colorimetry", "bt709")
        .field("chroma-site", "mpeg2")
        .build()
}

/// The sound side: F32LE, interleaved, stereo, 48 kHz.
#[derive(Debug)]
pub(crate) struct AudioEdge {
    edge: Edge,
    gate: Mutex<AudioGate>,
    /// End of the last buffer that went out, ns of running time; 0 before the first.
    end_ns: AtomicU64,
}

#[derive(Debug)]
struct AudioGate {
    delay: DelayLine<gst::Buffer>,
    /// Caps and segment have been said.
    started: bool,
}

impl AudioEdge {
    pub(crate) fn new(name: &str) -> Result<Self, SourceError> {
        Ok(Self {
            edge: Edge::new(&format!("{name}-audio"))?,
            gate: Mutex::new(AudioGate {
                delay: DelayLine::new(),
                started: false,
            }),
            end_ns: AtomicU64::new(0),
        })
    }

    pub(crate) fn producer(&self) -> &StreamProducer {
        &self.edge.producer
    }

    /// Stereo samples whose first is of running time `time`.
    pub(crate) fn offer(&self, buffer: gst::Buffer, time: ClockTime) {
        let mut gate = lock(&self.gate);
        if !gate.started {
            let caps = gst::Caps::builder("audio/x-raw")
                .field("format", "F32LE")
                .field("rate", RATE as i32)
                .field("channels", 2i32)
                .field("layout", "interleaved")
                .field("channel-mask", gst::Bitmask::new(0b11))
                .build();
            self.edge.set_caps(&caps);
            gate.started = true;
        }
        gate.delay.pass(time, buffer, |time, mut buffer| {
            let frames = buffer.size() as u64 / 8;
            let duration = ClockTime::from_nseconds(frames * 1_000_000_000 / u64::from(RATE));
            {
                let buffer = buffer.make_mut();
                buffer.set_pts(time);
                buffer.set_dts(ClockTime::NONE);
                buffer.set_duration(duration);
            }
            self.end_ns.store((time + duration).nseconds(), Ordering::Relaxed);
            self.edge.push(buffer);
        });
    }

    /// End of the last sound that went out, as running time.
    pub(crate) fn end(&self) -> Option<ClockTime> {
        Some(self.end_ns.load(Ordering::Relaxed))
            .filter(|&ns| ns > 0)
            .map(ClockTime::from_nseconds)
    }

    pub(crate) fn delay(&self, delay: ClockTime) {
        lock(&self.gate).delay.set(delay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_line_gives_each_item_once_later_and_in_order() {
        let mut line = DelayLine::new();
        line.set(ClockTime::from_mseconds(25));
        let mut given = Vec::new();
        for n in 0..10u64 {
            line.pass(ClockTime::from_mseconds(n * 10), n, |time, n| {
                given.push((time.mseconds(), n))
            });
        }
        let expected: Vec<_> = (0..7).map(|n| (n * 10 + 25, n)).collect();
        assert_eq!(given, expected, "three items are still held");
    }

    #[test]
    fn without_a_delay_nothing_is_held() {
        let mut line = DelayLine::new();
        let mut given = 0;
        line.pass(ClockTime::SECOND, (), |time, ()| {
            assert_eq!(time, ClockTime::SECOND);
            given += 1;
        });
        assert_eq!(given, 1);
    }
}
