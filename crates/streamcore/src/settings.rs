//! What a server is told before it starts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::money::MoneySettings;

/// Addresses, key and limits of a [`Server`](crate::Server). `Default` fits a laptop: loopback HTTP,
/// media on every address, no WHIP.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where HTTP listens: pages, WHIP, WHEP. Port 0 takes a free one. Default `127.0.0.1:0`.
    pub http: SocketAddr,
    /// Where media (UDP) comes and goes. An unspecified address takes IPv4 and IPv6 where the system can, and
    /// offers a candidate for every usable address of the machine. Default `0.0.0.0:0`.
    pub media: SocketAddr,
    /// What a WHIP publisher must show as its bearer. `None`: nobody may publish over WHIP (403), only this
    /// process may. Default `None`.
    pub publish_key: Option<SecretString>,
    /// Addresses under which the machine is reached through a one-to-one NAT (a cloud server's public
    /// address), offered beside its own. Default empty.
    pub public_addresses: Vec<IpAddr>,
    /// STUN servers told to clients in `Link` headers, as `stun:host:port` (RFC 7064). Default empty: the
    /// server's own candidates are enough unless both sides are behind NAT.
    pub stun_servers: Vec<String>,
    /// Reverse proxies that pass viewers on: of a request from one of these, the viewer's address is the last in
    /// `X-Forwarded-For`. Default empty: nobody else's word for an address is taken.
    pub trusted_proxies: Vec<IpAddr>,
    /// Where chat is kept: a SQLite database, made if need be. `None`: in memory, until the server stops.
    /// Default `None`.
    pub database: Option<PathBuf>,
    /// What signs the tokens of viewers, moderators and hosts, at least 32 characters that nobody can guess. `None`:
    /// made anew at each start, so that everybody is a stranger after it. Default `None`.
    pub token_key: Option<SecretString>,
    /// What the tokens of the host's own site are read with, by which people come into chats as who they are there.
    /// `None`: nobody is signed in. Default `None`.
    pub site_key: Option<SiteKey>,
    /// Tips and tickets by Stripe; wants [`database`](Self::database) and [`token_key`](Self::token_key). `None`: nobody
    /// pays. Default `None`.
    pub money: Option<MoneySettings>,
    /// Bounds on what strangers may use.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            http: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            media: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            publish_key: None,
            public_addresses: Vec::new(),
            stun_servers: Vec::new(),
            trusted_proxies: Vec::new(),
            database: None,
            token_key: None,
            site_key: None,
            money: None,
            limits: Limits::default(),
        }
    }
}

/// What the tokens (JWT) of the host's own site are read with. The algorithm goes with the key, whatever a token says.
#[derive(Debug, Clone)]
pub enum SiteKey {
    /// HS256 with a secret that site and server share, of at least 32 characters.
    Secret(SecretString),
    /// RS256 with this public key, as PEM.
    PublicKey(String),
    /// RS256 with the public keys at this address, as a set of JWKs. https, or http on this machine.
    KeysAt(String),
}

/// Bounds on what strangers may use. Beyond a number of things the answer is 503 with Retry-After, beyond a
/// size 413.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Rooms that are published to or looked at. Default 64.
    pub rooms: usize,
    /// Viewers of all rooms together. One thread carries about 480 at 720p30. Default 1000.
    pub viewers: usize,
    /// New sessions a second, in bursts of as many. A handshake costs about 1.2 ms of CPU. Default 100.
    pub joins_per_second: u32,
    /// Open event streams of viewer pages, and chat connections. Default 4000.
    pub event_streams: usize,
    /// Viewers in one room's chat who come from one address (of IPv6 one network of 64 bits), and connections of an
    /// address that have not said yet who they are. Host and moderators are not counted. Default 20: a household, a
    /// small office; behind one address of a school or a mobile network there are more.
    pub chat_connections_per_address: u32,
    /// Viewers who come into chats from one address in a second, in bursts of as many as may be there. Default 5.
    pub chat_joins_per_second: u32,
    /// Requests a second of one caller of the HTTP interface to chats, in bursts of twice as many: host, moderators and
    /// accounts each by themselves, viewers by their address. Default 10, as many as over a socket.
    pub api_requests_per_second: u32,
    /// Bytes of a request's body. An offer has 2 to 10 KB. Default 64 KiB.
    pub body_bytes: usize,
    /// Least time between two keyframes that are asked of a publisher. Default 1 s.
    pub keyframe_interval: Duration,
    /// Bytes of pictures kept per room for those who come later. Default 4 MiB.
    pub cache_bytes: usize,
    /// Duration of pictures kept per room for those who come later. Default 4 s.
    pub cache_duration: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rooms: 64,
            viewers: 1000,
            joins_per_second: 100,
            event_streams: 4000,
            chat_connections_per_address: 20,
            chat_joins_per_second: 5,
            api_requests_per_second: 10,
            body_bytes: 64 * 1024,
            keyframe_interval: Duration::from_secs(1),
            cache_bytes: 4 * 1024 * 1024,
            cache_duration: Duration::from_secs(4),
        }
    }
}
