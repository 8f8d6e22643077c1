//! Media files: decoded by whatever GStreamer has, looped without a gap, sought, paused.

use std::{
    fs::{self, File},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::SyncSender,
    },
    time::{Duration, Instant, SystemTime},
};

use gst::{ClockTime, prelude::*};
use protocol::Canvas;

use super::{
    actor::{Event, Inside},
    chain::{self, Flow, Pace, make},
    edge::{AudioEdge, VideoEdge},
    error::{Trouble, file_error, from_file_pipeline, media_unreadable},
    grid::Grid,
    laps::{self, Loop},
};
use crate::{PipelineMessage, StudioClock, supervise};

/// Buffers leave this long before they are due: a slow picture or a busy moment then costs nothing.
const LEAD: ClockTime = ClockTime::from_mseconds(60);
/// From the decision to play to the first picture.
const HEAD_START: ClockTime = ClockTime::from_mseconds(70);
/// Opening a file may take this long, on a sleeping disk.
const PREROLL_MOST: Duration = Duration::from_secs(10);
/// A turn that ends more than this before the medium's own length was cut short.
const SHORT_BY: ClockTime = ClockTime::from_seconds(1);

/// What a player needs of its source.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) canvas: Canvas,
    pub(crate) clock: StudioClock,
    pub(crate) video: Option<Arc<VideoEdge>>,
    pub(crate) audio: Option<Arc<AudioEdge>>,
    pub(crate) events: SyncSender<Event>,
    /// Which try this is: what older tries still say is not listened to.
    pub(crate) generation: u64,
}

impl Surroundings {
    pub(crate) fn tell(&self, inside: Inside) {
        // Full only when hundreds of errors are waiting, of which the first is the cause.
        let _ = self.events.try_send(Event::Inside(self.generation, inside));
    }
}

/// What is on disk, to see whether it was changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    pub(crate) fn of(path: &str) -> Option<Self> {
        let meta = fs::metadata(path).ok()?;
        Some(Self {
            length: meta.len(),
            modified: meta.modified().ok(),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// Waits until all streams have their first buffer.
    Prerolling {
        since: Instant,
        /// The seek that makes the medium loop has been sent.
        sought: bool,
    },
    Playing,
    /// By the host; since this running time.
    Paused(ClockTime),
    Ended,
}

/// One try at playing one file.
#[derive(Debug)]
pub(crate) struct Player {
    path: String,
    looping: bool,
    pipeline: gst::Pipeline,
    around: Surroundings,
    flow: Arc<Flow>,
    laps: Arc<Loop>,
    streams: Arc<Streams>,
    phase: Phase,
    paused: bool,
    duration: Option<ClockTime>,
    stamp: Option<Stamp>,
    /// Where the streams of this turn ended.
    ends: Vec<ClockTime>,
}

/// Which streams the medium has, and how many of them flow.
#[derive(Debug, Default)]
struct Streams {
    /// Set by the first stream of its kind; further ones are not played.
    video: AtomicBool,
    audio: AtomicBool,
    /// What the medium says that it has, of what the source can use; [`UNKNOWN`] before it has said anything.
    expected: AtomicUsize,
    /// Streams whose chain is linked and started.
    linked: AtomicUsize,
}

/// Larger than any number of streams.
const UNKNOWN: usize = usize::MAX;

impl Streams {
    fn new() -> Self {
        Self {
            expected: AtomicUsize::new(UNKNOWN),
            ..Self::default()
        }
    }

    /// Notes how many streams will be played: one of each kind that the source can use.
    fn expect(&self, found: &gst::StreamCollection, around: &Surroundings) {
        let has = |kind| found.iter().any(|stream| stream.stream_type().contains(kind));
        let video = around.video.is_some() && has(gst::StreamType::VIDEO);
        let audio = around.audio.is_some() && has(gst::StreamType::AUDIO);
        let expected = usize::from(video) + usize::from(audio);
        self.expected.store(expected, Ordering::Release);
    }

    fn complete(&self) -> bool {
        self.linked.load(Ordering::Acquire) >= self.expected.load(Ordering::Acquire)
    }

    fn count(&self) -> usize {
        self.linked.load(Ordering::Acquire)
    }
}

impl Player {
    /// Starts to open `path`. Whether it works is told by [`Self::poll`] and by events.
    pub(crate) fn open(
        path: &str,
        looping: bool,
        paused: bool,
        around: Surroundings,
    ) -> Result<Self, Trouble> {
        let meta = fs::metadata(path).map_err(|error| file_error(path, &error))?;
        if !meta.is_file() {
            return Err(Trouble::passing(media_unreadable(path, "not a file")));
        }
        File::open(path).map_err(|error| file_error(path, &error))?;
        let uri = gst::glib::filename_to_uri(Path::new(path), None)
            .map_err(|error| Trouble::hopeless(media_unreadable(path, error)))?;
        let pipeline = gst::Pipeline::new();
        let decode = make("uridecodebin3")?;
        decode.set_property("uri", uri.as_str());
        pipeline
            .add(&decode)
            .map_err(|error| Trouble::hopeless(media_unreadable(path, error)))?;
        let mut player = Self {
            path: path.to_owned(),
            looping,
            pipeline,
            around,
            flow: Arc::default(),
            laps: Arc::default(),
            streams: Arc::new(Streams::new()),
            phase: Phase::Prerolling {
                since: Instant::now(),
                sought: false,
            },
            paused,
            duration: None,
            stamp: Stamp::of(path),
            ends: Vec::new(),
        };
        player.flow.show_preroll.store(paused, Ordering::Release);
        player.connect(&decode);
        let around = player.around.clone();
        let path = player.path.clone();
        let streams = Arc::clone(&player.streams);
        supervise(&player.pipeline, move |message| match message {
            PipelineMessage::Error { error, .. } => {
                around.tell(Inside::Broke(from_file_pipeline(&path, &error)));
            }
            PipelineMessage::Streams(found) => streams.expect(&found, &around),
            PipelineMessage::SegmentDone => around.tell(Inside::SegmentDone),
            PipelineMessage::Eos => around.tell(Inside::Eos),
            _ => {}
        });
        player.around.clock.govern(&player.pipeline);
        player.prerolling(false)?;
        Ok(player)
    }

    fn connect(&mut self, decode: &gst::Element) {
        let pipeline = self.pipeline.downgrade();
        let (around, flow) = (self.around.clone(), Arc::clone(&self.flow));
        let (laps, streams) = (Arc::clone(&self.laps), Arc::clone(&self.streams));
        decode.connect_pad_added(move |_, pad| {
            let Some(pipeline) = pipeline.upgrade() else {
                return;
            };
            if let Err(trouble) = link(&pipeline, pad, &around, &flow, &laps, &streams) {
                around.tell(Inside::Broke(trouble));
            }
        });
    }

    pub(crate) fn flow(&self) -> &Flow {
        &self.flow
    }

    pub(crate) fn duration(&self) -> Option<ClockTime> {
        self.duration
    }

    pub(crate) fn position(&self) -> ClockTime {
        let position = ClockTime::from_nseconds(self.flow.position_ns.load(Ordering::Relaxed));
        match (self.phase, self.duration) {
            (Phase::Ended, Some(duration)) => duration,
            _ => position,
        }
    }

    /// Standing still because the host wants it, or because it has ended.
    pub(crate) fn standing(&self) -> bool {
        self.paused || self.phase == Phase::Ended
    }

    pub(crate) fn playing(&self) -> bool {
        self.phase == Phase::Playing
    }

    /// When to look again, at the latest.
    pub(crate) fn interval(&self) -> Duration {
        match self.phase {
            Phase::Prerolling { .. } => Duration::from_millis(5),
            _ => Duration::from_millis(250),
        }
    }

    /// Goes on where something was waited for.
    pub(crate) fn poll(&mut self, now: Instant) -> Result<(), Trouble> {
        let Phase::Prerolling { since, sought } = self.phase else {
            self.duration = self.duration.or_else(|| self.pipeline.query_duration());
            return self.check_length();
        };
        let (result, state, pending) = self.pipeline.state(ClockTime::ZERO);
        let ready = result.is_ok()
            && state == gst::State::Paused
            && pending == gst::State::VoidPending
            && self.streams.complete();
        if !ready {
            if now.duration_since(since) > PREROLL_MOST {
                return Err(Trouble::passing(media_unreadable(
                    &self.path,
                    "nothing came within 10 s",
                )));
            }
            return Ok(());
        }
        if self.streams.count() == 0 {
            return Err(Trouble::hopeless(media_unreadable(
                &self.path,
                "neither picture nor sound",
            )));
        }
        self.duration = self.pipeline.query_duration::<ClockTime>().or(self.duration);
        if self.looping && !sought && self.duration.is_some_and(|duration| !duration.is_zero()) {
            return self.flush_to(ClockTime::ZERO);
        }
        if self.paused {
            // The picture at this place has gone out; the clock stands until the host plays. What was asked for has
            // arrived, even if it is only a sound that does not sound.
            self.flow.sent.fetch_add(1, Ordering::Relaxed);
            self.phase = Phase::Paused(self.around.clock.running_time());
            self.start_at_next_frame();
            return Ok(());
        }
        self.start_at_next_frame();
        self.run()
    }

    /// Running time 0 of the pipeline becomes a frame of the program's grid, a moment from now.
    fn start_at_next_frame(&mut self) {
        let grid = Grid::new(self.around.canvas.fps());
        let start = grid.time(grid.at_or_after(self.around.clock.running_time() + HEAD_START));
        self.set_offset(start.nseconds() as i64);
    }

    fn set_offset(&self, ns: i64) {
        self.flow.offset_ns.store(ns, Ordering::Relaxed);
        self.around.clock.govern(&self.pipeline);
        if let Some(base) = self.pipeline.base_time() {
            let base = base.nseconds().saturating_add_signed(ns);
            self.pipeline.set_base_time(ClockTime::from_nseconds(base));
        }
    }

    fn run(&mut self) -> Result<(), Trouble> {
        self.phase = Phase::Playing;
        self.set_state(gst::State::Playing)
    }

    fn set_state(&self, state: gst::State) -> Result<(), Trouble> {
        match self.pipeline.set_state(state) {
            Ok(_) => Ok(()),
            Err(_) => Err(Trouble::passing(media_unreadable(
                &self.path,
                format!("{state:?} refused"),
            ))),
        }
    }

    fn prerolling(&mut self, sought: bool) -> Result<(), Trouble> {
        self.phase = Phase::Prerolling {
            since: Instant::now(),
            sought,
        };
        self.set_state(gst::State::Paused)
    }

    /// Begins anew at `place`; what is on its way is thrown away.
    fn flush_to(&mut self, place: ClockTime) -> Result<(), Trouble> {
        self.prerolling(true)?;
        self.flow.show_preroll.store(self.paused, Ordering::Release);
        self.ends.clear();
        let mut flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
        if self.looping {
            flags |= gst::SeekFlags::SEGMENT;
            let length = self.duration.unwrap_or_default().nseconds();
            self.laps.length_ns.store(length, Ordering::Release);
            self.laps.from_ns.store(place.nseconds(), Ordering::Release);
        }
        self.pipeline
            .seek_simple(flags, place)
            .map_err(|error| Trouble::passing(media_unreadable(&self.path, error)))
    }

    /// The host wants another place.
    pub(crate) fn seek(&mut self, place: ClockTime) -> Result<(), Trouble> {
        let place = self.duration.map_or(place, |duration| {
            place.min(duration.saturating_sub(ClockTime::from_mseconds(100)))
        });
        self.flush_to(place)
    }

    /// The host pauses, or plays on.
    pub(crate) fn pause(&mut self, paused: bool) -> Result<(), Trouble> {
        let again = self.phase == Phase::Ended && !paused;
        if self.paused == paused && !again {
            return Ok(());
        }
        self.paused = paused;
        match (self.phase, paused) {
            (Phase::Playing, true) => {
                self.phase = Phase::Paused(self.around.clock.running_time());
                self.set_state(gst::State::Paused)
            }
            (Phase::Paused(since), false) => {
                let grid = Grid::new(self.around.canvas.fps());
                let stood = self.around.clock.running_time().saturating_sub(since);
                // Whole frames, so that the pictures stay on the grid.
                let stood = grid.time(grid.at_or_after(stood));
                let offset = self.flow.offset_ns.load(Ordering::Relaxed);
                self.set_offset(offset + stood.nseconds() as i64);
                self.run()
            }
            (Phase::Ended, false) => self.flush_to(ClockTime::ZERO),
            _ => Ok(()),
        }
    }

    /// All of a turn has left the demuxer: the next turn begins before the decoders run dry.
    pub(crate) fn on_segment_done(&mut self) -> Result<(), Trouble> {
        if !self.looping {
            return Ok(());
        }
        self.pipeline
            .seek(
                1.0,
                gst::SeekFlags::SEGMENT,
                gst::SeekType::Set,
                ClockTime::ZERO,
                gst::SeekType::None,
                ClockTime::NONE,
            )
            .map_err(|error| Trouble::passing(media_unreadable(&self.path, error)))
    }

    /// Everything was played.
    pub(crate) fn on_eos(&mut self) -> Result<(), Trouble> {
        if self.looping {
            // A format that knows no SEGMENT seek: a short stop at the seam.
            return self.flush_to(ClockTime::ZERO);
        }
        self.phase = Phase::Ended;
        Ok(())
    }

    /// One stream's turn ended at `place`.
    pub(crate) fn on_stream_end(&mut self, place: ClockTime) -> Result<(), Trouble> {
        self.ends.push(place);
        if self.ends.len() < self.streams.count() {
            return Ok(());
        }
        let end = self.ends.drain(..).max().unwrap_or_default();
        match self.duration {
            Some(duration) if end + SHORT_BY < duration => Err(self.cut_short()),
            _ => Ok(()),
        }
    }

    fn cut_short(&self) -> Trouble {
        Trouble::passing(media_unreadable(&self.path, "cut short"))
    }

    /// A file that shrinks under the player has no future, even if the reader has not yet seen it.
    fn check_length(&self) -> Result<(), Trouble> {
        match (self.stamp, Stamp::of(&self.path)) {
            (Some(then), Some(now)) if now.length < then.length => Err(self.cut_short()),
            // Deleted: the system keeps it for us as long as it is open, so the show goes on.
            _ => Ok(()),
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

fn link(
    pipeline: &gst::Pipeline,
    pad: &gst::Pad,
    around: &Surroundings,
    flow: &Arc<Flow>,
    looping: &Arc<Loop>,
    streams: &Arc<Streams>,
) -> Result<(), Trouble> {
    let pace = Pace::Clock(LEAD);
    let mut played = true;
    let chain = match (pad.name().split('_').next(), &around.video, &around.audio) {
        (Some("video"), Some(edge), _) if !streams.video.swap(true, Ordering::AcqRel) => {
            chain::video(pipeline, around.canvas, pace, edge, flow)?
        }
        (Some("audio"), _, Some(edge)) if !streams.audio.swap(true, Ordering::AcqRel) => {
            chain::audio(pipeline, pace, edge, flow)?
        }
        _ => {
            played = false;
            chain::nowhere(pipeline)?
        }
    };
    if played {
        let around = around.clone();
        let sound = pad.name().starts_with("audio");
        laps::watch(pad, sound, Arc::clone(looping), move |place| {
            around.tell(Inside::StreamEnd(place));
        });
    }
    let broken = |error: &dyn std::fmt::Display| Trouble::passing(media_unreadable("", error));
    chain.start().map_err(|error| broken(&error))?;
    pad.link(&chain.entry).map_err(|error| broken(&error))?;
    if played {
        streams.linked.fetch_add(1, Ordering::AcqRel);
    }
    Ok(())
}
