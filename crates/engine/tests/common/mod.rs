//! A real engine and a desk for it.
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::TcpStream;
use std::path::Path;
use std::process::Command as Program;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::{
    ClientMessage, Command, DestinationDraft, DestinationId, DestinationKind, Event, PROTOCOL_VERSION,
    PictureHeader, PictureKind, RecordingSettings, Reply, SceneId, ServerMessage, ShowPhase, SourceDraft,
    SourceId, SourceSettings, State, UserError, Watch,
};
use testkit::Process;
use tokio_tungstenite::tungstenite::stream::MaybeTlsStream;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, connect};

/// How long anything may take that is not measured: the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Engines that encode run one at a time: two on a small machine would skip frames, and that is not their fault.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running `studio-engine serve` on a data folder of the test's.
pub struct Engine {
    pub process: Process,
    pub address: String,
    pub token: String,
}

impl Engine {
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    pub fn start_with(data: &Path, more: &[&str]) -> Self {
        Self::start_by(&mut command(data, more))
    }

    /// By a command of [`command`] with variables of the test's own.
    pub fn start_by(command: &mut Program) -> Self {
        let mut process = Process::start(command).expect("the engine starts");
        let line = process
            .wait_for_line(PATIENCE, |line| line.starts_with('{'))
            .expect("the engine announces itself");
        let said: serde_json::Value = serde_json::from_str(&line).expect("one line of JSON");
        let text = |name: &str| said[name].as_str().expect("a text").to_owned();
        Self {
            process,
            address: text("address"),
            token: text("token"),
        }
    }

    pub fn desk(&self) -> Desk {
        Desk::join(&self.address, &self.token).expect("the desk joins")
    }

    pub fn port(&self) -> &str {
        self.address.rsplit_once(':').expect("a port").1
    }
}

/// `studio-engine serve` with ports of its own, so that tests never meet.
pub fn command(data: &Path, more: &[&str]) -> Program {
    let mut command = Program::new(env!("CARGO_BIN_EXE_studio-engine"));
    command
        .args(["serve", "--announce", "json", "--data-dir"])
        .arg(data)
        .args([
            "--streamcore-http",
            "127.0.0.1:0",
            "--streamcore-media",
            "127.0.0.1:0",
        ])
        .args(more)
        .env("LANG", "C.UTF-8")
        // No session bus: keys go into the file beside the database, not into the keyring of who runs the tests.
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY");
    command
}

/// A desk: a projection of the state, and commands.
pub struct Desk {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    pub state: State,
    pub revision: u64,
    next: u32,
    pub pictures: Vec<(PictureKind, String, Vec<u8>)>,
    pub meters: Option<protocol::Meters>,
}

impl Desk {
    pub fn join(address: &str, token: &str) -> Result<Self, UserError> {
        let mut socket = open(address);
        say(
            &mut socket,
            &ClientMessage::Hello {
                version: PROTOCOL_VERSION,
                token: token.to_owned(),
            },
        );
        loop {
            match socket.read().expect("the engine answers") {
                Message::Text(text) => {
                    return match serde_json::from_str(&text).expect("a message") {
                        ServerMessage::Welcome { revision, state, .. } => Ok(Self {
                            socket,
                            state,
                            revision,
                            next: 1,
                            pictures: Vec::new(),
                            meters: None,
                        }),
                        ServerMessage::Refused { error } => Err(error),
                        other => panic!("{other:?} is no greeting"),
                    };
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?} is no greeting"),
            }
        }
    }

    pub fn watch(&mut self, watch: Watch) {
        say(&mut self.socket, &ClientMessage::Watch(watch));
    }

    /// Sends a command and follows events until its answer.
    pub fn ask(&mut self, command: Command) -> Result<Reply, UserError> {
        let id = self.next;
        self.next += 1;
        say(&mut self.socket, &ClientMessage::Command { id, command });
        let until = Instant::now() + PATIENCE;
        loop {
            match self.read(until) {
                Some(ServerMessage::Done { id: done, reply }) if done == id => return Ok(reply),
                Some(ServerMessage::Failed { id: failed, error }) if failed == id => return Err(error),
                Some(_) => {}
                None => panic!("no answer to command {id} within {PATIENCE:?}"),
            }
        }
    }

    pub fn done(&mut self, command: Command) -> Reply {
        let shown = format!("{command:?}");
        self.ask(command)
            .unwrap_or_else(|error| panic!("{shown} failed: {error:?}"))
    }

    /// Follows events until the state is as wanted.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&State) -> bool) {
        self.until_within(what, PATIENCE, wanted);
    }

    pub fn until_within(&mut self, what: &str, within: Duration, wanted: impl Fn(&State) -> bool) {
        let until = Instant::now() + within;
        while !wanted(&self.state) {
            if self.read(until).is_none() {
                panic!(
                    "not within {within:?}: {what}; outputs {:?}, phase {:?}, sources {:?}",
                    self.state.outputs, self.state.show.phase, self.state.source_status
                );
            }
        }
    }

    /// Follows whatever comes for a while.
    pub fn follow(&mut self, length: Duration) {
        let until = Instant::now() + length;
        while self.read(until).is_some() {}
    }

    /// Follows until a picture of this kind has come, and returns it.
    pub fn picture(&mut self, kind: PictureKind) -> Vec<u8> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.pictures.iter().position(|(k, _, _)| *k == kind) {
                return self.pictures.swap_remove(at).2;
            }
            assert!(
                self.read(until).is_some(),
                "no picture of {kind:?} within {PATIENCE:?}"
            );
        }
    }

    /// The next message; `None` when the time is up.
    fn read(&mut self, until: Instant) -> Option<ServerMessage> {
        loop {
            let left = until.checked_duration_since(Instant::now())?;
            if let MaybeTlsStream::Plain(stream) = self.socket.get_ref() {
                stream
                    .set_read_timeout(Some(left.max(Duration::from_millis(1))))
                    .expect("a timeout");
            }
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let message: ServerMessage = serde_json::from_str(&text).expect("a message");
                    match &message {
                        ServerMessage::Event { revision, event } => self.apply(*revision, event.clone()),
                        ServerMessage::Meters(meters) => self.meters = Some(meters.clone()),
                        _ => {}
                    }
                    return Some(message);
                }
                Ok(Message::Binary(bytes)) => {
                    let (header, jpeg) = PictureHeader::parse(&bytes).expect("a picture");
                    self.pictures
                        .retain(|(kind, id, _)| (*kind, id.as_str()) != (header.kind, header.id.as_str()));
                    self.pictures.push((header.kind, header.id, jpeg.to_vec()));
                    return Some(ServerMessage::Meters(self.meters.clone().unwrap_or(
                        protocol::Meters {
                            strips: Vec::new(),
                            master: protocol::Levels::SILENCE,
                            loudness: protocol::Loudness::default(),
                        },
                    )));
                }
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Close(frame)) => panic!("the engine closed: {frame:?}"),
                Err(Error::Io(error))
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) =>
                {
                    return None;
                }
                Err(error) => panic!("the connection broke: {error}"),
            }
        }
    }

    fn apply(&mut self, revision: u64, event: Event) {
        assert_eq!(revision, self.revision + 1, "events count by one");
        self.revision = revision;
        self.state.apply(event);
    }

    pub fn scene(&self) -> SceneId {
        self.state.program.program.clone()
    }

    /// Adds a source to the scene on air.
    pub fn add(&mut self, name: &str, settings: SourceSettings) -> SourceId {
        let scene = Some(self.scene());
        match self.done(Command::AddSource {
            draft: SourceDraft {
                name: name.into(),
                settings,
            },
            scene,
            placement: None,
        }) {
            Reply::Source { id } => id,
            other => panic!("{other:?} is no source"),
        }
    }

    /// Keeps only the destinations that a test brings: the studio starts with two of its own.
    pub fn clear_destinations(&mut self) {
        for destination in self.state.destinations.clone() {
            self.done(Command::RemoveDestination {
                destination: destination.id,
            });
        }
    }

    pub fn add_destination(&mut self, name: &str, kind: DestinationKind, key: Option<&str>) -> DestinationId {
        let draft = DestinationDraft {
            name: name.into(),
            kind,
        };
        match self.done(Command::AddDestination {
            draft,
            key: key.map(str::to_owned),
        }) {
            Reply::Destination { id } => id,
            other => panic!("{other:?} is no destination"),
        }
    }

    pub fn add_recording(&mut self, folder: &Path) -> DestinationId {
        let kind = DestinationKind::Recording(RecordingSettings {
            folder: Some(folder.display().to_string()),
            container: protocol::Container::Mp4,
            split_minutes: None,
        });
        self.add_destination("Recording", kind, None)
    }

    pub fn add_rtmp(&mut self, url: &str) -> DestinationId {
        let (url, key) = protocol::RtmpUrl::split_key(url).expect("an address");
        self.add_destination(
            "Server",
            DestinationKind::Rtmp { url, has_key: false },
            key.as_deref(),
        )
    }

    pub fn add_room(&mut self, room: &str) -> DestinationId {
        let room = protocol::RoomId::try_from(room).expect("a room");
        self.add_destination("StreamCore", DestinationKind::StreamCore { room }, None)
    }

    /// Goes live and waits until every output is.
    pub fn go_live(&mut self) {
        self.done(Command::GoLive);
        self.until("every output is live", |state| {
            matches!(state.show.phase, ShowPhase::Live { .. })
                && state
                    .outputs
                    .iter()
                    .all(|o| matches!(o.state, protocol::OutputState::Live { .. }))
        });
    }

    /// Ends the show and waits until it has.
    pub fn end(&mut self) {
        self.done(Command::EndShow);
        self.until("off air", |state| state.show.phase == ShowPhase::OffAir);
    }

    pub fn output(&self, id: &DestinationId) -> &protocol::Output {
        self.state
            .outputs
            .iter()
            .find(|o| o.id == *id)
            .expect("the output is known")
    }
}

pub fn open(address: &str) -> WebSocket<MaybeTlsStream<TcpStream>> {
    let url = address.replacen("http", "ws", 1) + "/control";
    connect(url).expect("the control server answers").0
}

pub fn say(socket: &mut WebSocket<MaybeTlsStream<TcpStream>>, message: &ClientMessage) {
    let text = serde_json::to_string(message).expect("a message");
    socket
        .send(Message::Text(text.into()))
        .expect("the engine listens");
}

/// The shared test clip as a looping file source.
pub fn clip() -> SourceSettings {
    let path = testkit::test_clip().expect("the test clip is there");
    SourceSettings::File {
        path: path.display().to_string(),
        looping: true,
    }
}
