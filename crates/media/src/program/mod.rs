//! The program: what is on air, picture and sound, and the preview of what comes next.
//!
//! Two threads beat with the studio's clock and nothing else: one composes a frame every tick, one mixes 20 ms of
//! sound every tick. Sources are listened to through probes ([`tap`]) and can neither stop nor hurry them: a source
//! that is late is waited for as long as it usually takes, a dead one not at all. Timestamps are exact multiples of
//! the tick, without a gap, whatever comes, goes or fails.

mod blend;
mod geometry;
mod gpu;
mod lateness;
mod layer;
mod limiter;
mod outlet;
mod overlay;
mod ring;
mod sound;
mod strip;
mod tap;
mod turn;
mod video;

use std::sync::Arc;
use std::time::Duration;

use gst_utils::StreamProducer;
use protocol::{AudioControls, Canvas, Db, Frame, ItemId, Levels, Loudness, Placement, SourceId, Transition};

use crate::StudioClock;
pub use gpu::Compositing;
pub(crate) use overlay::{OverlayPicture, OverlaySink, PlacedOverlay};
pub(crate) use tap::{is_studio_audio, lock};

/// Longer side of the preview, in pixels.
const PREVIEW_LONG_SIDE: u32 = 640;
/// Frames a second of the preview.
const PREVIEW_FPS: u32 = 15;

/// What a program is made with.
#[derive(Clone)]
pub struct ProgramOptions {
    /// Size and rate.
    pub canvas: Canvas,
    /// The studio's.
    pub clock: StudioClock,
    /// Hears what happens. Called on the program's threads: hand over and return.
    pub on_event: Arc<dyn Fn(ProgramEvent) + Send + Sync>,
}

/// Something that the program tells by itself.
#[derive(Debug, Clone)]
pub enum ProgramEvent {
    /// The fade is over, or was cut short.
    FadeEnded,
    /// The program's own pipeline broke. The program is to be started again.
    Failed(gst::glib::Error),
}

/// Why there is no program.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// GStreamer lacks something.
    #[error("build the program")]
    Build(#[from] gst::glib::BoolError),
    /// The pipeline does not start.
    #[error("start the program's pipeline")]
    Start(#[from] gst::StateChangeError),
    /// The operating system gives no thread.
    #[error("start the program's thread")]
    Thread(#[source] std::io::Error),
}

/// What is to be seen, back to front; visible items only.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// The items.
    pub items: Vec<LayoutItem>,
}

/// One placed source.
#[derive(Debug, Clone)]
pub struct LayoutItem {
    /// Who it is. An item that keeps its id from layout to layout keeps its scaled picture.
    pub id: ItemId,
    /// What it shows.
    pub source: SourceId,
    /// The source's pictures, raw video of any size, format and phase; with alpha they blend. `None`: nothing yet.
    pub video: Option<StreamProducer>,
    /// Where and how.
    pub placement: Placement,
}

/// One source in the mix.
#[derive(Debug, Clone)]
pub struct SoundInput {
    /// Who it is.
    pub source: SourceId,
    /// Its sound: F32LE, interleaved, 48 kHz, stereo. Anything else stays silent and is logged. Timestamps may lie
    /// up to 4 s ahead (a sync offset).
    pub audio: StreamProducer,
    /// Gain, mute and pan; the sync offset is the source's own business.
    pub controls: AudioControls,
}

/// How the program is doing, since it started.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProgramCounters {
    /// Frames sent.
    pub frames: u64,
    /// Ticks lost because frames were composed too late; their frames were sent all the same.
    pub late_frames: u64,
    /// Frames a second, mean of about the last second; never over the canvas's.
    pub fps: f64,
    /// Time to compose a frame, mean of about the last second.
    pub compose_time: Duration,
}

/// What is on air: composed and mixed, for as long as the value lives.
#[derive(Debug)]
pub struct Program {
    canvas: Canvas,
    video: video::Composer,
    sound: sound::Mixer,
}

impl Program {
    /// Starts with a black picture and silence.
    ///
    /// # Errors
    /// [`ProgramError`] when GStreamer lacks an element or the system a thread.
    pub fn start(options: ProgramOptions) -> Result<Self, ProgramError> {
        let ProgramOptions {
            canvas,
            clock,
            on_event,
        } = options;
        let size = Frame {
            width: canvas.width(),
            height: canvas.height(),
        };
        let video = video::Composer::start("program-video", size, canvas.fps(), &clock, on_event.clone())?;
        video.look_for_gpu()?;
        Ok(Self {
            canvas,
            video,
            sound: sound::Mixer::start(&clock, on_event)?,
        })
    }

    /// Size and rate.
    pub fn canvas(&self) -> Canvas {
        self.canvas
    }

    /// The picture: I420, BT.709, limited range, exactly the canvas's size and rate, on the clock's grid, gap-free.
    pub fn video(&self) -> &StreamProducer {
        self.video.producer()
    }

    /// The sound: F32LE, interleaved, 48 kHz, stereo, 20 ms a buffer, behind the master fader and a limiter at
    /// −1 dBFS, gap-free.
    pub fn audio(&self) -> &StreamProducer {
        self.sound.producer()
    }

    /// Changes what is seen, all of it between the same two frames. A source that was not listened to before has
    /// 100 ms to give its first picture; until then the old layout stays. Of layouts that come faster than frames
    /// the last counts. A fade that interrupts a fade starts from the picture of that moment, a cut ends a fade at
    /// once; the layout that is shown or faded to already changes nothing. Every fade ends with
    /// [`ProgramEvent::FadeEnded`], of fades that follow each other without an end only the last.
    pub fn show(&self, layout: Layout, transition: Transition) {
        self.video.show(layout, transition);
    }

    /// The way to what lies over the picture, whatever is seen below.
    pub(crate) fn overlays(&self) -> OverlaySink {
        self.video.overlays()
    }

    /// Changes what is heard. Sources that are not listed leave, new ones come, both as the transition says (a cut
    /// takes 10 ms); gain, mute and pan of those that stay move within 10 ms.
    pub fn sound(&self, inputs: Vec<SoundInput>, transition: Transition) {
        self.sound.sound(inputs, transition);
    }

    /// Moves the master fader, within 10 ms.
    pub fn set_master(&self, gain: Db, muted: bool) {
        self.sound.set_master(gain, muted);
    }

    /// What composes now. The processor at first; a graphics card when one has shown to be quicker.
    pub fn compositing(&self) -> Compositing {
        self.video.compositing()
    }

    /// Frames and how late they were.
    pub fn counters(&self) -> ProgramCounters {
        self.video.counters()
    }

    /// Levels of what goes out, since the last call.
    pub fn master_levels(&self) -> Levels {
        self.sound.meter().levels()
    }

    /// Loudness of what goes out.
    pub fn master_loudness(&self) -> Loudness {
        self.sound.meter().loudness()
    }

    /// Begins the integrated loudness anew.
    pub fn reset_integrated(&self) {
        self.sound.meter().reset_integrated();
    }
}

/// What comes next: a second, smaller composition, 15 frames a second, silent.
#[derive(Debug)]
pub struct Preview {
    video: video::Composer,
}

impl Preview {
    /// Starts with a black picture; the canvas gives the shape.
    ///
    /// # Errors
    /// [`ProgramError`] when GStreamer lacks an element or the system a thread.
    pub fn start(options: ProgramOptions) -> Result<Self, ProgramError> {
        let size = options.canvas.scaled_to(PREVIEW_LONG_SIDE);
        Ok(Self {
            video: video::Composer::start(
                "preview-video",
                size,
                PREVIEW_FPS,
                &options.clock,
                options.on_event,
            )?,
        })
    }

    /// The picture: I420, the longer side at most 640 pixels.
    pub fn video(&self) -> &StreamProducer {
        self.video.producer()
    }

    /// Changes what is seen, at once.
    pub fn show(&self, layout: Layout) {
        self.video.show(layout, Transition::Cut);
    }
}

#[cfg(test)]
mod tests;
