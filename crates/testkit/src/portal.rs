//! A stand-in for the desktop's ScreenCast portal: the protocol in full, and a person who answers as told.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zbus::zvariant::{self, ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, blocking, fdo, message::Header};

use crate::{Drawing, PeerError};

const DESKTOP: &str = "/org/freedesktop/portal/desktop";

type Options = HashMap<String, OwnedValue>;

/// What the person at the dialog does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Shares a picture of this pattern of videotestsrc's. Like a compositor, it makes a stream for each session.
    Share(&'static str),
    /// Closes the dialog.
    Cancel,
    /// Leaves it standing.
    Wait,
}

/// What a program asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Whether the person saw a dialog; with a token that is good there is none.
    pub dialog: bool,
    /// Kinds: 1 is a screen, 2 a window.
    pub types: u32,
    /// 1 hides the pointer, 2 draws it.
    pub cursor_mode: Option<u32>,
    /// 2 keeps the choice until it is revoked.
    pub persist_mode: Option<u32>,
    /// The token that was shown.
    pub restore_token: Option<String>,
}

#[derive(Debug, Default)]
struct Notes {
    answer: Option<Answer>,
    questions: Vec<Question>,
    /// What is to be asked, by session.
    selected: HashMap<OwnedObjectPath, Question>,
    sessions: Vec<Open>,
    /// The token that is good, and what it restores.
    granted: Option<(String, &'static str)>,
    tokens: u32,
}

/// A session that is open.
#[derive(Debug)]
struct Open {
    path: OwnedObjectPath,
    /// Whose.
    owner: String,
    stream: Option<Drawing>,
}

type Shared = Arc<Mutex<Notes>>;

fn lock(notes: &Shared) -> MutexGuard<'_, Notes> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The portal on a session bus; gone from it when dropped.
#[derive(Debug)]
pub struct ScreenCastPortal {
    connection: blocking::Connection,
    notes: Shared,
}

impl ScreenCastPortal {
    /// Answers on the desktop of these variables, or of this process's own environment where there are none.
    ///
    /// # Errors
    /// [`PeerError::Unreadable`] when the bus refuses, most often because a portal is there already.
    pub fn serve(desktop: &[(&'static str, String)], answer: Answer) -> Result<Self, PeerError> {
        let variable = |name: &str| {
            let given = desktop.iter().find(|(known, _)| *known == name);
            given.map_or_else(
                || std::env::var(name).unwrap_or_default(),
                |(_, value)| value.clone(),
            )
        };
        let notes = Shared::default();
        lock(&notes).answer = Some(answer);
        let portal = ScreenCast {
            notes: Arc::clone(&notes),
            pipewire: Path::new(&variable("XDG_RUNTIME_DIR")).join("pipewire-0"),
            desktop: desktop.to_vec(),
        };
        let address = variable("DBUS_SESSION_BUS_ADDRESS");
        let connection = blocking::connection::Builder::address(address.as_str())
            .and_then(|builder| builder.serve_at(DESKTOP, portal))
            .and_then(|builder| builder.name("org.freedesktop.portal.Desktop"))
            .and_then(blocking::connection::Builder::build)
            .map_err(|error| PeerError::unreadable("the session bus", error))?;
        Ok(Self { connection, notes })
    }

    /// What the person does from now on.
    pub fn answer(&self, answer: Answer) {
        lock(&self.notes).answer = Some(answer);
    }

    /// Every question so far.
    pub fn questions(&self) -> Vec<Question> {
        lock(&self.notes).questions.clone()
    }

    /// How many sessions are open: dialogs that stand, and what is shared.
    pub fn sessions(&self) -> usize {
        lock(&self.notes).sessions.len()
    }

    /// The person ends all sharing by the compositor's own button.
    ///
    /// # Errors
    /// [`PeerError::Unreadable`] when the bus is gone.
    pub fn end_sharing(&self) -> Result<(), PeerError> {
        let sessions = std::mem::take(&mut lock(&self.notes).sessions);
        for session in sessions {
            self.connection
                .emit_signal(
                    Some(session.owner.as_str()),
                    &session.path,
                    "org.freedesktop.portal.Session",
                    "Closed",
                    &(HashMap::<&str, Value<'_>>::new(),),
                )
                .map_err(|error| PeerError::unreadable("the session bus", error))?;
        }
        Ok(())
    }
}

struct ScreenCast {
    notes: Shared,
    pipewire: PathBuf,
    desktop: Vec<(&'static str, String)>,
}

fn number(options: &Options, name: &str) -> Option<u32> {
    options.get(name)?.downcast_ref::<u32>().ok()
}

fn text(options: &Options, name: &str) -> Option<String> {
    options.get(name)?.downcast_ref::<String>().ok()
}

/// `/org/freedesktop/portal/desktop/KIND/SENDER/TOKEN`, as both sides know to make it.
fn handle(kind: &str, sender: &str, options: &Options, token: &str) -> fdo::Result<OwnedObjectPath> {
    let token = text(options, token).ok_or_else(|| fdo::Error::InvalidArgs(token.to_owned()))?;
    let sender = sender.trim_start_matches(':').replace('.', "_");
    OwnedObjectPath::try_from(format!("{DESKTOP}/{kind}/{sender}/{token}"))
        .map_err(|error| fdo::Error::InvalidArgs(error.to_string()))
}

fn sender(header: &Header<'_>) -> String {
    header.sender().map(ToString::to_string).unwrap_or_default()
}

async fn respond(
    connection: &Connection,
    to: &str,
    request: &ObjectPath<'_>,
    code: u32,
    results: HashMap<&str, Value<'_>>,
) -> fdo::Result<()> {
    connection
        .emit_signal(
            Some(to),
            request,
            "org.freedesktop.portal.Request",
            "Response",
            &(code, results),
        )
        .await
        .map_err(|error| fdo::Error::Failed(error.to_string()))
}

#[zbus::interface(name = "org.freedesktop.portal.ScreenCast")]
impl ScreenCast {
    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        5
    }

    #[zbus(property)]
    fn available_source_types(&self) -> u32 {
        3
    }

    #[zbus(property)]
    fn available_cursor_modes(&self) -> u32 {
        3
    }

    async fn create_session(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
        options: Options,
    ) -> fdo::Result<OwnedObjectPath> {
        let owner = sender(&header);
        let request = handle("request", &owner, &options, "handle_token")?;
        let path = handle("session", &owner, &options, "session_handle_token")?;
        lock(&self.notes).sessions.push(Open {
            path: path.clone(),
            owner: owner.clone(),
            stream: None,
        });
        let session = Session {
            notes: Arc::clone(&self.notes),
            path: path.clone(),
        };
        connection.object_server().at(&path, session).await?;
        let results = HashMap::from([("session_handle", Value::from(path.as_str()))]);
        respond(connection, &owner, &request, 0, results).await?;
        Ok(request)
    }

    async fn select_sources(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
        session: OwnedObjectPath,
        options: Options,
    ) -> fdo::Result<OwnedObjectPath> {
        let owner = sender(&header);
        let request = handle("request", &owner, &options, "handle_token")?;
        let question = Question {
            dialog: false,
            types: number(&options, "types").unwrap_or(1),
            cursor_mode: number(&options, "cursor_mode"),
            persist_mode: number(&options, "persist_mode"),
            restore_token: text(&options, "restore_token"),
        };
        lock(&self.notes).selected.insert(session, question);
        respond(connection, &owner, &request, 0, HashMap::new()).await?;
        Ok(request)
    }

    async fn start(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
        session: OwnedObjectPath,
        _parent: String,
        options: Options,
    ) -> fdo::Result<OwnedObjectPath> {
        let owner = sender(&header);
        let request = handle("request", &owner, &options, "handle_token")?;
        let (answer, token) = lock(&self.notes).ask(&session)?;
        match answer {
            Answer::Share(pattern) => {
                let drawing = Drawing::start(&self.desktop, pattern)
                    .map_err(|error| fdo::Error::Failed(error.to_string()))?;
                let node = drawing.node();
                for open in &mut lock(&self.notes).sessions {
                    if open.path == session {
                        open.stream = Some(drawing);
                        break;
                    }
                }
                let stream = (node, HashMap::from([("source_type", Value::from(1u32))]));
                let results = HashMap::from([
                    ("streams", Value::from(vec![stream])),
                    ("restore_token", Value::from(token)),
                ]);
                respond(connection, &owner, &request, 0, results).await?;
            }
            Answer::Cancel => respond(connection, &owner, &request, 1, HashMap::new()).await?,
            Answer::Wait => {}
        }
        Ok(request)
    }

    fn open_pipe_wire_remote(
        &self,
        _session: OwnedObjectPath,
        _options: Options,
    ) -> fdo::Result<zvariant::OwnedFd> {
        let socket =
            UnixStream::connect(&self.pipewire).map_err(|error| fdo::Error::Failed(error.to_string()))?;
        Ok(OwnedFd::from(socket).into())
    }
}

impl Notes {
    /// What becomes of a question, and the token for the next time.
    fn ask(&mut self, session: &OwnedObjectPath) -> fdo::Result<(Answer, String)> {
        let mut question = self
            .selected
            .remove(session)
            .ok_or_else(|| fdo::Error::Failed("nothing was selected".to_owned()))?;
        let granted = self
            .granted
            .take_if(|(token, _)| question.restore_token.as_ref() == Some(token));
        question.dialog = granted.is_none();
        self.questions.push(question);
        let answer = match granted {
            Some((_, pattern)) => Answer::Share(pattern),
            None => self.answer.unwrap_or(Answer::Cancel),
        };
        self.tokens += 1;
        let token = format!("token-{}", self.tokens);
        if let Answer::Share(pattern) = answer {
            self.granted = Some((token.clone(), pattern));
        }
        Ok((answer, token))
    }
}

struct Session {
    notes: Shared,
    path: OwnedObjectPath,
}

#[zbus::interface(name = "org.freedesktop.portal.Session")]
impl Session {
    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        1
    }

    fn close(&self) {
        lock(&self.notes).sessions.retain(|open| open.path != self.path);
    }
}
