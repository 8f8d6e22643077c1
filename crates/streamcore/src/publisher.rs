//! Publishing from the same process: encoded frames in, no WebRTC hop.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use crate::media::command::{Command, CommandSender, PublicationId, Shared, Unit};
use crate::media::h264::payloads;
use crate::media::packet::Track;
use crate::room::RoomId;

/// What may be on the way to the media thread: two seconds of 12 Mb/s and a large keyframe. Beyond, frames are
/// dropped up to the next keyframe.
const MAX_QUEUED: usize = 4 * 1024 * 1024;
/// The largest Opus packet (RFC 6716 section 3.2.1: 1275 bytes a frame) that fits one datagram here.
const MAX_OPUS: usize = 1275;

/// One encoded picture.
#[derive(Debug, Clone)]
pub struct AccessUnit {
    /// H.264 byte stream (Annex B), one whole access unit; parameter sets in front of each keyframe.
    /// Constrained baseline plays in every browser; B-frames play in none.
    pub data: Bytes,
    /// Presentation time on the publisher's clock, the same clock for sound and picture.
    pub pts: Duration,
    /// A decoder can begin here. An IDR picture is recognised without it; a recovery point is not.
    pub keyframe: bool,
}

/// One encoded packet of sound.
#[derive(Debug, Clone)]
pub struct OpusPacket {
    /// An Opus packet (RFC 6716), 48 kHz, at most 1275 bytes.
    pub data: Bytes,
    /// Presentation time on the publisher's clock, the same clock for sound and picture.
    pub pts: Duration,
    /// Usually 20 ms.
    pub duration: Duration,
}

/// Why a frame was not taken. The publication goes on, except after `Closed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// The server has stopped, or `end` was called.
    #[error("feed the room: the publication is over")]
    Closed,
    /// The picture is older than the one before: the encoder makes B-frames, which no browser plays.
    #[error("feed the room: pictures come out of order, turn B-frames off")]
    Reordered,
    /// The media thread does not keep up; pictures are dropped up to the next keyframe.
    #[error("feed the room: the media thread is behind, the frame was dropped")]
    Behind,
    /// Not a byte stream with start codes, or an Opus packet over 1275 bytes.
    #[error("feed the room: the data is neither an H.264 access unit nor an Opus packet")]
    Malformed,
}

/// The in-process publisher of one room.
///
/// Its calls never block and may come from any thread, a GStreamer streaming thread above all. Dropping it
/// leaves the room waiting ("starting soon"); [`end`](Self::end) ends the show.
pub struct LocalPublisher {
    id: PublicationId,
    room: RoomId,
    commands: CommandSender,
    shared: Arc<Shared>,
    picture: Mutex<Picture>,
    ended: AtomicBool,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Picture {
    last_pts: Option<Duration>,
    /// Something was dropped: nothing decodes before the next keyframe.
    awaiting_keyframe: bool,
}

impl LocalPublisher {
    pub(crate) fn new(id: PublicationId, room: RoomId, commands: CommandSender, shared: Arc<Shared>) -> Self {
        Self {
            id,
            room,
            commands,
            shared,
            picture: Mutex::default(),
            ended: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
        }
    }

    /// The room that is published to.
    pub fn room(&self) -> &RoomId {
        &self.room
    }

    /// Frames that were refused or dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Sets what is called when a viewer needs a keyframe: at most once a second, on the media thread. The
    /// callback must not block; it replaces the one before.
    pub fn on_keyframe_request(&self, callback: impl Fn() + Send + Sync + 'static) {
        *self
            .shared
            .on_keyframe
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(callback));
    }

    /// Publishes one picture.
    ///
    /// # Errors
    /// See [`FeedError`]; the next call may succeed.
    pub fn video(&self, unit: AccessUnit) -> Result<(), FeedError> {
        self.count(self.try_video(&unit))
    }

    fn try_video(&self, unit: &AccessUnit) -> Result<(), FeedError> {
        self.check_open()?;
        // Held while the unit is queued, so that two threads cannot swap their pictures. The media thread
        // never takes it.
        let mut picture = self.picture.lock().unwrap_or_else(PoisonError::into_inner);
        if picture.awaiting_keyframe && !unit.keyframe {
            return Err(FeedError::Behind);
        }
        if picture.last_pts.is_some_and(|last| unit.pts <= last) {
            // A picture is lost for those after it, too.
            picture.awaiting_keyframe = !unit.keyframe;
            if !unit.keyframe {
                return Err(FeedError::Reordered);
            }
        }
        let payloads = payloads(&unit.data);
        if payloads.is_empty() {
            return Err(FeedError::Malformed);
        }
        match self.queue(Track::Video, unit.pts, unit.keyframe, payloads) {
            Ok(()) => {
                picture.last_pts = Some(unit.pts);
                picture.awaiting_keyframe = false;
                Ok(())
            }
            Err(error) => {
                picture.awaiting_keyframe = true;
                Err(error)
            }
        }
    }

    /// Publishes one packet of sound.
    ///
    /// # Errors
    /// See [`FeedError`]; the next call may succeed.
    pub fn audio(&self, packet: OpusPacket) -> Result<(), FeedError> {
        self.count(self.try_audio(&packet))
    }

    fn try_audio(&self, packet: &OpusPacket) -> Result<(), FeedError> {
        self.check_open()?;
        if packet.data.is_empty() || packet.data.len() > MAX_OPUS {
            return Err(FeedError::Malformed);
        }
        self.queue(Track::Audio, packet.pts, false, vec![Arc::from(&packet.data[..])])
    }

    /// Ends the show: viewers are told so and let go. Nothing is taken any more.
    pub fn end(&self) {
        self.unpublish(true);
    }

    fn check_open(&self) -> Result<(), FeedError> {
        if self.shared.closed.load(Ordering::Acquire) {
            Err(FeedError::Closed)
        } else {
            Ok(())
        }
    }

    fn count(&self, outcome: Result<(), FeedError>) -> Result<(), FeedError> {
        if outcome.is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    fn queue(
        &self,
        track: Track,
        pts: Duration,
        keyframe: bool,
        payloads: Vec<Arc<[u8]>>,
    ) -> Result<(), FeedError> {
        let bytes: usize = payloads.iter().map(|p| p.len()).sum();
        if self.shared.queued.load(Ordering::Acquire) + bytes > MAX_QUEUED {
            return Err(FeedError::Behind);
        }
        self.shared.queued.fetch_add(bytes, Ordering::AcqRel);
        let unit = Unit {
            track,
            pts,
            keyframe,
            payloads,
            bytes,
        };
        self.commands
            .send(Command::Unit { id: self.id, unit })
            .map_err(|_| FeedError::Closed)
    }

    fn unpublish(&self, ended: bool) {
        if !self.ended.swap(true, Ordering::AcqRel) {
            self.shared.closed.store(true, Ordering::Release);
            // A stopped server has forgotten the publication already.
            let _ = self.commands.send(Command::Unpublish { id: self.id, ended });
        }
    }
}

impl Drop for LocalPublisher {
    fn drop(&mut self) {
        self.unpublish(false);
    }
}

impl fmt::Debug for LocalPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalPublisher")
            .field("id", &self.id)
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}
