//! StreamCore's HTTP: WHIP and WHEP, what viewers may know of a room, pictures of products, what other programs ask of
//! rooms, and the pages of viewers and moderators.

pub(crate) mod answer;
pub(crate) mod api;
mod giveaways;
mod images;
mod money;
mod page;
mod rooms;
mod session;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use secrecy::SecretString;
use socketioxide::SocketIo;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use answer::Refusal;
pub(crate) use session::bearer;

use crate::bucket::Bucket;
use crate::chat::{self, Chat};
use crate::interfaces::usable_addresses;
use crate::media::command::CommandSender;
use crate::room::Directory;
use crate::rtc::{Role, RtcFactory};
use crate::settings::Settings;

/// How long a listing of the machine's addresses holds. A new Wi-Fi is offered to whoever comes after that.
const ADDRESSES_HOLD: Duration = Duration::from_secs(5);

/// What every request can reach.
pub(crate) struct App {
    factory: RtcFactory,
    directory: Arc<Directory>,
    chat: Arc<Chat>,
    commands: CommandSender,
    publish_key: Option<SecretString>,
    media: SocketAddr,
    public: Vec<IpAddr>,
    trusted_proxies: Vec<IpAddr>,
    links: Vec<HeaderValue>,
    body_bytes: usize,
    joins: Mutex<Bucket>,
    event_streams: Arc<Semaphore>,
    paces: api::Paces,
    addresses: Mutex<Option<(Instant, Vec<SocketAddr>)>>,
    stop: watch::Receiver<bool>,
}

impl App {
    pub fn new(
        factory: RtcFactory,
        directory: Arc<Directory>,
        chat: Arc<Chat>,
        commands: CommandSender,
        settings: &Settings,
        media: SocketAddr,
        stop: watch::Receiver<bool>,
    ) -> Arc<Self> {
        Arc::new(Self {
            factory,
            directory,
            chat,
            commands,
            publish_key: settings.publish_key.clone(),
            media,
            public: settings.public_addresses.clone(),
            trusted_proxies: settings.trusted_proxies.clone(),
            links: settings
                .stun_servers
                .iter()
                .filter_map(|url| ice_link(url))
                .collect(),
            body_bytes: settings.limits.body_bytes,
            joins: Mutex::new(Bucket::new(
                f64::from(settings.limits.joins_per_second),
                settings.limits.joins_per_second,
                Instant::now(),
            )),
            event_streams: Arc::new(Semaphore::new(settings.limits.event_streams)),
            paces: api::Paces::new(settings.limits.api_requests_per_second),
            addresses: Mutex::new(None),
            stop,
        })
    }

    /// The rooms' chat.
    pub fn chat(&self) -> Arc<Chat> {
        Arc::clone(&self.chat)
    }

    /// Turns true when the server stops.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }

    /// Where a request comes from: the other end of its connection, or what a trusted proxy says of it.
    pub fn viewer_address(&self, from: SocketAddr, headers: &HeaderMap) -> IpAddr {
        let peer = from.ip().to_canonical();
        if !self.trusted_proxies.contains(&peer) {
            return peer;
        }
        // The proxy appends the address that it saw; what stands before it came from the viewer, and may be a lie.
        let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
        forwarded
            .and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok())
            .unwrap_or(peer)
    }

    /// Where this server is for somebody who sent a request: what the host has said, or else what their browser calls it.
    fn base(&self, from: SocketAddr, headers: &HeaderMap) -> Option<String> {
        let said = self
            .chat
            .gate
            .till()
            .and_then(|till| till.offer.public_url.clone());
        said.or_else(|| {
            let host = headers.get(header::HOST)?.to_str().ok()?;
            let proxied = self.trusted_proxies.contains(&from.ip().to_canonical());
            let secure = proxied
                && headers
                    .get("x-forwarded-proto")
                    .is_some_and(|proto| proto == "https");
            let url = url::Url::parse(&format!("{}://{host}", if secure { "https" } else { "http" })).ok()?;
            // A host alone: what else would stand in it is none.
            let alone = url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty();
            alone.then(|| url.origin().ascii_serialization())
        })
    }

    /// A place for somebody who stays and listens.
    pub fn listener_place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.event_streams).try_acquire_owned().map_err(|_| {
            Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "There is no place for another listener.",
            )
            .retry_after(30)
        })
    }

    /// The socket's addresses as candidates.
    fn candidates(&self, now: Instant) -> Vec<SocketAddr> {
        if !self.media.ip().is_unspecified() {
            return vec![SocketAddr::new(self.media.ip().to_canonical(), self.media.port())];
        }
        let mut held = self
            .addresses
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((at, list)) = held.as_ref()
            && now.saturating_duration_since(*at) < ADDRESSES_HOLD
        {
            return list.clone();
        }
        let v4_only = self.media.is_ipv4();
        let list: Vec<SocketAddr> = usable_addresses()
            .into_iter()
            .filter(|ip| ip.is_ipv4() || !v4_only)
            .map(|ip| SocketAddr::new(ip, self.media.port()))
            .collect();
        *held = Some((now, list.clone()));
        list
    }
}

/// RFC 9725 section 4.6. A URL that cannot stand in a header is left out, and said.
fn ice_link(url: &str) -> Option<HeaderValue> {
    let plain = url.starts_with("stun:")
        && url
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>');
    let value = plain
        .then(|| HeaderValue::from_str(&format!("<{url}>; rel=\"ice-server\"")).ok())
        .flatten();
    if value.is_none() {
        tracing::warn!(url, "not a STUN address, left out");
    }
    value
}

/// Serves until told to stop.
pub(crate) async fn serve(listener: TcpListener, app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let (router, socketio) = router(app);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service)
        .with_graceful_shutdown(async move {
            // An error says that the server was dropped: stop as well.
            let _ = stop.wait_for(|stop| *stop).await;
            socketio.close().await;
        })
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "HTTP stopped");
    }
}

fn router(app: Arc<App>) -> (Router, SocketIo) {
    let (socketio_route, socketio) = chat::socketio_route(&app);
    let open = Router::new()
        .nest("/whip", session::routes(Role::Publisher))
        .nest("/whep", session::routes(Role::Viewer))
        .route("/api/rooms/{room}/events", get(rooms::events))
        .layer(map_response(allow_origins));
    let body_bytes = app.body_bytes;
    let router = Router::new()
        .merge(open)
        .merge(socketio_route)
        .merge(api::routes())
        .route("/chat/{room}", get(chat::open))
        .route("/api/rooms/{room}/money", get(money::terms))
        .route("/api/rooms/{room}/tips", post(money::tip))
        .route("/api/rooms/{room}/tickets", post(money::sell))
        .route("/api/rooms/{room}/tickets/open", post(money::open))
        .route("/stripe/webhook", post(money::webhook))
        .route("/api/rooms/{room}/giveaways/{id}", get(giveaways::proof))
        .route("/watch/{room}", get(page::watch))
        .route("/moderate/{room}", get(page::moderate))
        .route("/assets/{*path}", get(page::asset))
        .layer(DefaultBodyLimit::max(body_bytes))
        .with_state(app);
    (router, socketio)
}

/// Any page may publish and watch: what protects a room is its key, which no browser sends by itself.
async fn allow_origins(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Location, ETag, Link, Retry-After"),
    );
    response
}
