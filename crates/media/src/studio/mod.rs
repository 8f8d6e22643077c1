//! The parts together: sources, the program, renditions and outputs of one studio.
//!
//! Nothing here decides anything about a show; it makes pipelines follow what the engine says, and tells the
//! engine what they do.

mod arrange;
mod audition;
mod outlets;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use protocol::{
    Canvas, DestinationId, DeviceId, ErrorCode, Meters, OutputState, PictureKind, RenditionId, SourceId,
    SourceStatus, StripMeter, UserError,
};

use crate::output::Output;
use crate::overlay::{OnOverlays, OverlayWanted, Renderer};
use crate::program::{Preview, ProgramEvent, ProgramOptions};
use crate::source::{Grants, SourceOptions};
use crate::{
    Meter, PictureOptions, PictureTap, Program, ProgramCounters, SourcePipeline, StudioClock, jpeg_of,
};

pub use arrange::Arrangement;
pub use outlets::{KeyframeRequester, RenditionPlan};

/// Longer side of the desk's pictures of program and preview, in pixels.
const PICTURE_SIDE: u32 = 640;
/// Longer side of small pictures, in pixels.
const SMALL_SIDE: u32 = 160;
/// Longer side of the pictures of devices that are tried, in pixels.
const DEVICE_SIDE: u32 = 360;

/// What a studio says to its owner. Called on any thread; must not block.
pub type OnEvent = Arc<dyn Fn(StudioEvent) + Send + Sync>;

/// What a slate says about an error, in the host's language.
pub type SlateText = Arc<dyn Fn(&UserError) -> String + Send + Sync>;

/// What a studio is started with.
pub struct StudioOptions {
    /// Size and rate of the program; fixed for this studio's life.
    pub canvas: Canvas,
    /// What a slate says about an error.
    pub slate_text: SlateText,
    /// What the system's dialog need not ask again.
    pub grants: Grants,
    /// Where events go.
    pub on_event: OnEvent,
    /// Hears what lies over the picture, whenever that changes.
    pub on_overlays: OnOverlays,
}

/// What happens in a studio.
#[derive(Debug, Clone)]
pub enum StudioEvent {
    /// A source changed its state.
    Source(SourceStatus),
    /// A fade is over.
    FadeEnded,
    /// The program's pipeline broke; the studio is to be built anew.
    ProgramFailed(UserError),
    /// An encoder broke: outputs that carry this rendition get nothing any more.
    RenditionFailed {
        /// Which.
        id: RenditionId,
        /// Why.
        error: UserError,
    },
    /// An output changed its state.
    Output {
        /// Which.
        id: DestinationId,
        /// To what.
        state: OutputState,
    },
}

struct RunningSource {
    pipeline: SourcePipeline,
    meter: Option<Meter>,
    settings: protocol::SourceSettings,
    sync_offset_ms: i32,
}

/// The pipelines of one studio. Dropping it stops them all.
pub struct Studio {
    options: StudioOptions,
    clock: StudioClock,
    program: Program,
    overlays: Renderer,
    program_tap: Arc<PictureTap>,
    preview: Option<(Preview, Arc<PictureTap>)>,
    sources: HashMap<SourceId, RunningSource>,
    order: Vec<SourceId>,
    auditions: HashMap<DeviceId, RunningSource>,
    renditions: HashMap<RenditionId, outlets::RunningRendition>,
    outputs: HashMap<DestinationId, Output>,
    shown: arrange::Shown,
    skipped_before: u32,
}

impl Studio {
    /// Starts the program, with nothing in it.
    ///
    /// # Errors
    /// [`ErrorCode::Internal`] when the program's pipelines cannot be built or do not start.
    pub fn start(options: StudioOptions) -> Result<Self, UserError> {
        let clock = StudioClock::start();
        let said = Arc::clone(&options.on_event);
        let program = Program::start(ProgramOptions {
            canvas: options.canvas,
            clock: clock.clone(),
            on_event: Arc::new(move |event| match event {
                ProgramEvent::FadeEnded => said(StudioEvent::FadeEnded),
                ProgramEvent::Failed(error) => said(StudioEvent::ProgramFailed(internal(error))),
            }),
        })
        .map_err(internal)?;
        let overlays = Renderer::start(
            options.canvas,
            program.overlays(),
            Arc::clone(&options.on_overlays),
        )
        .map_err(internal)?;
        let program_tap = Arc::new(PictureTap::new(
            program.video(),
            PictureOptions {
                long_side: PICTURE_SIDE,
                fps: options.canvas.fps().min(30),
                ..PictureOptions::default()
            },
        ));
        Ok(Self {
            options,
            clock,
            program,
            overlays,
            program_tap,
            preview: None,
            sources: HashMap::new(),
            order: Vec::new(),
            auditions: HashMap::new(),
            renditions: HashMap::new(),
            outputs: HashMap::new(),
            shown: arrange::Shown::default(),
            skipped_before: 0,
        })
    }

    /// The program's size and rate.
    pub fn canvas(&self) -> Canvas {
        self.options.canvas
    }

    /// All that lies over the program's picture from now on. It is drawn beside the program, and there when it is ready.
    pub fn show_overlays(&self, wanted: OverlayWanted) {
        self.overlays.show(wanted);
    }

    /// Pictures of the program for desks; made while somebody looks.
    pub fn program_pictures(&self) -> Arc<PictureTap> {
        Arc::clone(&self.program_tap)
    }

    /// Pictures of the preview for desks; `None` outside studio mode.
    pub fn preview_pictures(&self) -> Option<Arc<PictureTap>> {
        self.preview.as_ref().map(|(_, tap)| Arc::clone(tap))
    }

    /// How each source is doing, in the order of the document.
    pub fn source_statuses(&self) -> Vec<SourceStatus> {
        self.order
            .iter()
            .filter_map(|id| self.sources.get(id))
            .map(|source| source.pipeline.status())
            .collect()
    }

    /// Pauses a media file or goes on with it.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub fn pause_file(&self, id: &SourceId, paused: bool) -> Result<(), UserError> {
        self.source(id)?.pipeline.pause(paused);
        Ok(())
    }

    /// Goes to a place in a media file, in milliseconds from its start.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub fn seek_file(&self, id: &SourceId, position_ms: u32) -> Result<(), UserError> {
        self.source(id)?.pipeline.seek(position_ms);
        Ok(())
    }

    /// Tries a waiting or failed source again now.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub fn retry_source(&self, id: &SourceId) -> Result<(), UserError> {
        self.source(id)?.pipeline.retry();
        Ok(())
    }

    fn source(&self, id: &SourceId) -> Result<&RunningSource, UserError> {
        self.sources.get(id).ok_or_else(|| not_found("source", id))
    }

    /// Levels and loudness since the last call.
    pub fn meters(&self) -> Meters {
        let strips = self.order.iter().filter_map(|id| {
            let meter = self.sources.get(id)?.meter.as_ref()?;
            Some(StripMeter {
                source: id.clone(),
                levels: meter.levels(),
                loudness: meter.loudness(),
            })
        });
        Meters {
            strips: strips.collect(),
            master: self.program.master_levels(),
            loudness: self.program.master_loudness(),
        }
    }

    /// Begins the counting of a show: integrated loudness and skipped frames start anew.
    pub fn begin_show(&mut self) {
        self.program.reset_integrated();
        self.skipped_before = self.skipped_total();
    }

    /// Frames of the program, and those that came late, since the studio started.
    pub fn counters(&self) -> ProgramCounters {
        self.program.counters()
    }

    /// Small pictures of tried devices and, with `sources`, of the sources in the scenes that are shown.
    pub fn small_pictures(&self, sources: bool) -> Vec<(PictureKind, String, Bytes)> {
        let devices = self
            .auditions
            .iter()
            .map(|(id, s)| (PictureKind::Device, id.to_string(), s, DEVICE_SIDE));
        let shown = self
            .sources
            .iter()
            .filter(|_| sources)
            .map(|(id, s)| (PictureKind::Source, id.to_string(), s, SMALL_SIDE));
        let mut pictures = Vec::new();
        for (kind, id, source, side) in devices.chain(shown) {
            let Some(frame) = source.pipeline.latest_frame() else {
                continue;
            };
            match jpeg_of(&frame, side) {
                Ok(jpeg) => pictures.push((kind, id, jpeg)),
                Err(error) => tracing::debug!(id, %error, "no small picture"),
            }
        }
        pictures
    }

    fn start_source(
        &self,
        id: &SourceId,
        settings: &protocol::SourceSettings,
        sync_offset_ms: i32,
    ) -> Result<RunningSource, UserError> {
        let said = Arc::clone(&self.options.on_event);
        let pipeline = SourcePipeline::start(SourceOptions {
            id: id.clone(),
            settings: settings.clone(),
            canvas: self.options.canvas,
            clock: self.clock.clone(),
            grants: self.options.grants.clone(),
            on_status: Arc::new(move |status| said(StudioEvent::Source(status))),
            slate_text: Arc::clone(&self.options.slate_text),
        })
        .map_err(|error| error.to_user())?;
        pipeline.set_sync_offset(sync_offset_ms);
        let meter = pipeline.audio().map(Meter::attach);
        Ok(RunningSource {
            pipeline,
            meter,
            settings: settings.clone(),
            sync_offset_ms,
        })
    }
}

fn internal(error: impl std::fmt::Display) -> UserError {
    UserError::new(ErrorCode::Internal).with("detail", error)
}

fn not_found(thing: &str, id: impl ToString) -> UserError {
    UserError::new(ErrorCode::NotFound)
        .with("thing", thing)
        .with("id", id)
}
