//! A screen or a window of a Wayland session, by way of the system's own dialog (xdg-desktop-portal's ScreenCast).
//!
//! No program sees a Wayland screen by itself: the compositor asks the person, and then hands out one stream of
//! PipeWire. Each capture has a thread and a connection to the session bus of its own; when the connection goes, so
//! do its dialog and its stream. What the person ends stays ended until the host asks for it: nothing here tries again
//! by itself, because each try may be a dialog in the middle of a show.

use std::{os::fd::OwnedFd, pin::pin, thread::JoinHandle, time::Duration};

use ashpd::{
    Error, PortalError,
    desktop::{
        PersistMode, Session,
        screencast::{CursorMode, Screencast, SelectSourcesOptions, SourceType},
    },
    enumflags2::BitFlags,
    zbus,
};
use futures_util::StreamExt;
use protocol::{ErrorCode, UserError};
use tokio::sync::watch;

use super::{
    actor::Inside,
    error::Trouble,
    grants::{Choice, Grants},
    plan::Target,
    player::Surroundings,
};

/// A portal that does not say goodbye within this is left alone.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) target: Target,
    pub(crate) cursor: bool,
    pub(crate) choice: Choice,
    pub(crate) grants: Grants,
}

/// What the person chose.
#[derive(Debug)]
pub(crate) struct Share {
    /// PipeWire's number of the stream, on this connection.
    pub(crate) node: u32,
    /// A connection to PipeWire that sees the stream and nothing else.
    pub(crate) remote: OwnedFd,
}

/// A standing dialog, or a running capture. Dropping it takes either away.
#[derive(Debug)]
pub(crate) struct Portal {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Portal {
    /// Asks; the answer comes as [`Inside::Shared`] or [`Inside::Broke`].
    pub(crate) fn ask(wish: Wish, around: &Surroundings) -> Result<Self, Trouble> {
        let internal = |error: std::io::Error| {
            Trouble::hopeless(UserError::new(ErrorCode::Internal).with("detail", error))
        };
        let (stop, stopped) = watch::channel(false);
        // The bus itself runs on a thread of zbus; this is for waiting with a deadline.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(internal)?;
        let around = around.clone();
        let thread = std::thread::Builder::new()
            .name("portal".to_owned())
            .spawn(move || {
                if let Err(trouble) = runtime.block_on(capture(&wish, &around, stopped)) {
                    around.tell(Inside::Broke(trouble));
                }
            })
            .map_err(internal)?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a portal's thread panicked");
        }
    }
}

/// From the question to the end. `Ok` when it was told to stop.
async fn capture(
    wish: &Wish,
    around: &Surroundings,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), Trouble> {
    let begun = tokio::select! {
        biased;
        _ = stopped.wait_for(|stop| *stop) => return Ok(()),
        begun = begin() => begun,
    };
    let (proxy, session) = begun.map_err(|error| trouble(&error, wish.target))?;
    let ended = tokio::select! {
        biased;
        _ = stopped.wait_for(|stop| *stop) => Ok(()),
        ended = share(&proxy, &session, wish, around) => Err(match ended {
            Ok(()) => Trouble::hopeless(ended_by_system(wish.target)),
            Err(error) => trouble(&error, wish.target),
        }),
    };
    // A dialog that still stands goes, and so does the system's sign that something is shared.
    match tokio::time::timeout(CLOSE_WITHIN, session.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "portal's session was closed already"),
        Err(_) => tracing::warn!("portal does not answer"),
    }
    ended
}

async fn begin() -> Result<(Screencast, Session<Screencast>), Error> {
    let connection = zbus::Connection::session().await?;
    let proxy = Screencast::with_connection(connection).await?;
    let session = proxy.create_session(Default::default()).await?;
    Ok((proxy, session))
}

/// Asks the person, tells the source what was chosen, and returns when the system has ended it.
async fn share(
    proxy: &Screencast,
    session: &Session<Screencast>,
    wish: &Wish,
    around: &Surroundings,
) -> Result<(), Error> {
    // Before the question, so that an end in the meantime is heard. A portal that dies ends what it shared, and says so
    // to nobody.
    let mut closed = pin!(session.receive_closed().await?);
    let mut owner = pin!(proxy.receive_owner_changed().await?);
    let options = options(proxy, wish).await;
    proxy.select_sources(session, options).await?.response()?;
    let streams = tokio::select! {
        _ = closed.next() => return Ok(()),
        _ = owner.next() => return Ok(()),
        started = proxy.start(session, None, Default::default()) => started?.response()?,
    };
    // The token that was shown is used up, whether there is another one or not.
    wish.grants.keep(&wish.choice, streams.restore_token());
    let Some(stream) = streams.streams().first() else {
        return Err(Error::Response(ashpd::desktop::ResponseError::Cancelled));
    };
    let remote = proxy.open_pipe_wire_remote(session, Default::default()).await?;
    tracing::info!(node = stream.pipe_wire_node_id(), "the system shares a picture");
    around.tell(Inside::Shared(Share {
        node: stream.pipe_wire_node_id(),
        remote,
    }));
    tokio::select! {
        _ = closed.next() => {}
        _ = owner.next() => {}
    }
    Ok(())
}

/// What is asked, as far as this desktop's portal knows it: one that is asked for more refuses everything.
async fn options(proxy: &Screencast, wish: &Wish) -> SelectSourcesOptions {
    let wanted = match wish.target {
        // The dialog lets the person choose; a screen may turn out to be one window of it.
        Target::Screen => SourceType::Monitor | SourceType::Window,
        Target::Window => SourceType::Window.into(),
    };
    let known = proxy.available_source_types().await.unwrap_or(BitFlags::all());
    let kinds = if (wanted & known).is_empty() {
        known
    } else {
        wanted & known
    };
    let cursor = match wish.cursor {
        true => CursorMode::Embedded,
        false => CursorMode::Hidden,
    };
    let modes = proxy.available_cursor_modes().await.unwrap_or_default();
    let token = wish.grants.token(&wish.choice);
    SelectSourcesOptions::default()
        .set_sources(kinds)
        .set_multiple(false)
        .set_cursor_mode(modes.contains(cursor).then_some(cursor))
        .set_persist_mode(PersistMode::ExplicitlyRevoked)
        .set_restore_token(token.as_deref())
}

/// What the portal says, for a person.
fn trouble(error: &Error, target: Target) -> Trouble {
    tracing::debug!(%error, "no capture through the portal");
    let unavailable = |missing: &str| {
        UserError::new(ErrorCode::CaptureUnavailable)
            .with("what", target.as_str())
            .with("missing", missing)
    };
    let user = match error {
        Error::Response(_) | Error::NoResponse | Error::Portal(PortalError::Cancelled(_)) => {
            UserError::new(ErrorCode::CaptureCancelled).with("what", target.as_str())
        }
        Error::Portal(PortalError::NotAllowed(_)) => {
            UserError::new(ErrorCode::DeviceDenied).with("device", target.as_str())
        }
        Error::PortalNotFound(_) => unavailable(BACKENDS),
        Error::Zbus(error) | Error::Portal(PortalError::ZBus(error)) => match refusal(error).as_deref() {
            Some(
                "org.freedesktop.DBus.Error.UnknownMethod"
                | "org.freedesktop.DBus.Error.UnknownInterface"
                | "org.freedesktop.DBus.Error.InvalidArgs",
            ) => unavailable(BACKENDS),
            // Nobody answers to the portal's name, or there is no session bus at all.
            _ => unavailable("xdg-desktop-portal"),
        },
        error => UserError::new(ErrorCode::Internal).with("detail", error),
    };
    Trouble::hopeless(user)
}

/// The portal is there, but no part of it for this desktop.
const BACKENDS: &str = "xdg-desktop-portal-gnome, -kde, -wlr";

/// The name of the error that the bus answered with.
fn refusal(error: &zbus::Error) -> Option<String> {
    match error {
        zbus::Error::MethodError(name, ..) => Some(name.to_string()),
        zbus::Error::FDO(error) => Some(zbus::DBusError::name(&**error).to_string()),
        _ => None,
    }
}

/// The compositor or the person ended what was shared.
pub(crate) fn ended_by_system(target: Target) -> UserError {
    UserError::new(ErrorCode::CaptureEnded).with("what", target.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_portal_says_becomes_what_a_person_needs() {
        use ashpd::desktop::ResponseError;
        let fdo = |error: zbus::fdo::Error| Error::Zbus(zbus::Error::FDO(Box::new(error)));
        for (error, code, missing) in [
            (
                Error::Response(ResponseError::Cancelled),
                ErrorCode::CaptureCancelled,
                None,
            ),
            (
                Error::Response(ResponseError::Other),
                ErrorCode::CaptureCancelled,
                None,
            ),
            (
                Error::Portal(PortalError::NotAllowed("no".into())),
                ErrorCode::DeviceDenied,
                None,
            ),
            (
                fdo(zbus::fdo::Error::ServiceUnknown("nobody".into())),
                ErrorCode::CaptureUnavailable,
                Some("xdg-desktop-portal"),
            ),
            (
                fdo(zbus::fdo::Error::UnknownMethod("no".into())),
                ErrorCode::CaptureUnavailable,
                Some(BACKENDS),
            ),
            (
                Error::Portal(PortalError::Failed("odd".into())),
                ErrorCode::Internal,
                None,
            ),
        ] {
            let said = trouble(&error, Target::Screen);
            assert!(said.hopeless, "a dialog must not come back by itself: {error}");
            assert_eq!(said.error.code, code, "{error}");
            assert_eq!(said.error.params.get("missing").map(String::as_str), missing);
        }
    }
}
