//! Legs that carry a rendition away: to an RTMP(S) server, or into a file.
//!
//! Each [`Output`] is one thread with its own pipeline, its own bounded queue and its own state machine. One that
//! fails touches nobody else: it drops its subscription on the first error, and takes a new one when it comes back.

mod actor;
mod machine;
mod recording;
mod refusal;
mod rtmp;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use protocol::{Container, DestinationId, ErrorCode, OutputState, RenditionId, RtmpUrl, UserError};
use secrecy::SecretString;
use tokio::sync::watch;

use crate::StudioClock;
use crate::rendition::Rendition;
use actor::{Actor, Letter};
use machine::Input;

pub use recording::{FinishError, finish_file};

/// What an output is made of.
pub struct OutputOptions<'a> {
    /// Its destination's id is its own.
    pub id: DestinationId,
    /// Where to.
    pub leg: Leg,
    /// What it carries. It must have AAC.
    pub rendition: &'a Rendition,
    /// The studio's clock.
    pub clock: StudioClock,
    /// Hears what happens, on the output's thread: hand over and return.
    pub on_event: Box<dyn Fn(OutputEvent) + Send + Sync>,
}

/// Where an output leads.
pub enum Leg {
    /// To an RTMP or RTMPS server.
    Rtmp {
        /// Server and application.
        url: RtmpUrl,
        /// The stream key. Without one, the last part of the address's path is the stream's name.
        key: Option<SecretString>,
    },
    /// Into files of a folder, which is made when it is not there.
    Recording {
        /// Absolute path.
        folder: PathBuf,
        /// Name of the first file without its ending, where somebody chose one; others follow title and time.
        file_stem: Option<String>,
        /// The show's title, as the host wrote it; files are named after it and the local time of their start.
        title: String,
        /// File format.
        container: Container,
        /// Begin a new file after so many minutes.
        split_minutes: Option<u32>,
    },
}

/// What happens to an output.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputEvent {
    /// Its state is another one.
    State(OutputState),
    /// A recorded file is closed and will not change any more.
    FileFinished {
        /// Where it lies.
        path: PathBuf,
    },
}

/// One running output.
///
/// It runs until [`Output::stop`]; dropped without, it stops by itself, and nobody waits for it.
pub struct Output {
    shared: Arc<Shared>,
    inbox: mpsc::Sender<Letter>,
    done: watch::Receiver<bool>,
    /// It is a recording: what has viewers is never paused.
    pausable: bool,
}

/// What the thread of an output tells, for whoever asks.
struct Shared {
    status: Mutex<protocol::Output>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, protocol::Output> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Output {
    /// Longest time that [`Output::stop`] takes, unless a disk hangs: five seconds for what waits in the queue,
    /// and as much again to close a file.
    pub const STOPS_WITHIN: Duration = Duration::from_secs(10);

    /// Starts an output. It connects, or opens its file, on its own thread: follow its state.
    ///
    /// # Errors
    /// `KeyMissing` when the address names no stream and there is no key, `Internal` when the rendition has no AAC or
    /// no thread could be started.
    pub fn start(options: OutputOptions<'_>) -> Result<Self, UserError> {
        if !options.rendition.has_aac() {
            return Err(UserError::new(ErrorCode::Internal).with("detail", "the rendition has no AAC"));
        }
        let id = options.id;
        let shared = Arc::new(Shared {
            status: Mutex::new(idle(id.clone(), options.rendition.id().clone())),
        });
        let (inbox, letters) = mpsc::channel();
        let (finished, done) = watch::channel(false);
        let context = actor::Context {
            id: id.clone(),
            hub: options.rendition.hub(),
            keyframe_pad: options.rendition.keyframe_pad(),
            inbox: inbox.clone(),
            clock: options.clock,
            on_event: options.on_event.into(),
        };
        let pausable = matches!(options.leg, Leg::Recording { .. });
        let leg: Box<dyn actor::Opener> = match options.leg {
            Leg::Rtmp { url, key } => Box::new(rtmp::RtmpLeg::new(url, key)?),
            Leg::Recording {
                folder,
                file_stem,
                title,
                container,
                split_minutes,
            } => Box::new(recording::RecordingLeg::new(
                folder,
                file_stem,
                title,
                container,
                split_minutes,
            )),
        };
        let actor = Actor::new(context, leg, shared.clone(), letters);
        std::thread::Builder::new()
            .name(format!("out-{id}"))
            .spawn(move || {
                actor.run();
                finished.send_replace(true);
            })
            .map_err(|error| UserError::new(ErrorCode::Internal).with("detail", error))?;
        let output = Self {
            shared,
            inbox,
            done,
            pausable,
        };
        output.tell(Letter::Input(Input::Start));
        Ok(output)
    }

    /// State and counters, now.
    pub fn status(&self) -> protocol::Output {
        self.shared.lock().clone()
    }

    /// Pauses a recording; what follows leaves no gap in the file's time. Other outputs go on.
    pub fn pause(&self) {
        if self.pausable {
            self.tell(Letter::Input(Input::Pause));
        }
    }

    /// Goes on with a paused recording, from the next keyframe, which is asked for.
    pub fn resume(&self) {
        self.tell(Letter::Input(Input::Resume));
    }

    /// Begins a new file at the next keyframe.
    pub fn split(&self) {
        self.tell(Letter::Split);
    }

    /// Tries again now: instead of waiting, or after it has failed.
    pub fn retry_now(&self) {
        self.tell(Letter::Input(Input::Retry));
    }

    /// Ends it: what waits is sent, the server is told, the file is closed and made plain.
    ///
    /// Comes back within [`Output::STOPS_WITHIN`]. Stopping twice is the same as stopping once.
    pub async fn stop(&self) {
        self.tell(Letter::Input(Input::Stop));
        let mut done = self.done.clone();
        // An error means that the thread is gone: then it has stopped, too.
        let _ = done.wait_for(|done| *done).await;
    }

    /// [`Output::stop`] without waiting: follow its state.
    pub fn begin_stop(&self) {
        self.tell(Letter::Input(Input::Stop));
    }

    /// [`Output::stop`] for threads that are not asynchronous.
    pub fn stop_blocking(&self) {
        self.tell(Letter::Input(Input::Stop));
        while !*self.done.borrow() && self.done.has_changed().is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn tell(&self, letter: Letter) {
        // The thread is gone after a stop; then there is nothing left to tell.
        let _ = self.inbox.send(letter);
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.tell(Letter::Input(Input::Stop));
    }
}

fn idle(id: DestinationId, rendition: RenditionId) -> protocol::Output {
    protocol::Output {
        id,
        state: OutputState::Idle,
        rendition: Some(rendition),
        sent_kbps: None,
        sent_bytes: 0,
        dropped_frames: 0,
        queue_ms: 0,
        reconnects: 0,
        recording: None,
    }
}
