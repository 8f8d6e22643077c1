//! `studio-engine serve`: the engine for the desk.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use protocol::{ErrorCode, UserError};
use rand::distr::{Alphanumeric, SampleString};
use secrecy::SecretString;
use store::{SecretVault, Store};

use super::{asked_to_end, internal};
use crate::control::{ControlError, ControlServer, Tokens};
use crate::data_folder::{self, Announcement};
use crate::studio::{Persistence, StreamCorePorts, Studio, StudioOptions};

/// Characters of a token that the engine makes itself: 190 bits.
const TOKEN_CHARS: usize = 32;
/// Where the rooms of the embedded StreamCore are kept, in the data folder.
const ROOMS_FILE: &str = "rooms.db";

#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Folder for scenes, settings and the record of shows.
    #[arg(long, env = "STUDIO_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Where the desk reaches the engine; this machine only.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// How to print address and token.
    #[arg(long, value_enum, default_value_t = Announce::Text)]
    announce: Announce,
    /// Go on with the show that a crash cut off.
    #[arg(long)]
    resume: bool,
    /// End, off air, when standard input closes: the shell that started the engine is gone.
    #[arg(long)]
    stop_with_parent: bool,
    #[command(flatten)]
    streamcore: StreamCoreArguments,
}

/// Ports of the embedded StreamCore.
#[derive(Debug, Clone, Args)]
pub struct StreamCoreArguments {
    /// Viewer page and WHIP/WHEP of the embedded StreamCore [default: 0.0.0.0:8780, another port if it is taken].
    #[arg(long)]
    streamcore_http: Option<SocketAddr>,
    /// Media of the embedded StreamCore, UDP [default: 0.0.0.0:8781, another port if it is taken].
    #[arg(long)]
    streamcore_media: Option<SocketAddr>,
    /// Environment variable with the bearer key that lets OBS or a phone publish into other rooms over WHIP
    /// (POST /whip/ROOM); without it nobody may.
    #[arg(long, value_name = "NAME")]
    streamcore_publish_key_env: Option<String>,
    /// Environment variable with Stripe's secret key, for tips and tickets in the rooms of the embedded StreamCore; a test
    /// key unless --streamcore-stripe-live is given. Kept rooms only (`serve`).
    #[arg(long, value_name = "NAME", requires = "streamcore_stripe_webhook_secret_env")]
    streamcore_stripe_secret_env: Option<String>,
    /// Environment variable with the signing secret (whsec_) of the webhook that leads to /stripe/webhook here.
    #[arg(long, value_name = "NAME", requires = "streamcore_stripe_secret_env")]
    streamcore_stripe_webhook_secret_env: Option<String>,
    /// Take real money: without it a live key is refused.
    #[arg(long, requires = "streamcore_stripe_secret_env")]
    streamcore_stripe_live: bool,
    /// Where Stripe is, for tests: an http address of this machine.
    #[arg(long, value_name = "URL", requires = "streamcore_stripe_secret_env")]
    streamcore_stripe_url: Option<String>,
    /// Where viewers reach the embedded StreamCore (https://HOST), for the way back from Stripe and links in receipts.
    #[arg(long, value_name = "URL")]
    streamcore_public_url: Option<String>,
    /// Currency of tips and tickets, three letters.
    #[arg(long, value_name = "CODE", default_value = "EUR")]
    streamcore_currency: String,
    /// The platform's part of tips and tickets, in hundredths of a percent.
    #[arg(long, value_name = "N", default_value_t = 500)]
    streamcore_fee_basis_points: u16,
}

impl StreamCoreArguments {
    /// The ports to take. Those that the user named are meant: a taken one is an error.
    ///
    /// # Errors
    /// [`ErrorCode::KeyMissing`] when the named environment variable holds no key.
    pub fn ports(&self) -> Result<StreamCorePorts, UserError> {
        let any = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let publish_key = self.streamcore_publish_key_env.as_deref().map(held).transpose()?;
        Ok(StreamCorePorts {
            http: self.streamcore_http.unwrap_or(any(8780)),
            media: self.streamcore_media.unwrap_or(any(8781)),
            flexible: self.streamcore_http.is_none() && self.streamcore_media.is_none(),
            publish_key,
            database: None,
            token_key: None,
            money: self.money()?,
        })
    }

    fn money(&self) -> Result<Option<streamcore::MoneySettings>, UserError> {
        let names = (
            &self.streamcore_stripe_secret_env,
            &self.streamcore_stripe_webhook_secret_env,
        );
        let (Some(secret), Some(webhook)) = names else {
            return Ok(None);
        };
        Ok(Some(streamcore::MoneySettings {
            live: self.streamcore_stripe_live,
            stripe_url: self.streamcore_stripe_url.clone(),
            public_url: self.streamcore_public_url.clone(),
            currency: self.streamcore_currency.clone(),
            fee_basis_points: self.streamcore_fee_basis_points,
            ..streamcore::MoneySettings::new(held(secret)?, held(webhook)?)
        }))
    }
}

/// A key out of an environment variable.
fn held(name: impl AsRef<str>) -> Result<SecretString, UserError> {
    let name = name.as_ref();
    match std::env::var(name) {
        Ok(key) if !key.trim().is_empty() => Ok(SecretString::from(key.trim().to_owned())),
        _ => Err(UserError::new(ErrorCode::KeyMissing).with("name", name)),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Announce {
    /// For a person.
    Text,
    /// One line of JSON.
    Json,
}

impl ServeArguments {
    /// Whether whoever started this engine reads JSON from it.
    pub fn announces_json(&self) -> bool {
        self.announce == Announce::Json
    }
}

pub async fn run(arguments: ServeArguments) -> Result<ExitCode, UserError> {
    if !arguments.listen.ip().is_loopback() {
        return Err(UserError::new(ErrorCode::BadValue)
            .with("field", "--listen")
            .with("detail", arguments.listen));
    }
    let folder = arguments
        .data_dir
        .clone()
        .or_else(data_folder::default_data_folder)
        .ok_or_else(|| UserError::new(ErrorCode::FolderUnwritable).with("path", "~"))?;
    std::fs::create_dir_all(&folder)
        .map_err(|_| UserError::new(ErrorCode::FolderUnwritable).with("path", folder.display()))?;
    let store = Store::open(&folder).await.map_err(crate::studio::store_error)?;
    let vault = SecretVault::open(&folder)
        .await
        .map_err(|error| UserError::new(ErrorCode::KeyringUnavailable).with("detail", error))?;
    let mut streamcore = arguments.streamcore.ports()?;
    streamcore.database = Some(folder.join(ROOMS_FILE));
    streamcore.token_key = match vault.rooms_key().await {
        Ok(key) => Some(key),
        Err(error) => {
            // A show is worth more than knowing yesterday's viewers.
            tracing::warn!(%error, "no key for the rooms, viewers will be strangers after a restart");
            None
        }
    };
    let overlays = match vault.overlay_key().await {
        Ok(key) => key,
        Err(error) => {
            tracing::warn!(%error, "no key for the page of overlays, its link changes with every start");
            new_token().into()
        }
    };
    let recordings = data_folder::default_recordings_folder().unwrap_or_else(|| folder.join("recordings"));
    let studio = Studio::start(StudioOptions {
        persistence: Persistence::Kept {
            store,
            vault,
            resume: arguments.resume,
        },
        streamcore: Some(streamcore),
        recordings,
        record_as: None,
        measurements: Some(folder.clone()),
    })
    .await?;
    let token = std::env::var("STUDIO_TOKEN")
        .ok()
        .filter(|token| token.len() >= TOKEN_CHARS)
        .unwrap_or_else(new_token);
    let tokens = Tokens {
        desk: token.clone().into(),
        overlays,
    };
    let control = start_control(arguments.listen, tokens, &studio).await;
    let control = match control {
        Ok(control) => control,
        Err(error) => {
            studio.stop().await;
            return Err(error);
        }
    };
    let announcement = Announcement::new(control.address(), &token);
    let published = announcement
        .publish(&folder)
        .map_err(|_| UserError::new(ErrorCode::FolderUnwritable).with("path", folder.display()));
    let published = match published {
        Ok(published) => published,
        Err(error) => {
            control.stop().await;
            studio.stop().await;
            return Err(error);
        }
    };
    announce(&announcement, arguments.announce)?;
    tracing::info!(address = %control.address(), "engine is ready");
    tokio::select! {
        () = asked_to_end() => {}
        () = parent_gone(&studio), if arguments.stop_with_parent => {}
    }
    tracing::info!("engine stops");
    control.stop().await;
    studio.stop().await;
    drop(published);
    Ok(ExitCode::SUCCESS)
}

/// A token that nobody guesses.
pub fn new_token() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), TOKEN_CHARS)
}

/// Starts the control server.
pub async fn start_control(
    listen: SocketAddr,
    tokens: Tokens,
    studio: &Studio,
) -> Result<ControlServer, UserError> {
    ControlServer::start(listen, tokens, studio.handle())
        .await
        .map_err(|error| match &error {
            ControlError::Listen { address, .. } => {
                UserError::new(ErrorCode::PortTaken).with("address", address)
            }
        })
}

fn announce(announcement: &Announcement, form: Announce) -> Result<(), UserError> {
    match form {
        Announce::Json => println!("{}", serde_json::to_string(announcement).map_err(internal)?),
        Announce::Text => println!("Desk: {}\nCtrl-C ends the engine.", announcement.desk),
    }
    Ok(())
}

/// Waits until standard input has closed and no show runs: a window that died must not take a show off air.
async fn parent_gone(studio: &Studio) {
    // A thread of its own, not one of the runtime's: the runtime waits for those at its end, and a read of
    // standard input ends only with the parent. A stop by signal would hang for as long as the window lives.
    let (gone, closed) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let read = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        // Nobody listens any more when the engine stops for another reason.
        let _ = gone.send(read);
    });
    if let Ok(Err(error)) = closed.await {
        tracing::debug!(%error, "standard input ended badly");
    }
    let Some(mut joined) = studio.handle().join().await else {
        return;
    };
    loop {
        if !joined.state.show.phase.on_air() {
            return;
        }
        match joined.events.recv().await {
            Ok((_, event)) => joined.state.apply(event),
            Err(_) => match studio.handle().join().await {
                Some(again) => joined = again,
                None => return,
            },
        }
    }
}
