//! How the rest of the engine speaks to the studio.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use protocol::{Command, ErrorCode, Event, Meters, PictureKind, Reply, State, UserError};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::overlays::OverlayFrame;
use super::pictures::Taps;
use super::products::{ChosenProducts, ProductPictures};
use super::rooms::ChatDoor;

/// What reaches the actor.
#[derive(Debug)]
pub enum Input {
    /// A desk or the command line wants something.
    Command {
        /// What.
        command: Command,
        /// Where the answer goes.
        answer: oneshot::Sender<Result<Reply, UserError>>,
    },
    /// A desk joins.
    Join(oneshot::Sender<Joined>),
    /// A desk wants to be in a room's chat.
    Chat {
        /// Which room.
        room: String,
        /// Where the way in goes; nothing when it is no room of ours.
        answer: oneshot::Sender<Option<ChatDoor>>,
    },
    /// A pipeline says something.
    Media(media::StudioEvent),
    /// A room of StreamCore says something.
    Room(streamcore::RoomEvent),
    /// The devices of this computer changed.
    Devices(Vec<protocol::Device>),
    /// Encoders were tried and measured.
    Encoders(Box<super::encoders::Encoders>),
    /// What the system's dialog allows a source from now on; `None` is nothing.
    Grant(media::Choice, Option<secrecy::SecretString>),
    /// A recording that a crash cut short was looked after.
    Recording(super::recordings::LookedAfter),
    /// The picture of the product whose card is on the picture; nothing when there is none to be had.
    OverlayPicture(protocol::ProductId, Option<Vec<u8>>),
    /// What came of work on products beside the actor.
    Products(super::products::News),
    /// End the show if one runs, and stop.
    Stop(oneshot::Sender<()>),
}

/// What a desk starts with.
#[derive(Debug)]
pub struct Joined {
    /// Number of the last event in `state`.
    pub revision: u64,
    /// Everything.
    pub state: State,
    /// All events after it.
    pub events: broadcast::Receiver<(u64, Event)>,
    /// Small pictures of sources and devices.
    pub small: broadcast::Receiver<Small>,
}

/// A small picture.
#[derive(Debug, Clone)]
pub struct Small {
    /// Of a source or a device.
    pub kind: PictureKind,
    /// Whose.
    pub id: String,
    /// JPEG.
    pub jpeg: Bytes,
}

/// A way to the studio; cheap to clone.
#[derive(Clone)]
pub struct StudioHandle {
    pub(super) inputs: mpsc::Sender<Input>,
    pub(super) taps: watch::Receiver<Taps>,
    pub(super) meters: watch::Receiver<Meters>,
    pub(super) interested: Arc<Interested>,
    pub(super) chosen: watch::Receiver<ChosenProducts>,
    pub(super) overlays: watch::Receiver<OverlayFrame>,
    pub(super) product_pictures: Option<ProductPictures>,
}

/// Who looks at what is only made on demand.
#[derive(Debug, Default)]
pub struct Interested {
    pub(super) thumbnails: AtomicUsize,
    pub(super) meters: AtomicUsize,
}

/// While it lives, small pictures are made.
#[derive(Debug)]
pub struct Interest {
    interested: Arc<Interested>,
    which: fn(&Interested) -> &AtomicUsize,
}

impl Drop for Interest {
    fn drop(&mut self) {
        (self.which)(&self.interested).fetch_sub(1, Ordering::Relaxed);
    }
}

impl StudioHandle {
    /// Does a command.
    ///
    /// # Errors
    /// What the studio says; [`ErrorCode::Internal`] when it has stopped.
    pub async fn command(&self, command: Command) -> Result<Reply, UserError> {
        let (answer, answered) = oneshot::channel();
        let gone = || UserError::new(ErrorCode::Internal).with("detail", "the studio has stopped");
        self.inputs
            .send(Input::Command { command, answer })
            .await
            .map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Everything as it is now, and all that follows; `None` when the studio has stopped.
    pub async fn join(&self) -> Option<Joined> {
        let (answer, answered) = oneshot::channel();
        self.inputs.send(Input::Join(answer)).await.ok()?;
        answered.await.ok()
    }

    /// The way into a room's chat as its host; `None` when the studio has no such room, or has stopped.
    pub async fn chat_door(&self, room: String) -> Option<ChatDoor> {
        let (answer, answered) = oneshot::channel();
        self.inputs.send(Input::Chat { room, answer }).await.ok()?;
        answered.await.ok()?
    }

    /// Ends the show if one runs, closes recordings, and stops.
    pub async fn stop(&self) {
        let (answer, answered) = oneshot::channel();
        if self.inputs.send(Input::Stop(answer)).await.is_ok() {
            // An error means that it has stopped already.
            let _stopped = answered.await;
        }
    }

    /// The streams of pictures, new whenever the program is built anew.
    pub fn taps(&self) -> watch::Receiver<Taps> {
        self.taps.clone()
    }

    /// The meters, as long as somebody is interested.
    pub fn meters(&self) -> watch::Receiver<Meters> {
        self.meters.clone()
    }

    /// What viewers are offered, new whenever that changes: the one place from which a room is told.
    pub fn chosen_products(&self) -> watch::Receiver<ChosenProducts> {
        self.chosen.clone()
    }

    /// What lies over the program's picture, whenever that changes.
    pub fn overlays(&self) -> watch::Receiver<OverlayFrame> {
        self.overlays.clone()
    }

    /// Pictures of products; `None` where there is no catalogue.
    pub fn product_pictures(&self) -> Option<&ProductPictures> {
        self.product_pictures.as_ref()
    }

    /// Wants small pictures.
    pub fn want_thumbnails(&self) -> Interest {
        self.want(|interested| &interested.thumbnails)
    }

    /// Wants meters.
    pub fn want_meters(&self) -> Interest {
        self.want(|interested| &interested.meters)
    }

    fn want(&self, which: fn(&Interested) -> &AtomicUsize) -> Interest {
        which(&self.interested).fetch_add(1, Ordering::Relaxed);
        Interest {
            interested: Arc::clone(&self.interested),
            which,
        }
    }
}
