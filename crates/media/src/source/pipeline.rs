//! A source as the studio holds it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use gst::ClockTime;
use gst_utils::StreamProducer;
use protocol::{Canvas, SourceId, SourceKind, SourceSettings, SourceState, SourceStatus, UserError};

use super::{
    actor::{Actor, Event},
    edge::{AudioEdge, VideoEdge},
    error::SourceError,
    grants::Grants,
    settings,
};
use crate::StudioClock;

/// Events that may wait for the source's thread. Errors come in bursts of a dozen at most.
const INBOX: usize = 256;

/// What a source is started with.
#[derive(Clone)]
pub struct SourceOptions {
    /// Who it is.
    pub id: SourceId,
    /// What it shows or plays.
    pub settings: SourceSettings,
    /// Size limit and rate of its pictures.
    pub canvas: Canvas,
    /// The studio's clock.
    pub clock: StudioClock,
    /// What the system's dialog need not ask again.
    pub grants: Grants,
    /// Called on every change, on the source's own thread. Must not block, must not drop the source.
    pub on_status: Arc<dyn Fn(SourceStatus) + Send + Sync>,
    /// The sentence that the slate shows, in the host's language. Called on the source's own thread.
    pub slate_text: Arc<dyn Fn(&UserError) -> String + Send + Sync>,
}

/// A running source. Dropping it stops it, which waits for its thread: tens of milliseconds, longer only while a
/// device's driver hangs.
///
/// Its producers stay the same for its whole life, whatever breaks and comes back behind them.
pub struct SourcePipeline {
    kind: SourceKind,
    video: Option<Arc<VideoEdge>>,
    audio: Option<Arc<AudioEdge>>,
    events: SyncSender<Event>,
    status: Arc<Mutex<SourceStatus>>,
    thread: Option<JoinHandle<()>>,
}

impl SourcePipeline {
    /// Starts a source. Opens nothing here: files and devices are opened on the source's own thread, and what fails
    /// there is in its status.
    ///
    /// # Errors
    /// [`SourceError`] when the settings are out of range, or the computer gives no thread.
    pub fn start(options: SourceOptions) -> Result<Self, SourceError> {
        settings::check(&options.settings).map_err(SourceError::Settings)?;
        let kind = options.settings.kind();
        let name = options.id.as_str().to_owned();
        let video = if kind.pictures() {
            Some(Arc::new(VideoEdge::new(&name, options.canvas)?))
        } else {
            None
        };
        let audio = if kind.sounds() {
            Some(Arc::new(AudioEdge::new(&name)?))
        } else {
            None
        };
        let status = Arc::new(Mutex::new(SourceStatus {
            id: options.id.clone(),
            state: SourceState::Opening,
            frame: None,
            sounds: false,
            position_ms: None,
            duration_ms: None,
            paused: false,
        }));
        let (events, inbox) = sync_channel(INBOX);
        let actor = Actor::new(
            options,
            video.clone(),
            audio.clone(),
            (events.clone(), inbox),
            Arc::clone(&status),
        );
        let thread = std::thread::Builder::new()
            .name(format!("source {name}"))
            .spawn(move || actor.run())
            .map_err(SourceError::Thread)?;
        Ok(Self {
            kind,
            video,
            audio,
            events,
            status,
            thread: Some(thread),
        })
    }

    /// Its pictures: I420, or A420 (straight alpha) for images, text and colours that are not opaque; BT.709,
    /// square pixels, progressive, even sides, at most the canvas's size, PTS on the frame grid of the canvas.
    /// PTS is running time of the studio. `None` for kinds that only sound.
    ///
    /// Format and size may change at any frame (other settings, slate). A still is sent for every frame, and a
    /// source that stands still repeats its last picture at least six times a second, so that a new consumer sees it.
    pub fn video(&self) -> Option<&StreamProducer> {
        self.video.as_ref().map(|edge| edge.producer())
    }

    /// Its sound: F32LE interleaved stereo at 48 kHz, PTS in running time of the studio. `None` for kinds that have
    /// none. Other layouts are mixed down as L + 0.707 C + 0.707 Ls; nothing is clipped.
    pub fn audio(&self) -> Option<&StreamProducer> {
        self.audio.as_ref().map(|edge| edge.producer())
    }

    /// Other settings of the same kind; the producers stay.
    ///
    /// # Errors
    /// [`SourceError::Settings`] when they are out of range, [`SourceError::OtherKind`] when the kind differs.
    pub fn change(&self, settings: SourceSettings) -> Result<(), SourceError> {
        settings::check(&settings).map_err(SourceError::Settings)?;
        if settings.kind() != self.kind {
            return Err(SourceError::OtherKind);
        }
        self.tell(Event::Change(settings));
        Ok(())
    }

    /// Halts a media file, or lets it go on; one that has ended starts again. Nothing to other kinds.
    pub fn pause(&self, paused: bool) {
        self.tell(Event::Pause(paused));
    }

    /// Goes to a place in a media file, in milliseconds from its start; beyond its end is its end.
    pub fn seek(&self, ms: u32) {
        self.tell(Event::Seek(ClockTime::from_mseconds(ms.into())));
    }

    /// Tries a waiting or failed source now.
    pub fn retry(&self) {
        self.tell(Event::Retry);
    }

    /// Delays the sound by `ms` against the picture, `0..=2000`; a negative value, `-500..0`, delays the picture
    /// instead. A source without a picture cannot sound earlier than it is: negative values do nothing there.
    /// What is on its way while the value changes is lost.
    pub fn set_sync_offset(&self, ms: i32) {
        let ms = ms.clamp(-500, 2000);
        let time = |ms: i32| ClockTime::from_mseconds(ms.max(0).unsigned_abs().into());
        if let Some(audio) = &self.audio {
            audio.delay(time(ms));
        }
        if let (Some(video), Some(_)) = (&self.video, &self.audio) {
            video.delay(time(-ms));
        }
    }

    /// How it is doing.
    pub fn status(&self) -> SourceStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The picture that went out last.
    pub fn latest_frame(&self) -> Option<gst::Sample> {
        self.video.as_ref()?.latest()
    }

    fn tell(&self, event: Event) {
        // The thread takes its events within milliseconds, unless a driver holds it up. Then the studio must not be
        // held up with it, and what is lost came after hundreds of others.
        if self.events.try_send(event).is_err() {
            tracing::error!("a source does not take its commands");
        }
    }
}

impl Drop for SourcePipeline {
    fn drop(&mut self) {
        let _ = self.events.send(Event::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a source's thread panicked");
        }
    }
}
