//! What other threads ask of the media thread.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::packet::Track;
use crate::room::{RoomId, RoomInfo, ViewerMark};
use crate::rtc::{Peer, Role};

/// Number of one in-process publication.
pub(crate) type PublicationId = u64;

/// Called on the media thread when a viewer needs a keyframe.
pub(crate) type KeyframeCallback = Arc<dyn Fn() + Send + Sync>;

/// Why a session or a publication was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Somebody publishes there.
    Busy,
    /// No place for another viewer.
    Full,
    /// The room is not live.
    NotLive,
}

/// What became of a PATCH.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Patched {
    /// Candidates taken: 204.
    Trickled,
    /// ICE restarted: 200 with our half and the new tag.
    Restarted { fragment: String, tag: String },
    /// The tag is of an older ICE session: 412.
    WrongTag,
    /// New credentials that cannot be used: 400.
    Unusable,
    /// No such session: 404.
    Gone,
}

/// Names a session from outside: what stands in its URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionName {
    pub role_is_viewer: bool,
    pub room: RoomId,
    /// 128 random bits. Not a credential that is shown anywhere else than in Location.
    pub secret: String,
}

impl SessionName {
    pub fn new(role: Role, room: RoomId, secret: String) -> Self {
        Self {
            role_is_viewer: role == Role::Viewer,
            room,
            secret,
        }
    }
}

/// One unit of an in-process publisher, already cut into payloads on its own thread.
pub(crate) struct Unit {
    pub track: Track,
    pub pts: Duration,
    pub keyframe: bool,
    pub payloads: Vec<Arc<[u8]>>,
    pub bytes: usize,
}

/// What publisher and media thread share.
#[derive(Default)]
pub(crate) struct Shared {
    /// Bytes on the way to the media thread.
    pub queued: AtomicUsize,
    /// The publication is over: it was ended, or the server stops.
    pub closed: AtomicBool,
    pub on_keyframe: std::sync::Mutex<Option<KeyframeCallback>>,
}

pub(crate) enum Command {
    Add {
        name: SessionName,
        role: Role,
        mark: ViewerMark,
        peer: Box<Peer>,
        reply: oneshot::Sender<Result<(), Refused>>,
    },
    Patch {
        name: SessionName,
        tag: Option<String>,
        fragment: crate::rtc::sdp::IceFragment,
        reply: oneshot::Sender<Patched>,
    },
    /// Whether the session exists, and its tag.
    Look {
        name: SessionName,
        reply: oneshot::Sender<bool>,
    },
    Delete {
        name: SessionName,
        reply: oneshot::Sender<bool>,
    },
    /// Ends the viewers' sessions of a room but these, by the secrets in their names.
    ShowOut {
        room: RoomId,
        except: HashSet<String>,
    },
    Publish {
        id: PublicationId,
        room: RoomId,
        info: RoomInfo,
        shared: Arc<Shared>,
        reply: mpsc::SyncSender<Result<(), Refused>>,
    },
    Unit {
        id: PublicationId,
        unit: Unit,
    },
    Unpublish {
        id: PublicationId,
        ended: bool,
    },
    Stop,
}

/// The way in: a queue and a bell.
#[derive(Clone)]
pub(crate) struct CommandSender {
    pub queue: mpsc::Sender<Command>,
    pub bell: Arc<mio::Waker>,
}

/// The media thread is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the media thread has stopped")]
pub(crate) struct Stopped;

impl CommandSender {
    pub fn send(&self, command: Command) -> Result<(), Stopped> {
        self.queue.send(command).map_err(|_| Stopped)?;
        match self.bell.wake() {
            Ok(()) => Ok(()),
            // Full means that it is ringing already.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(_) => Err(Stopped),
        }
    }
}
