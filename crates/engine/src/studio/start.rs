//! Starting and stopping a studio.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use protocol::{ErrorCode, State, UserError};
use secrecy::SecretString;
use store::{SecretVault, Store};
use tokio::sync::{broadcast, mpsc, watch};

use super::actor::Actor;
use super::document::store_error;
use super::first::first_state_in;
use super::handle::{Input, Interested, StudioHandle};
use super::overlays::OverlayFrame;
use super::pictures::Taps;
use super::products::{ChosenProducts, ProductPictures};
use crate::sentences::{self, Language};

/// Commands and events that may wait for the actor.
const INPUTS: usize = 1024;
/// Events that a desk may be behind before it has to join again.
const EVENTS: usize = 1024;
/// Small pictures that a desk may be behind.
const SMALL: usize = 128;

/// Where a studio keeps its document.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one, and it is taken apart at once"
)]
pub enum Persistence {
    /// In a database, with a vault for keys; a show that was on air can be taken up again.
    Kept {
        /// The database.
        store: Store,
        /// The keys.
        vault: SecretVault,
        /// Go on with the show that a crash cut off.
        resume: bool,
    },
    /// Nowhere: a show from the command line leaves no trace but its recording.
    Nowhere {
        /// The document to begin with.
        state: Box<State>,
        /// Keys of its destinations.
        keys: Vec<(protocol::DestinationId, SecretString)>,
    },
}

/// Addresses of the embedded StreamCore.
#[derive(Debug, Clone)]
pub struct StreamCorePorts {
    /// The viewer page's HTTP.
    pub http: SocketAddr,
    /// Media, UDP.
    pub media: SocketAddr,
    /// When a port is taken: `true` takes another, `false` fails.
    pub flexible: bool,
    /// What a WHIP publisher must show; `None` lets nobody but the studio publish.
    pub publish_key: Option<SecretString>,
    /// Where chat is kept; `None` forgets it with the engine.
    pub database: Option<PathBuf>,
    /// What signs the tokens of its viewers and moderators; `None` makes them strangers after a restart.
    pub token_key: Option<SecretString>,
    /// Tips and tickets by Stripe; `None`: nobody pays.
    pub money: Option<streamcore::MoneySettings>,
}

/// What a studio is started with.
pub struct StudioOptions {
    /// Where it keeps its document.
    pub persistence: Persistence,
    /// The embedded StreamCore; `None` leaves it out.
    pub streamcore: Option<StreamCorePorts>,
    /// Folder for recordings whose destination names none.
    pub recordings: PathBuf,
    /// Name without ending of the first recording's file, where the command line names one.
    pub record_as: Option<String>,
    /// Folder in which the measurement of encoders is kept.
    pub measurements: Option<PathBuf>,
}

/// Why a studio did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Something that a person can mend.
    #[error("{}", sentences::title(.0, Language::English))]
    User(UserError),
    /// The actor's thread could not be started.
    #[error("start the studio's thread")]
    Thread(#[source] std::io::Error),
}

impl From<UserError> for StartError {
    fn from(error: UserError) -> Self {
        Self::User(error)
    }
}

/// A running studio.
pub struct Studio {
    handle: StudioHandle,
    thread: JoinHandle<()>,
    /// From the show's products to the room.
    link: tokio::task::JoinHandle<()>,
}

impl Studio {
    /// Starts everything but a show.
    ///
    /// # Errors
    /// [`StartError`], with nothing left running.
    pub async fn start(mut options: StudioOptions) -> Result<Self, StartError> {
        let (inputs, received) = mpsc::channel(INPUTS);
        let (taps, taps_seen) = watch::channel(Taps::default());
        let (meters, meters_seen) = watch::channel(silent_meters());
        let (room, room_seen) = watch::channel(None);
        let (chosen, chosen_seen) = watch::channel(ChosenProducts::default());
        let (overlays, overlays_seen) = watch::channel(OverlayFrame::default());
        let catalogue = match &options.persistence {
            Persistence::Kept { store, .. } => Some(store.catalogue().await.map_err(store_error)?),
            Persistence::Nowhere { .. } => None,
        };
        let interested = Arc::new(Interested::default());
        let product_pictures = catalogue.clone().map(ProductPictures::new);
        let handle = StudioHandle {
            inputs: inputs.clone(),
            taps: taps_seen,
            meters: meters_seen,
            interested: interested.clone(),
            chosen: chosen_seen,
            overlays: overlays_seen,
            product_pictures: product_pictures.clone(),
        };
        let streamcore = match options.streamcore.take() {
            Some(ports) => Some(start_streamcore(ports).await?),
            None => None,
        };
        let (events, _) = broadcast::channel(EVENTS);
        let (small, _) = broadcast::channel(SMALL);
        let wiring = super::actor::Wiring {
            inputs,
            received,
            taps,
            meters,
            interested,
            events,
            small,
            chosen,
            room,
            overlays,
            product_pictures,
            catalogue,
        };
        let actor = Actor::new(wiring, options, streamcore).await?;
        let runtime = tokio::runtime::Handle::current();
        // A thread of its own: changing pipelines takes milliseconds that no other task should wait for.
        let thread = std::thread::Builder::new()
            .name("studio".to_owned())
            .spawn(move || runtime.block_on(actor.run()))
            .map_err(StartError::Thread)?;
        let link = tokio::spawn(super::products::link_to_room(handle.clone(), room_seen));
        Ok(Self { handle, thread, link })
    }

    /// A way to it.
    pub fn handle(&self) -> StudioHandle {
        self.handle.clone()
    }

    /// Ends the show if one runs, closes recordings, and stops everything.
    pub async fn stop(self) {
        self.handle.stop().await;
        self.link.abort();
        let thread = self.thread;
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the studio's thread ended badly");
        }
    }
}

async fn start_streamcore(mut ports: StreamCorePorts) -> Result<streamcore::Server, UserError> {
    let mut started = streamcore::Server::start(settings(&ports, ports.http, ports.media)).await;
    if let (Err(streamcore::StartError::Database(error)), Some(database)) = (&started, &ports.database) {
        // A show is worth more than its old chat.
        if !free_for_a_new_one(database, error) {
            ports.database = None;
        }
        started = streamcore::Server::start(settings(&ports, ports.http, ports.media)).await;
    }
    match started {
        Err(streamcore::StartError::PortTaken { address, .. }) if ports.flexible => {
            tracing::warn!(%address, "port is taken, StreamCore takes others");
            let any = |address: SocketAddr| SocketAddr::new(address.ip(), 0);
            streamcore::Server::start(settings(&ports, any(ports.http), any(ports.media))).await
        }
        result => result,
    }
    .map_err(|error| match error {
        streamcore::StartError::Money(error) => UserError::new(ErrorCode::BadValue)
            .with("field", "--streamcore-stripe-secret-env")
            .with("detail", error),
        streamcore::StartError::PortTaken { address, .. } => {
            UserError::new(ErrorCode::PortTaken).with("address", address)
        }
        error => UserError::new(ErrorCode::Internal).with("detail", error),
    })
}

/// Moves the chat's database aside if it is damaged. `false`: it stays, and this run's chat is kept in memory only.
fn free_for_a_new_one(database: &Path, error: &streamcore::RoomDatabaseError) -> bool {
    let said = error as &(dyn std::error::Error + 'static);
    if !error.is_damage() {
        tracing::error!(error = said, path = %database.display(), "chat's database cannot be used, chat ends with the engine");
        return false;
    }
    match store::move_aside(database) {
        Ok(aside) => {
            tracing::error!(error = said, kept = %aside.display(), "chat's database is damaged, moved aside");
            true
        }
        Err(moving) => {
            tracing::error!(error = said, %moving, "chat's damaged database cannot be moved, chat ends with the engine");
            false
        }
    }
}

fn settings(ports: &StreamCorePorts, http: SocketAddr, media: SocketAddr) -> streamcore::Settings {
    // Books and tickets that end with the engine are none; a show is worth more than its takings.
    let kept = ports.database.is_some() && ports.token_key.is_some();
    if ports.money.is_some() && !kept {
        tracing::error!("rooms are not kept in this run, so that nobody can pay in them");
    }
    streamcore::Settings {
        http,
        media,
        publish_key: ports.publish_key.clone(),
        database: ports.database.clone(),
        token_key: ports.token_key.clone(),
        // A tunnel runs on this machine: its viewers would all be one address, and share that one's few places.
        trusted_proxies: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        money: ports.money.clone().filter(|_| kept),
        ..streamcore::Settings::default()
    }
}

/// Meters before the first reading.
pub(super) fn silent_meters() -> protocol::Meters {
    protocol::Meters {
        strips: Vec::new(),
        master: protocol::Levels::SILENCE,
        loudness: protocol::Loudness::default(),
    }
}

/// The document to begin with.
pub(super) fn begin(persistence: &Persistence) -> State {
    match persistence {
        Persistence::Kept { .. } => first_state_in(Language::of_system()),
        Persistence::Nowhere { state, .. } => (**state).clone(),
    }
}

/// The input under which a media event reaches the actor. A full queue drops nothing: the sender waits, except on
/// streaming threads, where a lost status is repeated by the next reading.
pub(super) fn forward(inputs: &mpsc::Sender<Input>, event: media::StudioEvent) {
    if inputs.try_send(Input::Media(event)).is_err() {
        tracing::warn!("the studio is behind, a pipeline's event was dropped");
    }
}
