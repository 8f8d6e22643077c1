//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03): the endpoint and the session.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;

use super::App;
use super::answer::Refusal;
use crate::media::command::{Command, Patched, Refused, SessionName};
use crate::money::NoEntry;
use crate::room::{RoomId, RoomState, ViewerMark};
use crate::rtc::sdp::IceFragment;
use crate::rtc::{Accepted, OfferError, Role};
use crate::viewers;

const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
/// A client that sends its few kilobytes slower than this holds a place for nothing.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// When a viewer of a room that is not live should ask again.
const NOT_LIVE_RETRY_S: u32 = 2;

/// The endpoint and its sessions, for one direction.
pub(crate) fn routes(role: Role) -> Router<Arc<App>> {
    Router::new()
        .route(
            "/{room}",
            get(endpoint)
                .post(move |state, path, from, headers, body| post(role, state, path, from, headers, body))
                .options(options),
        )
        .route(
            "/{room}/{session}",
            get(move |state, path| look(role, state, path))
                .patch(move |state, path, headers, body| patch(role, state, path, headers, body))
                .delete(move |state, path, headers| delete(role, state, path, headers))
                .options(options),
        )
}

/// 2xx without a body, also for HEAD; the type says what is spoken here.
async fn endpoint(Path(room): Path<String>) -> Result<Response, Refusal> {
    parse_room(&room)?;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, SDP)]).into_response())
}

async fn options(State(app): State<Arc<App>>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ALLOW, "OPTIONS, GET, HEAD, POST, PATCH, DELETE"),
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "OPTIONS, GET, HEAD, POST, PATCH, DELETE",
        ),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, If-Match",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("accept-post", HeaderValue::from_static(SDP));
    headers.insert("accept-patch", HeaderValue::from_static(FRAGMENT));
    add_links(&app, headers);
    response
}

fn add_links(app: &App, headers: &mut HeaderMap) {
    for link in &app.links {
        headers.append(header::LINK, link.clone());
    }
}

async fn post(
    role: Role,
    State(app): State<Arc<App>>,
    Path(room): Path<String>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let room = parse_room(&room)?;
    authorize(role, &app, &headers)?;
    expect_type(&headers, SDP)?;
    let secret = format!("{:032x}", rand::random::<u128>());
    let name = SessionName::new(role, room.clone(), secret.clone());
    if role == Role::Viewer
        && let Err(why) = admit(&app, &headers, &name).await
    {
        return Ok(super::money::shut(why));
    }
    let mark = mark(&app, &room, from, &headers);
    let joined = join(role, &app, &name, mark, body).await;
    if joined.is_err() && role == Role::Viewer {
        app.chat.gate.give_up(&name);
    }
    let (answer, tag) = joined?;
    let location = format!("/{}/{room}/{secret}", endpoint_name(role));
    let mut response = (StatusCode::CREATED, answer).into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(SDP));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    insert_text(out, header::LOCATION, &location)?;
    insert_text(out, header::ETAG, &format!("\"{tag}\""))?;
    add_links(&app, out);
    Ok(response)
}

/// Lets a viewer in: with a ticket where watching costs something, unless it is the host or a moderator.
async fn admit(app: &App, headers: &HeaderMap, name: &SessionName) -> Result<(), NoEntry> {
    let gate = &app.chat.gate;
    if gate.price(&name.room).is_none() {
        return Ok(());
    }
    let shown = headers.get(header::AUTHORIZATION).and_then(bearer);
    if let Some(token) = shown
        && super::money::is_crew(app, &name.room, token).await
    {
        return Ok(());
    }
    gate.watch(&name.room, shown, name).await
}

/// What tells viewers apart.
fn mark(app: &App, room: &RoomId, from: SocketAddr, headers: &HeaderMap) -> ViewerMark {
    let browser = headers.get(header::USER_AGENT);
    let browser = browser.and_then(|value| value.to_str().ok()).unwrap_or("");
    viewers::mark(&app.chat.keeper, room, app.viewer_address(from, headers), browser)
}

/// Makes a session of an offer: the answer and its tag.
async fn join(
    role: Role,
    app: &App,
    name: &SessionName,
    mark: ViewerMark,
    body: Body,
) -> Result<(String, String), Refusal> {
    let room = name.room.clone();
    if role == Role::Viewer && app.directory.view(&room).state != RoomState::Live {
        return Err(refuse_viewer_early());
    }
    let offer = read_text(app, body).await?;
    let now = Instant::now();
    let admitted = app.joins.lock().unwrap_or_else(PoisonError::into_inner).take(now);
    if admitted.is_err() {
        return Err(
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "Too many are joining at once.").retry_after(1),
        );
    }
    if role == Role::Publisher {
        app.directory.reserve(&room).map_err(|_| {
            Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "There is no place for another room.",
            )
            .retry_after(30)
        })?;
    }
    let Accepted { mut peer, answer } = app
        .factory
        .accept(&offer, role, &app.candidates(now), &app.public, now)
        .map_err(|error| refuse_offer(&error))?;
    let tag = peer.ufrag();
    let name = name.clone();
    ask(app, |reply| Command::Add {
        name,
        role,
        mark,
        peer: Box::new(peer),
        reply,
    })
    .await?
    .map_err(refuse_session)?;
    Ok((answer, tag))
}

async fn look(
    role: Role,
    State(app): State<Arc<App>>,
    Path((room, session)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let name = SessionName::new(role, parse_room(&room)?, session);
    match ask(&app, |reply| Command::Look { name, reply }).await? {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(Refusal::no_such_session()),
    }
}

async fn patch(
    role: Role,
    State(app): State<Arc<App>>,
    Path((room, session)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let room = parse_room(&room)?;
    authorize(role, &app, &headers)?;
    expect_type(&headers, FRAGMENT)?;
    let tag = match headers.get(header::IF_MATCH).map(HeaderValue::to_str) {
        None => {
            return Err(Refusal::new(
                StatusCode::PRECONDITION_REQUIRED,
                "If-Match must carry the session's ETag, or * to restart ICE.",
            ));
        }
        Some(Ok("*")) => None,
        // As LiveKit's clients send it bare, both forms are read.
        Some(Ok(text)) => Some(text.trim().trim_matches('"').to_owned()),
        Some(Err(_)) => {
            return Err(Refusal::new(
                StatusCode::PRECONDITION_FAILED,
                "If-Match cannot be read.",
            ));
        }
    };
    let text = read_text(&app, body).await?;
    let fragment = IceFragment::parse(&text).ok_or_else(|| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "The body is not an SDP fragment (RFC 8840).",
        )
    })?;
    let name = SessionName::new(role, room, session);
    match ask(&app, |reply| Command::Patch {
        name,
        tag,
        fragment,
        reply,
    })
    .await?
    {
        Patched::Trickled => Ok(StatusCode::NO_CONTENT.into_response()),
        Patched::Restarted { fragment, tag } => {
            let mut response = (StatusCode::OK, fragment).into_response();
            let out = response.headers_mut();
            out.insert(header::CONTENT_TYPE, HeaderValue::from_static(FRAGMENT));
            insert_text(out, header::ETAG, &format!("\"{tag}\""))?;
            Ok(response)
        }
        Patched::WrongTag => Err(Refusal::new(
            StatusCode::PRECONDITION_FAILED,
            "This ICE session is over: it was restarted.",
        )),
        Patched::Unusable => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "The fragment's ICE credentials cannot be used.",
        )),
        Patched::Gone => Err(Refusal::no_such_session()),
    }
}

async fn delete(
    role: Role,
    State(app): State<Arc<App>>,
    Path((room, session)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let room = parse_room(&room)?;
    authorize(role, &app, &headers)?;
    let name = SessionName::new(role, room, session);
    match ask(&app, |reply| Command::Delete { name, reply }).await? {
        true => Ok(StatusCode::OK.into_response()),
        false => Err(Refusal::no_such_session()),
    }
}

fn endpoint_name(role: Role) -> &'static str {
    match role {
        Role::Publisher => "whip",
        Role::Viewer => "whep",
    }
}

fn parse_room(text: &str) -> Result<RoomId, Refusal> {
    text.parse().map_err(|_| Refusal::no_such_room())
}

/// Publishers show their key on every request (RFC 9725 section 4.5); viewers need none.
fn authorize(role: Role, app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    match role {
        Role::Viewer => Ok(()),
        Role::Publisher => show_key(app, headers),
    }
}

/// Whoever shows the publish key runs the room.
pub(super) fn show_key(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(key) = &app.publish_key else {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "Publishing over WHIP is off here: the server has no publish key.",
        ));
    };
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        return Err(Refusal::unauthorized(
            "A publisher must show the key: Authorization: Bearer KEY.",
        ));
    };
    if bearer(given).is_some_and(|token| same(token.as_bytes(), key)) {
        Ok(())
    } else {
        Err(Refusal::unauthorized("The publish key is not the right one."))
    }
}

/// The token of an `Authorization` header (RFC 6750 section 2.1).
pub(crate) fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Compares in a time that does not tell how much of the key was right.
fn same(given: &[u8], key: &SecretString) -> bool {
    let key = key.expose_secret().as_bytes();
    if key.is_empty() {
        return false;
    }
    let mut difference = u8::from(given.len() != key.len());
    for (index, byte) in given.iter().enumerate() {
        difference |= byte ^ key[index % key.len()];
    }
    difference == 0
}

fn expect_type(headers: &HeaderMap, expected: &str) -> Result<(), Refusal> {
    let found = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let essence = found.split(';').next().unwrap_or("").trim();
    if essence.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("The Content-Type must be {expected}."),
    ))
}

async fn read_text(app: &App, body: Body) -> Result<String, Refusal> {
    let bytes = read_body(body, app.body_bytes).await?;
    String::from_utf8(bytes.into())
        .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "The body is not text."))
}

/// A body of at most so many bytes that comes in time.
pub(crate) async fn read_body(body: Body, most: usize) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(BODY_WITHIN, to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body may have {most} bytes at most."),
        )),
        Err(_) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "The body did not come in time.",
        )),
    }
}

/// Asks the media thread and waits for its answer.
async fn ask<T>(app: &App, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Refusal> {
    let (reply, answer) = oneshot::channel();
    app.commands
        .send(command(reply))
        .map_err(|_| Refusal::stopping())?;
    answer.await.map_err(|_| Refusal::stopping())
}

fn refuse_viewer_early() -> Refusal {
    Refusal::new(StatusCode::CONFLICT, "Nothing is live in this room yet.").retry_after(NOT_LIVE_RETRY_S)
}

fn refuse_session(refused: Refused) -> Refusal {
    match refused {
        Refused::Busy => {
            Refusal::new(StatusCode::CONFLICT, "Somebody publishes to this room already.").retry_after(5)
        }
        Refused::Full => Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "This server has all the viewers it can carry.",
        )
        .retry_after(30),
        Refused::NotLive => refuse_viewer_early(),
    }
}

fn refuse_offer(error: &OfferError) -> Refusal {
    let status = match error {
        OfferError::Unreadable(_) => StatusCode::BAD_REQUEST,
        OfferError::Shape(_) | OfferError::NoCodec => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Refusal::new(status, error.to_string())
}

fn insert_text(headers: &mut HeaderMap, name: header::HeaderName, text: &str) -> Result<(), Refusal> {
    let value = HeaderValue::from_str(text).map_err(|_| {
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "A header could not be written.",
        )
    })?;
    headers.insert(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_key_opens() {
        let key = SecretString::from("correct horse");
        assert!(same(b"correct horse", &key));
        for wrong in [
            &b""[..],
            b"correct",
            b"correct horse ",
            b"correct horsecorrect horse",
            b"Correct horse",
        ] {
            assert!(!same(wrong, &key), "{wrong:?}");
        }
        assert!(!same(b"", &SecretString::from("")), "an empty key opens nothing");
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        assert_eq!(bearer(&HeaderValue::from_static("bearer abc")), Some("abc"));
        assert_eq!(bearer(&HeaderValue::from_static("Basic abc")), None);
        assert_eq!(bearer(&HeaderValue::from_static("abc")), None);
    }
}
