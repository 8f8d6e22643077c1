//! `streamcore`: rooms on a server of their own.
//!
//! Exit codes: 0 ended as asked; 2 wrong arguments; 3 a port is taken; 4 an address cannot be listened on;
//! 5 the named environment variable or file holds no key; 6 the database cannot be used; 1 anything else.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use secrecy::{ExposeSecret, SecretString};
use streamcore::{Limits, MoneySettings, Server, Settings, SiteKey, StartError};
use tracing_subscriber::EnvFilter;

#[derive(Parser)]
#[command(
    name = "streamcore",
    version,
    about = "WebRTC rooms: WHIP in, WHEP out, a page to watch"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Listen until Ctrl-C
    #[command(
        after_help = "Exit codes: 0 ended as asked, 1 failed, 2 wrong arguments, 3 a port is taken, \
        4 an address cannot be listened on, 5 the environment variable or file holds no key, \
        6 the database cannot be used"
    )]
    Serve(Serve),
}

#[derive(Args)]
struct Serve {
    /// Where HTTP listens: pages, WHIP, WHEP
    #[arg(long, default_value = "127.0.0.1:8780")]
    http: SocketAddr,
    /// Where media (UDP) comes and goes; 0.0.0.0 takes IPv6 too
    #[arg(long, default_value = "0.0.0.0:8781")]
    media: SocketAddr,
    /// Environment variable that holds the publish key; without it a new key is made and printed
    #[arg(long, value_name = "NAME")]
    publish_key_env: Option<String>,
    /// Address under which a one-to-one NAT shows this machine (repeatable)
    #[arg(long, value_name = "IP")]
    public_address: Vec<IpAddr>,
    /// STUN server told to clients, as stun:HOST:PORT (repeatable)
    #[arg(long, value_name = "URL")]
    stun: Vec<String>,
    /// Reverse proxy whose X-Forwarded-For is believed (repeatable)
    #[arg(long, value_name = "IP")]
    trusted_proxy: Vec<IpAddr>,
    /// File in which chat is kept, made if need be; without it chat ends with the server
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Environment variable that holds at least 32 characters which sign viewers', moderators' and hosts' tokens;
    /// without it they end with the server
    #[arg(long, value_name = "NAME")]
    token_key_env: Option<String>,
    /// Environment variable that holds the secret, 32 characters or more, with which the host's own site signs its
    /// people's tokens (HS256)
    #[arg(long, value_name = "NAME", group = "site")]
    site_secret_env: Option<String>,
    /// File with the public key (RSA, PEM) of the host's own site, whose tokens are signed with RS256
    #[arg(long, value_name = "FILE", group = "site")]
    site_key_file: Option<PathBuf>,
    /// Address of the public keys (a set of JWKs) of the host's own site, whose tokens are signed with RS256
    #[arg(long, value_name = "URL", group = "site")]
    site_keys_url: Option<String>,
    #[command(flatten)]
    money: Money,
    /// Viewers of all rooms together
    #[arg(long, default_value_t = Limits::default().viewers)]
    max_viewers: usize,
    /// Viewers in one room's chat from one address (of IPv6 one network of 64 bits)
    #[arg(long, value_name = "N", default_value_t = Limits::default().chat_connections_per_address)]
    chat_connections_per_address: u32,
    /// Viewers who come into chats from one address in a second
    #[arg(long, value_name = "N", default_value_t = Limits::default().chat_joins_per_second)]
    chat_joins_per_second: u32,
    /// Requests a second of one caller of the HTTP interface to chats
    #[arg(long, value_name = "N", default_value_t = Limits::default().api_requests_per_second)]
    api_requests_per_second: u32,
}

/// Tips and tickets by Stripe
#[derive(Args)]
struct Money {
    /// Environment variable that holds Stripe's secret key; a test key unless --stripe-live is given
    #[arg(long, value_name = "NAME", requires_all = ["stripe_webhook_secret_env", "database", "token_key_env"])]
    stripe_secret_env: Option<String>,
    /// Environment variable that holds the signing secret (whsec_) of the webhook https://HOST/stripe/webhook
    #[arg(long, value_name = "NAME", requires = "stripe_secret_env")]
    stripe_webhook_secret_env: Option<String>,
    /// Take real money: without it a live key is refused
    #[arg(long, requires = "stripe_secret_env")]
    stripe_live: bool,
    /// Where Stripe is, for tests: an http address of this machine
    #[arg(long, value_name = "URL", requires = "stripe_secret_env")]
    stripe_url: Option<String>,
    /// Where viewers reach this server (https://HOST), for the way back from Stripe and links in receipts; without it what
    /// their browser calls it
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Currency of tips and tickets, three letters
    #[arg(long, value_name = "CODE", default_value = "EUR")]
    currency: String,
    /// The platform's part of tips and tickets, in hundredths of a percent
    #[arg(long, value_name = "N", default_value_t = 500)]
    fee_basis_points: u16,
    /// Least of one tip, in the currency's smallest unit
    #[arg(long, value_name = "N", default_value_t = 100)]
    least_tip: u64,
    /// Most of one tip, in the currency's smallest unit
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    most_tip: u64,
    /// Amounts of tips that are offered as buttons
    #[arg(
        long,
        value_name = "N,N",
        value_delimiter = ',',
        default_value = "200,500,1000,2000"
    )]
    tip_presets: Vec<u64>,
    /// Devices on which one ticket plays at the same time
    #[arg(long, value_name = "N", default_value_t = 2)]
    devices_per_ticket: usize,
}

impl Money {
    fn settings(&self) -> Result<Option<MoneySettings>, Failure> {
        let (Some(secret), Some(webhook)) = (&self.stripe_secret_env, &self.stripe_webhook_secret_env) else {
            return Ok(None);
        };
        let held = |name: &String| {
            let value = std::env::var(name).ok().map(|value| value.trim().to_owned());
            let value = value.filter(|value| !value.is_empty()).map(SecretString::from);
            value.ok_or_else(|| Failure::NoStripeKey(name.clone()))
        };
        Ok(Some(MoneySettings {
            live: self.stripe_live,
            stripe_url: self.stripe_url.clone(),
            public_url: self.public_url.clone(),
            currency: self.currency.clone(),
            fee_basis_points: self.fee_basis_points,
            least_tip: self.least_tip,
            most_tip: self.most_tip,
            presets: self.tip_presets.clone(),
            devices_per_ticket: self.devices_per_ticket,
            ..MoneySettings::new(held(secret)?, held(webhook)?)
        }))
    }
}

/// A key that is shorter than what it makes can be guessed sooner (RFC 7518 section 3.2).
const LEAST_TOKEN_KEY: usize = 32;

/// Why the program ends with something else than 0.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("failed to {0}")]
    Start(#[from] StartError),
    #[error("failed to take the publish key: the environment variable {0} is not set or empty")]
    NoKey(String),
    #[error("failed to take a key: the environment variable {0} has not 32 characters")]
    ShortKey(String),
    #[error("failed to take Stripe's keys: the environment variable {0} is not set or empty")]
    NoStripeKey(String),
    #[error("failed to read the site's public key from {}: {source}", file.display())]
    NoSiteKey { file: PathBuf, source: std::io::Error },
    #[error("failed to listen for Ctrl-C: {0}")]
    Signal(std::io::Error),
    #[error("failed to start the runtime: {0}")]
    Runtime(std::io::Error),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Start(StartError::PortTaken { .. }) => 3,
            Self::Start(StartError::Bind { .. }) => 4,
            Self::NoKey(_) | Self::ShortKey(_) | Self::NoSiteKey { .. } => 5,
            Self::Start(StartError::SiteKey(_) | StartError::Money(_)) | Self::NoStripeKey(_) => 5,
            Self::Start(StartError::Database(_)) => 6,
            _ => 1,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Start(StartError::PortTaken { .. }) => {
                Some("Stop the other program, or choose another port with --http or --media.")
            }
            Self::Start(StartError::Bind { .. }) => {
                Some("Use an address of this machine, and a port of 1024 or more.")
            }
            Self::Start(StartError::Database(_)) => {
                Some("Name a file in a folder that is there and may be written to with --database.")
            }
            Self::ShortKey(_) => {
                Some("Set it to 32 characters or more, from `openssl rand -hex 32` for example.")
            }
            Self::Start(StartError::SiteKey(_)) | Self::NoSiteKey { .. } => Some(
                "Give the site's key as it has it: see --site-secret-env, --site-key-file, --site-keys-url.",
            ),
            Self::Start(StartError::Money(_)) | Self::NoStripeKey(_) => {
                Some("Look at --stripe-secret-env and what stands beside it in `streamcore serve --help`.")
            }
            Self::NoKey(_) => Some("Set it, or leave --publish-key-env out to have a key made."),
            _ => None,
        }
    }
}

fn main() -> ExitCode {
    let Cli {
        command: Command::Serve(options),
    } = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,streamcore=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprint_failure(&failure);
            ExitCode::from(failure.code())
        }
    }
}

fn eprint_failure(failure: &Failure) {
    eprintln!("streamcore: {failure}");
    let mut source = std::error::Error::source(failure).and_then(std::error::Error::source);
    while let Some(cause) = source {
        eprintln!("  because: {cause}");
        source = cause.source();
    }
    if let Some(hint) = failure.hint() {
        eprintln!("  {hint}");
    }
}

fn run(options: Serve) -> Result<(), Failure> {
    let key = match &options.publish_key_env {
        Some(name) => {
            let key = std::env::var(name).ok().filter(|key| !key.is_empty());
            SecretString::from(key.ok_or_else(|| Failure::NoKey(name.clone()))?)
        }
        None => SecretString::from(format!("{:032x}", rand::random::<u128>())),
    };
    let token_key = options.token_key_env.as_deref().map(|name| {
        let key = std::env::var(name)
            .ok()
            .filter(|key| key.len() >= LEAST_TOKEN_KEY);
        key.map(SecretString::from)
            .ok_or_else(|| Failure::ShortKey(name.to_owned()))
    });
    let token_key = token_key.transpose()?;
    let site_key = site_key(&options)?;
    let money = options.money.settings()?;
    let settings = Settings {
        http: options.http,
        media: options.media,
        publish_key: Some(key.clone()),
        public_addresses: options.public_address,
        stun_servers: options.stun,
        trusted_proxies: options.trusted_proxy,
        database: options.database,
        token_key,
        site_key,
        money,
        limits: Limits {
            viewers: options.max_viewers,
            chat_connections_per_address: options.chat_connections_per_address,
            chat_joins_per_second: options.chat_joins_per_second,
            api_requests_per_second: options.api_requests_per_second,
            ..Limits::default()
        },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    runtime.block_on(async {
        let server = Server::start(settings).await?;
        announce(&server, options.publish_key_env.is_none().then_some(&key));
        let outcome = asked_to_end().await.map_err(Failure::Signal);
        server.stop().await;
        outcome
    })
}

/// What the tokens of the host's own site are read with.
fn site_key(options: &Serve) -> Result<Option<SiteKey>, Failure> {
    if let Some(name) = &options.site_secret_env {
        let secret = std::env::var(name).ok().filter(|secret| !secret.is_empty());
        let secret = secret.ok_or_else(|| Failure::ShortKey(name.clone()))?;
        return Ok(Some(SiteKey::Secret(secret.into())));
    }
    if let Some(file) = &options.site_key_file {
        let pem = std::fs::read_to_string(file);
        return pem
            .map(|pem| Some(SiteKey::PublicKey(pem)))
            .map_err(|source| Failure::NoSiteKey {
                file: file.clone(),
                source,
            });
    }
    Ok(options.site_keys_url.clone().map(SiteKey::KeysAt))
}

/// Ctrl-C, and what systemd and containers send.
async fn asked_to_end() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Says where it listens. The key is shown only when it was made here: nobody knows it otherwise.
#[expect(clippy::print_stdout, reason = "the addresses are this program's output")]
fn announce(server: &Server, made_key: Option<&SecretString>) {
    println!("http   http://{}", server.http_addr());
    println!("media  udp {}", server.media_addr());
    println!("watch  http://{}/watch/ROOM", server.http_addr());
    println!("whip   POST http://{}/whip/ROOM", server.http_addr());
    println!("whep   POST http://{}/whep/ROOM", server.http_addr());
    println!(
        "chat   POST http://{}/api/rooms/ROOM/host with the key gives the host's token",
        server.http_addr()
    );
    match made_key {
        Some(key) => println!(
            "key    {} (made for this run; choose one with --publish-key-env)",
            key.expose_secret()
        ),
        None => println!("key    from the environment"),
    }
}
