//! `studio-engine live`: a show from the command line. It keeps nothing but its recording.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use protocol::{
    Command, Destination, DestinationId, DestinationKind, ErrorCode, Event, KilobitsPerSecond, OutputState,
    RecordingSettings, SceneItem, ShowPhase, Source, State, UserError,
};
use secrecy::SecretString;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::asked_to_end;
use super::parse::{self, To};
use super::progress::{self, Progress};
use super::serve::{StreamCoreArguments, new_token, start_control};
use crate::control::Tokens;
use crate::data_folder::{self, Announcement};
use crate::studio::{Joined, Persistence, Studio, StudioOptions, first_state, new_id, placement_of_picture};

#[derive(Debug, Args)]
pub struct LiveArguments {
    /// What to show and play; repeat it for more. The first picture fills the canvas, others stand small in the
    /// corners: camera[:ID], mic[:ID], desktop[:ID], screen[:ID], file:PATH, image:PATH, text:WORDS, test.
    #[arg(long = "source", required = true)]
    sources: Vec<String>,
    /// Where to send it; repeat it for more: rtmp(s)://HOST/APP[/KEY], streamcore, streamcore:ROOM.
    #[arg(long = "to")]
    to: Vec<String>,
    /// Key for the RTMP addresses without one, in their order: env:NAME or keyring:NAME; repeat it for more.
    #[arg(long = "stream-key")]
    stream_keys: Vec<String>,
    /// Record to this file, .mp4 or .mkv.
    #[arg(long)]
    record: Option<PathBuf>,
    /// Picture size.
    #[arg(long, default_value = "1280x720")]
    size: String,
    /// Frames a second, 24 to 60.
    #[arg(long, default_value_t = 30)]
    fps: u32,
    /// Video, kb/s.
    #[arg(long, default_value_t = 3000)]
    video_bitrate: u32,
    /// Sound, kb/s.
    #[arg(long, default_value_t = 160)]
    audio_bitrate: u32,
    /// Encoder by its GStreamer name; the best that works otherwise.
    #[arg(long)]
    encoder: Option<String>,
    /// A High rendition of its own for RTMP and recording beside StreamCore's.
    #[arg(long, value_enum, default_value_t = High::Auto)]
    high: High,
    /// What viewers read above the picture.
    #[arg(long, default_value = "")]
    title: String,
    /// End after so long: 10s, 5m, 1h.
    #[arg(long, value_parser = parse::duration)]
    duration: Option<Duration>,
    /// One JSON object a second on standard output, and a last one with totals.
    #[arg(long, value_enum)]
    stats: Option<Stats>,
    /// Also open the control server, so that a desk can join; prints its address.
    #[arg(long)]
    desk: bool,
    #[command(flatten)]
    streamcore: StreamCoreArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stats {
    /// One object a line.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum High {
    /// When this machine has the headroom.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

pub async fn run(arguments: LiveArguments) -> Result<ExitCode, UserError> {
    let (state, keys, record_as) = plan(&arguments).await?;
    let wants_room = state
        .destinations
        .iter()
        .any(|d| matches!(d.kind, DestinationKind::StreamCore { .. }));
    let studio = Studio::start(StudioOptions {
        persistence: Persistence::Nowhere {
            state: Box::new(state),
            keys,
        },
        streamcore: wants_room.then(|| arguments.streamcore.ports()).transpose()?,
        recordings: data_folder::default_recordings_folder().unwrap_or_else(std::env::temp_dir),
        record_as,
        measurements: data_folder::default_data_folder().filter(|folder| folder.is_dir()),
    })
    .await?;
    let control = match arguments.desk {
        true => {
            let token = new_token();
            let tokens = Tokens {
                desk: token.clone().into(),
                overlays: new_token().into(),
            };
            let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let control = start_control(loopback, tokens, &studio).await?;
            eprintln!("Desk: {}", Announcement::new(control.address(), &token).desk);
            Some(control)
        }
        false => None,
    };
    let result = show(&studio, &arguments).await;
    if let Some(control) = control {
        control.stop().await;
    }
    studio.stop().await;
    result
}

async fn show(studio: &Studio, arguments: &LiveArguments) -> Result<ExitCode, UserError> {
    let handle = studio.handle();
    let stopped = || UserError::new(ErrorCode::Internal).with("detail", "the studio has stopped");
    let mut joined = handle.join().await.ok_or_else(stopped)?;
    handle.command(Command::GoLive).await?;
    for link in joined.state.streamcore.watch_urls.iter().take(1) {
        eprintln!("Watch: {link}");
    }
    let mut progress = Progress::new(arguments.stats.is_some());
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    seconds.tick().await;
    // The length counts from the first frame on air, so that a slow connect shortens nothing.
    let mut until: Option<Instant> = None;
    let given_up = arguments
        .duration
        .map(|d| Instant::now() + d + Duration::from_secs(30));
    let mut first_failure = None;
    loop {
        tokio::select! {
            event = joined.events.recv() => match event {
                Ok((_, event)) => {
                    let outputs = matches!(event, Event::Outputs(_));
                    joined.state.apply(event);
                    if outputs {
                        note_failure(&joined.state, &mut first_failure);
                    }
                    if until.is_none() && matches!(joined.state.show.phase, ShowPhase::Live { .. }) {
                        until = arguments.duration.map(|d| Instant::now() + d);
                    }
                    if joined.state.show.phase == ShowPhase::OffAir && first_failure.is_some() {
                        break;
                    }
                }
                Err(_) => joined = handle.join().await.ok_or_else(stopped)?,
            },
            _ = seconds.tick() => progress.second(&joined.state),
            () = asked_to_end() => break,
            () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => break,
            () = sleep_until(given_up.unwrap_or_else(Instant::now)), if until.is_none() && given_up.is_some() => break,
        }
    }
    let never_live = joined.state.outputs.iter().find_map(|o| match &o.state {
        OutputState::Reconnecting { error, .. } if o.sent_bytes == 0 => Some(error.clone()),
        _ => None,
    });
    handle.command(Command::EndShow).await?;
    let ended = off_air(&mut joined, studio).await;
    note_failure(&ended, &mut first_failure);
    progress.totals(&ended);
    match first_failure.or(never_live) {
        Some(error) => Err(error),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn note_failure(state: &State, first: &mut Option<UserError>) {
    if first.is_none() {
        *first = state.outputs.iter().find_map(|o| match &o.state {
            OutputState::Failed { error } => Some(error.clone()),
            _ => None,
        });
        if let Some(error) = first {
            progress::trouble(error);
        }
    }
}

/// Follows the events until the show is over.
async fn off_air(joined: &mut Joined, studio: &Studio) -> State {
    while joined.state.show.phase.on_air() {
        match joined.events.recv().await {
            Ok((_, event)) => joined.state.apply(event),
            Err(_) => match studio.handle().join().await {
                Some(again) => *joined = again,
                None => break,
            },
        }
    }
    // Events replace one part each; a snapshot has the last of all of them.
    match studio.handle().join().await {
        Some(last) => last.state,
        None => joined.state.clone(),
    }
}

type Keys = Vec<(DestinationId, SecretString)>;

/// The document that the arguments describe.
async fn plan(arguments: &LiveArguments) -> Result<(State, Keys, Option<String>), UserError> {
    let mut state = first_state();
    let rate = |field: &str, kbps: u32| {
        KilobitsPerSecond::try_from(kbps).map_err(|error| {
            UserError::new(ErrorCode::BadValue)
                .with("field", field)
                .with("detail", error)
        })
    };
    state.settings.canvas = parse::canvas(&arguments.size, arguments.fps)?;
    state.settings.video = rate("--video-bitrate", arguments.video_bitrate)?;
    state.settings.audio = rate("--audio-bitrate", arguments.audio_bitrate)?;
    state.settings.high_rendition = match arguments.high {
        High::Auto => protocol::HighRendition::Automatic,
        High::On => protocol::HighRendition::On,
        High::Off => protocol::HighRendition::Off,
    };
    if let Some(id) = &arguments.encoder {
        state.settings.encoder = protocol::EncoderChoice::Named { id: id.clone() };
    }
    state.show.title = arguments.title.trim().to_owned();
    let mut pictures = 0;
    for text in &arguments.sources {
        let settings = parse::source(text)?;
        crate::studio::check_settings(&settings)?;
        let kind = settings.kind();
        let id: protocol::SourceId = new_id();
        let placement = placement_of_picture(kind, pictures);
        pictures += usize::from(kind.pictures());
        let name: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
        state.sources.push(Source {
            id: id.clone(),
            name,
            settings,
            audio: Default::default(),
        });
        state.scenes[0].items.push(SceneItem {
            id: new_id(),
            source: id,
            placement,
            visible: true,
            locked: false,
        });
    }
    let (destinations, keys, record_as) = destinations(arguments).await?;
    if destinations.is_empty() {
        return Err(UserError::new(ErrorCode::NoDestination));
    }
    state.destinations = destinations;
    Ok((state, keys, record_as))
}

async fn destinations(
    arguments: &LiveArguments,
) -> Result<(Vec<Destination>, Keys, Option<String>), UserError> {
    let mut given = arguments.stream_keys.iter();
    let (mut list, mut keys, mut record_as) = (Vec::new(), Vec::new(), None);
    for text in &arguments.to {
        let id: DestinationId = new_id();
        let (name, kind) = match parse::to(text)? {
            To::Room(room) => (format!("StreamCore {room}"), DestinationKind::StreamCore { room }),
            To::Rtmp(url, key) => {
                let key = match key {
                    Some(key) => Some(key),
                    None => match given.next() {
                        Some(from) => Some(stored_key(from).await?),
                        None => None,
                    },
                };
                let has_key = key.is_some();
                keys.extend(key.map(|key| (id.clone(), key)));
                (url.host().to_owned(), DestinationKind::Rtmp { url, has_key })
            }
        };
        list.push(Destination {
            id,
            name,
            enabled: true,
            kind,
        });
    }
    if let Some(path) = &arguments.record {
        let (whole, container) = parse::recording(path)?;
        let folder = whole.parent().map(|folder| folder.display().to_string());
        record_as = whole
            .file_stem()
            .and_then(|stem| stem.to_str())
            .map(str::to_owned);
        list.push(Destination {
            id: new_id(),
            name: "Recording".to_owned(),
            enabled: true,
            kind: DestinationKind::Recording(RecordingSettings {
                folder,
                container,
                split_minutes: None,
            }),
        });
    }
    Ok((list, keys, record_as))
}

/// A key that does not stand on the command line.
async fn stored_key(from: &str) -> Result<SecretString, UserError> {
    let missing = || UserError::new(ErrorCode::KeyMissing).with("name", from);
    match from.split_once(':') {
        Some(("env", name)) => std::env::var(name).map(SecretString::from).map_err(|_| missing()),
        Some(("keyring", name)) => {
            let folder = data_folder::default_data_folder().ok_or_else(missing)?;
            let id = DestinationId::try_from(name).map_err(|_| missing())?;
            let unavailable = |error| UserError::new(ErrorCode::KeyringUnavailable).with("detail", error);
            let vault = store::SecretVault::open(&folder).await.map_err(unavailable)?;
            vault.get(&id).await.map_err(unavailable)?.ok_or_else(missing)
        }
        _ => Err(UserError::new(ErrorCode::BadValue)
            .with("field", "--stream-key")
            .with("detail", "env:, keyring:")),
    }
}
