//! What viewers may know of a room: once, and as a stream of server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use aide::OperationInput;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use schemars::JsonSchema;
use tokio::sync::watch;
use tokio::time::Instant;

use super::App;
use super::answer::Refusal;
use super::api::{Body, Code, Done, Problem, Room};
use crate::chat::host_token;
use crate::room::{RoomState, RoomView};

/// A number that changes more often than four times a second cannot be read.
const LEAST_INTERVAL: Duration = Duration::from_millis(250);
/// When a browser whose stream broke asks again; its own choice is 3 to 5 s.
const COME_BACK_AFTER: Duration = Duration::from_secs(1);
/// A proxy closes a silent stream after 30 s or more.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `GET /api/rooms/{room}`: a room nobody has spoken of yet starts soon.
pub(crate) async fn view(State(app): State<Arc<App>>, Room(room): Room) -> Done<RoomView> {
    Done(app.directory.view(&room))
}

/// What somebody is called as the host of a room's chat.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Host {
    /// At least one letter or digit; what is longer than 32 characters is cut.
    #[schemars(length(min = 1))]
    name: String,
}

/// What makes a host.
#[derive(serde::Serialize, JsonSchema)]
pub(crate) struct HostToken {
    /// A secret, for 30 days.
    token: String,
}

/// Whoever shows the key with which shows are published to this server.
pub(crate) struct Publisher;

impl FromRequestParts<Arc<App>> for Publisher {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        super::session::show_key(app, &parts.headers)?;
        Ok(Self)
    }
}

impl OperationInput for Publisher {}

/// `POST /api/rooms/{room}/host` with the publish key: the token of the room's host, for its chat.
pub(crate) async fn host(
    State(app): State<Arc<App>>,
    Room(room): Room,
    _: Publisher,
    Body(host): Body<Host>,
) -> Result<Done<HostToken>, Problem> {
    let token = host_token(&app.chat, &room, &host.name).ok_or_else(|| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            Code::OutOfRange,
            "The name has no letters.",
        )
    })?;
    Ok(Done(HostToken { token }))
}

/// What one stream of events holds.
struct Follower {
    views: watch::Receiver<RoomView>,
    stop: watch::Receiver<bool>,
    /// What was said last, and when.
    sent: Option<(RoomState, Instant)>,
    _place: tokio::sync::OwnedSemaphorePermit,
}

/// `GET /api/rooms/{room}/events`: the view at once, then again at each change.
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    Path(room): Path<String>,
) -> Result<Response, Refusal> {
    let room = room.parse().map_err(|_| Refusal::no_such_room())?;
    let place = app.listener_place()?;
    let views = app.directory.watch(&room).map_err(|_| {
        Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "There is no place for another room.",
        )
        .retry_after(30)
    })?;
    let follower = Follower {
        views,
        stop: app.stop.clone(),
        sent: None,
        _place: place,
    };
    let stream = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok::<Event, Infallible>(event), follower))
    });
    let sse = Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    // nginx holds events back unless told not to.
    Ok(([("x-accel-buffering", "no")], sse).into_response())
}

impl Follower {
    /// The next view; `None` when the server stops. Numbers are held back to four a second, a change of state
    /// never is: it decides what the viewer sees.
    async fn next(&mut self) -> Option<Event> {
        let first = self.sent.is_none();
        let Self {
            views, stop, sent, ..
        } = self;
        if let Some((state, at)) = *sent {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return None,
                changed = views.changed() => changed.ok()?,
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return None,
                other = views.wait_for(|view| view.state != state) => drop(other.ok()?),
                () = tokio::time::sleep_until(at + LEAST_INTERVAL) => {}
            }
        }
        let view = self.views.borrow_and_update().clone();
        self.sent = Some((view.state, Instant::now()));
        let event = Event::default().event("room");
        let event = if first {
            event.retry(COME_BACK_AFTER)
        } else {
            event
        };
        event.json_data(view).ok()
    }
}
