//! Starting, asking and stopping a server.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};

use crate::chat::{self, Chat, KeepError, Keeper, Site, Tokens};
use crate::http::{self, App};
use crate::interfaces::usable_addresses;
use crate::media::command::{Command, CommandSender, Refused, Shared};
use crate::media::socket::{MediaSocket, bind};
use crate::media::worker::{BELL, Worker};
use crate::money::{self, Gate, MoneyError, TicketKey, Till};
use crate::publisher::LocalPublisher;
use crate::room::{Directory, RoomEvent, RoomId, RoomInfo, RoomView};
use crate::rtc::RtcFactory;
use crate::settings::Settings;
use crate::viewers::Viewers;

/// How long requests under way may take when the server stops.
const GRACE: Duration = Duration::from_secs(2);
/// The media thread answers within a turn; longer means that it hangs.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Why a server did not start. Nothing is left running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program has the address.
    #[error("listen on {address}: another program uses this port")]
    PortTaken {
        /// The address, HTTP's (TCP) or media's (UDP).
        address: SocketAddr,
    },
    /// The address is not this machine's, the port is not allowed, …
    #[error("listen on {address}")]
    Bind {
        /// The address, HTTP's (TCP) or media's (UDP).
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system gave no thread, poll or waker.
    #[error("start the media thread")]
    Thread(#[source] io::Error),
    /// The rooms' database cannot be used.
    #[error("open the room database")]
    Database(#[source] RoomDatabaseError),
    /// The key of the host's own site is none.
    #[error("use the site's key")]
    SiteKey(#[source] crate::chat::SiteKeyError),
    /// Payments cannot be had like this.
    #[error("set up payments")]
    Money(#[source] MoneyError),
    /// No certificate could be made for DTLS.
    #[error("prepare encryption")]
    Certificate(#[source] crate::rtc::CertificateError),
}

/// What is wrong with the rooms' database.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct RoomDatabaseError(#[from] KeepError);

impl RoomDatabaseError {
    /// Whether the file is no database any more. A database that somebody else holds, that a later version has made or
    /// that may not be written to is whole: it must stay where it is.
    pub fn is_damage(&self) -> bool {
        match &self.0 {
            // SQLITE_CORRUPT is 11, SQLITE_NOTADB 26; extended codes keep them in their low byte.
            KeepError::Database(sqlx::Error::Database(said)) => said
                .code()
                .and_then(|code| code.parse::<u32>().ok())
                .is_some_and(|code| matches!(code & 0xff, 11 | 26)),
            KeepError::Content(_) => true,
            _ => false,
        }
    }
}

/// Why a room cannot be published to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Somebody publishes there already.
    #[error("publish: the room has a publisher")]
    RoomBusy,
    /// [`Limits::rooms`](crate::Limits::rooms) is reached.
    #[error("publish: there is no place for another room")]
    TooManyRooms,
    /// The server has stopped.
    #[error("publish: the server has stopped")]
    Stopped,
}

/// A running StreamCore: HTTP on the caller's tokio runtime, media on a thread of its own.
///
/// Dropping it stops both without waiting; [`stop`](Self::stop) waits until nothing is left running.
#[derive(Debug)]
pub struct Server {
    http_addr: SocketAddr,
    media_addr: SocketAddr,
    directory: Arc<Directory>,
    chat: Arc<Chat>,
    commands: CommandSender,
    next_publication: AtomicU64,
    stopping: watch::Sender<bool>,
    http: Option<tokio::task::JoinHandle<()>>,
    /// Viewers' figures.
    keeping: Option<tokio::task::JoinHandle<()>>,
    refunds: Option<tokio::task::JoinHandle<()>>,
    media: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for CommandSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CommandSender")
    }
}

impl Server {
    /// Binds both addresses and starts. Must be called on a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let listener = TcpListener::bind(settings.http)
            .await
            .map_err(|e| bind_error(settings.http, e))?;
        let http_addr = listener.local_addr().map_err(|e| bind_error(settings.http, e))?;
        let socket = bind(settings.media).map_err(|e| bind_error(settings.media, e))?;
        let bound = socket.local_addr().map_err(|e| bind_error(settings.media, e))?;
        let factory = RtcFactory::new().map_err(StartError::Certificate)?;
        let directory = Arc::new(Directory::new(settings.limits.rooms));

        let till = till(&settings)?;
        let key = settings.token_key.clone().unwrap_or_else(made_key);
        let site = settings.site_key.as_ref().map(|site| Site::new(site, &key));
        let site = site.transpose().map_err(StartError::SiteKey)?;
        let keeper = Keeper::open(settings.database.as_deref(), &key)
            .await
            .map_err(|error| StartError::Database(error.into()))?;
        let keeper = keeper.with_offer(till.as_ref().map(|till| Arc::clone(&till.offer)));
        let viewers = Viewers::open(keeper.clone())
            .await
            .map_err(|error| StartError::Database(error.into()))?;
        let follow = Arc::clone(&viewers).follow(directory.events());

        let poll = mio::Poll::new().map_err(StartError::Thread)?;
        let bell = mio::Waker::new(poll.registry(), BELL).map_err(StartError::Thread)?;
        let (queue, receiver) = mpsc::channel();
        let commands = CommandSender {
            queue,
            bell: Arc::new(bell),
        };
        let devices = settings
            .money
            .as_ref()
            .map_or(1, |money| money.devices_per_ticket);
        let gate = Gate::open(
            keeper.clone(),
            TicketKey::new(&key),
            commands.clone(),
            devices,
            till,
        )
        .await
        .map_err(|error| StartError::Database(error.into()))?;
        let chat = Arc::new(Chat::new(
            keeper,
            Tokens::new(key),
            site,
            gate,
            viewers,
            &settings.limits,
        ));
        let socket = MediaSocket::new(socket).map_err(|e| bind_error(settings.media, e))?;
        let worker = Worker::new(
            poll,
            socket,
            receiver,
            Arc::clone(&directory),
            settings.limits.clone(),
        )
        .map_err(StartError::Thread)?;
        let media = std::thread::Builder::new()
            .name("streamcore-media".into())
            .spawn(move || {
                if let Err(error) = worker.run() {
                    tracing::error!(%error, "the media thread lost its socket");
                }
            })
            .map_err(StartError::Thread)?;

        let (stopping, stop) = watch::channel(false);
        let app = App::new(
            factory,
            Arc::clone(&directory),
            Arc::clone(&chat),
            commands.clone(),
            &settings,
            bound,
            stop.clone(),
        );
        tokio::spawn(follow);
        let keeping = tokio::spawn(Arc::clone(&chat.viewers).keep_up(stop.clone()));
        tokio::spawn(chat::expire(Arc::clone(&chat), stop.clone()));
        let refunds = tokio::spawn(money::give_back(Arc::clone(&chat), stop.clone()));
        let http = tokio::spawn(http::serve(listener, app, stop));
        // What viewers are told: the requested address, not the dual-stack form of it.
        let media_addr = SocketAddr::new(settings.media.ip(), bound.port());
        tracing::info!(%http_addr, %media_addr, "streamcore listens");
        Ok(Self {
            http_addr,
            media_addr,
            directory,
            chat,
            commands,
            next_publication: AtomicU64::new(1),
            stopping,
            http: Some(http),
            keeping: Some(keeping),
            refunds: Some(refunds),
            media: Some(media),
        })
    }

    /// Where HTTP listens, with the port that was given for port 0.
    pub fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    /// Where media comes and goes (UDP), with the port that was given for port 0.
    pub fn media_addr(&self) -> SocketAddr {
        self.media_addr
    }

    /// Addresses of a room's viewer page, one for each usable address of the machine: home network first,
    /// loopback last. Only the bound one if HTTP is bound to one address.
    pub fn watch_urls(&self, room: &RoomId) -> Vec<String> {
        self.page_urls("watch", room)
    }

    /// Addresses of the page on which a room's chat is moderated, in the order of [`watch_urls`](Self::watch_urls).
    /// It wants a token behind its `#token=`.
    pub fn moderate_urls(&self, room: &RoomId) -> Vec<String> {
        self.page_urls("moderate", room)
    }

    /// Address of a room's chat for a program on this machine.
    pub fn chat_url(&self, room: &RoomId) -> String {
        format!("ws://{}/chat/{room}", self.own_address())
    }

    /// Where this machine itself reaches the server.
    fn own_address(&self) -> SocketAddr {
        let mut address = self.http_addr;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        address
    }

    /// Address at which a program on this machine puts pictures of products into a room.
    pub fn images_url(&self, room: &RoomId) -> String {
        format!("http://{}/api/rooms/{room}/images", self.own_address())
    }

    fn page_urls(&self, page: &str, room: &RoomId) -> Vec<String> {
        let ips: Vec<IpAddr> = if self.http_addr.ip().is_unspecified() {
            let v4_only = self.http_addr.is_ipv4();
            usable_addresses()
                .into_iter()
                .filter(|ip| ip.is_ipv4() || !v4_only)
                .collect()
        } else {
            vec![self.http_addr.ip()]
        };
        ips.into_iter()
            .map(|ip| {
                format!(
                    "http://{}/{page}/{room}",
                    SocketAddr::new(ip, self.http_addr.port())
                )
            })
            .collect()
    }

    /// What happens in all rooms from now on. A receiver that falls 1024 events behind is told so and goes on.
    pub fn events(&self) -> broadcast::Receiver<RoomEvent> {
        self.directory.events()
    }

    /// What is known of a room now.
    pub fn room(&self, room: &RoomId) -> RoomView {
        self.directory.view(room)
    }

    /// Tells viewers another title.
    pub fn rename(&self, room: &RoomId, info: &RoomInfo) {
        self.directory
            .update(room, |view| view.title = info.clean_title());
    }

    /// Publishes to a room from this process. Waits for the media thread's answer, a millisecond at most.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub fn publish(&self, room: RoomId, info: RoomInfo) -> Result<LocalPublisher, PublishError> {
        self.directory
            .reserve(&room)
            .map_err(|_| PublishError::TooManyRooms)?;
        let id = self.next_publication.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::new(Shared::default());
        let (reply, answer) = mpsc::sync_channel(1);
        self.commands
            .send(Command::Publish {
                id,
                room: room.clone(),
                info,
                shared: Arc::clone(&shared),
                reply,
            })
            .map_err(|_| PublishError::Stopped)?;
        match answer.recv_timeout(ANSWER_WITHIN) {
            Ok(Ok(())) => Ok(LocalPublisher::new(id, room, self.commands.clone(), shared)),
            Ok(Err(Refused::Full)) => Err(PublishError::TooManyRooms),
            Ok(Err(Refused::Busy | Refused::NotLive)) => Err(PublishError::RoomBusy),
            Err(_) => {
                // Should it answer after all, nobody would ever end that publication.
                let _ = self.commands.send(Command::Unpublish { id, ended: false });
                Err(PublishError::Stopped)
            }
        }
    }

    /// What makes its bearer the host of a room's chat, under this name: a secret, for the host alone.
    pub fn host_token(&self, room: &RoomId, name: &str) -> Option<SecretString> {
        chat::host_token(&self.chat, room, name).map(SecretString::from)
    }

    /// Says goodbye to everybody and waits until both threads of work are over.
    pub async fn stop(mut self) {
        self.signal();
        if let Some(mut http) = self.http.take()
            && tokio::time::timeout(GRACE, &mut http).await.is_err()
        {
            tracing::debug!("requests under way were cut off");
            http.abort();
            let _ = http.await;
        }
        if let Some(keeping) = self.keeping.take() {
            // A panic of its own is in the log already.
            let _ = keeping.await;
        }
        if let Some(refunds) = self.refunds.take() {
            // A panic was said already; what it was at stands in the books.
            let _ = refunds.await;
        }
        self.chat.close().await;
        if let Some(media) = self.media.take()
            && tokio::task::spawn_blocking(move || media.join()).await.is_err()
        {
            tracing::debug!("the runtime stopped before the media thread");
        }
    }

    fn signal(&self) {
        self.stopping.send_replace(true);
        // Gone already is as good.
        let _ = self.commands.send(Command::Stop);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal();
    }
}

/// Where viewers pay, if they may.
fn till(settings: &Settings) -> Result<Option<Till>, StartError> {
    let Some(money) = &settings.money else {
        return Ok(None);
    };
    let till = Till::new(money).map_err(StartError::Money)?;
    if settings.database.is_none() {
        return Err(StartError::Money(MoneyError::NoDatabase));
    }
    if settings.token_key.is_none() {
        return Err(StartError::Money(MoneyError::NoTokenKey));
    }
    Ok(Some(till))
}

/// 256 random bits.
fn made_key() -> SecretString {
    SecretString::from(format!(
        "{:032x}{:032x}",
        rand::random::<u128>(),
        rand::random::<u128>()
    ))
}

fn bind_error(address: SocketAddr, source: io::Error) -> StartError {
    if source.kind() == io::ErrorKind::AddrInUse {
        StartError::PortTaken { address }
    } else {
        StartError::Bind { address, source }
    }
}
