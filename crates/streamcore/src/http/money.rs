//! Tips and tickets over HTTP: what viewers' pages ask, and Stripe's webhook.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::App;
use super::answer::Refusal;
use super::session::{bearer, read_body};
use crate::chat::{Refused, Role, Speaker, Text, author_of};
use crate::money::wire::Sum;
use crate::money::{Heard, MOST_EVENT_BYTES, NoEntry, SIGNATURE_HEADER, Shown, Wish};
use crate::room::RoomId;

/// When Stripe is to say again what could not be kept; it has a plan of its own, proxies have not.
const AGAIN_AFTER_S: u32 = 10;
/// When a device that found no place is to try again.
const DEVICES_RETRY_S: u32 = 5;

/// What watching costs, for whoever has not come in.
#[derive(Serialize)]
struct Terms {
    /// Whether no real money flows.
    test: bool,
    /// Whether somebody can pay here now.
    open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<Sum>,
}

/// A tip that is wished for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TipWish {
    /// In the smallest unit of the server's currency.
    minor: u64,
    #[serde(default)]
    message: Option<Text>,
}

/// A ticket that somebody has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TicketShown {
    /// The code in the link.
    ticket: String,
    /// What this device was given before.
    #[serde(default)]
    pass: Option<String>,
}

/// Why somebody does not come in.
#[derive(Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
enum Shut {
    TicketNeeded { ticket: Sum },
    TicketRefunded,
    Devices { most: usize },
    Unavailable,
}

/// No, in JSON.
pub(crate) struct Declined(Refused);

impl From<Refused> for Declined {
    fn from(why: Refused) -> Self {
        Self(why)
    }
}

impl IntoResponse for Declined {
    fn into_response(self) -> Response {
        let (status, wait_ms) = match &self.0 {
            Refused::TooFast { retry_after_ms } => (StatusCode::TOO_MANY_REQUESTS, Some(*retry_after_ms)),
            Refused::Token => (StatusCode::UNAUTHORIZED, None),
            Refused::Banned | Refused::TimedOut { .. } | Refused::NotAllowed => (StatusCode::FORBIDDEN, None),
            Refused::Unknown => (StatusCode::NOT_FOUND, None),
            Refused::PaymentsFail => (StatusCode::BAD_GATEWAY, None),
            Refused::NoPayments | Refused::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, None),
            _ => (StatusCode::UNPROCESSABLE_ENTITY, None),
        };
        let mut response = (status, Json(self.0)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(ms) = wait_ms {
            headers.insert(header::RETRY_AFTER, ms.div_ceil(1000).into());
        }
        response
    }
}

/// 402 with the price, or 403 with the reason.
pub(super) fn shut(why: NoEntry) -> Response {
    let (status, body, wait_s) = match why {
        NoEntry::Needed(ticket) => (StatusCode::PAYMENT_REQUIRED, Shut::TicketNeeded { ticket }, None),
        NoEntry::Refunded => (StatusCode::FORBIDDEN, Shut::TicketRefunded, None),
        NoEntry::Devices(most) => (
            StatusCode::FORBIDDEN,
            Shut::Devices { most },
            Some(DEVICES_RETRY_S),
        ),
        NoEntry::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            Shut::Unavailable,
            Some(AGAIN_AFTER_S),
        ),
    };
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = wait_s {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// `GET /api/rooms/{room}/money`.
pub(crate) async fn terms(
    State(app): State<Arc<App>>,
    Path(room): Path<String>,
) -> Result<Response, Refusal> {
    let room: RoomId = room.parse().map_err(|_| Refusal::no_such_room())?;
    let gate = &app.chat.gate;
    let terms = Terms {
        test: gate.till().is_some_and(|till| till.offer.test),
        open: gate.till().is_some(),
        ticket: gate.price(&room),
    };
    Ok(no_store(Json(terms)))
}

/// `POST /api/rooms/{room}/tips` with the viewer's token of the chat.
pub(crate) async fn tip(
    State(app): State<Arc<App>>,
    Path(room): Path<String>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(wished): Json<TipWish>,
) -> Result<Response, Declined> {
    let room: RoomId = room.parse().map_err(|_| Refused::Unknown)?;
    let till = app.chat.gate.till().ok_or(Refused::NoPayments)?;
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(bearer)
        .ok_or(Refused::Token)?;
    let author = author_of(&app.chat, &room, token).await.ok_or(Refused::Token)?;
    let address = app.viewer_address(from, &headers);
    let speaker = Speaker {
        author,
        address: app.chat.keeper.address_hash(&room, address),
    };
    let (title, base) = (app.directory.view(&room).title, app.base(from, &headers));
    let wish = Wish {
        room: &room,
        title: &title,
        base: &base.ok_or(Refused::NotAllowed)?,
        address,
    };
    let bought = till
        .tip(&app.chat, &wish, speaker, wished.minor, wished.message)
        .await?;
    Ok(created(&serde_json::json!({ "url": bought.url })))
}

/// `POST /api/rooms/{room}/tickets`.
pub(crate) async fn sell(
    State(app): State<Arc<App>>,
    Path(room): Path<String>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, Declined> {
    let room: RoomId = room.parse().map_err(|_| Refused::Unknown)?;
    let till = app.chat.gate.till().ok_or(Refused::NoPayments)?;
    let (title, base) = (app.directory.view(&room).title, app.base(from, &headers));
    let wish = Wish {
        room: &room,
        title: &title,
        base: &base.ok_or(Refused::NotAllowed)?,
        address: app.viewer_address(from, &headers),
    };
    let bought = till.sell(&app.chat, &wish).await?;
    Ok(created(
        &serde_json::json!({ "url": bought.url, "ticket": bought.code }),
    ))
}

/// `POST /api/rooms/{room}/tickets/open`: what a ticket is worth, and the pass of this device.
pub(crate) async fn open(
    State(app): State<Arc<App>>,
    Path(room): Path<String>,
    Json(shown): Json<TicketShown>,
) -> Result<Response, Declined> {
    let room: RoomId = room.parse().map_err(|_| Refused::Unknown)?;
    let till = app.chat.gate.till().ok_or(Refused::NoPayments)?;
    let worth = till
        .show_ticket(&app.chat, &room, &shown.ticket, shown.pass.as_deref())
        .await?;
    let (state, pass) = match worth {
        Shown::Open { pass } => ("open", Some(pass)),
        Shown::Waiting => ("waiting", None),
        Shown::Processing => ("processing", None),
        Shown::Closed { refunded: true } => ("refunded", None),
        Shown::Closed { refunded: false } => ("unpaid", None),
        Shown::Over => ("over", None),
        Shown::Unknown => ("unknown", None),
    };
    let mut body = serde_json::json!({ "state": state });
    if let Some(pass) = pass {
        body["pass"] = pass.into();
    }
    Ok(no_store(Json(body)))
}

/// `POST /stripe/webhook`. The body is taken as it came: its bytes are what is signed.
pub(crate) async fn webhook(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let till = app.chat.gate.till().ok_or_else(|| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "Payments are not set up on this server: see --stripe-secret-env.",
        )
    })?;
    let body = read_body(body, MOST_EVENT_BYTES).await?;
    let signature = headers
        .get(SIGNATURE_HEADER)
        .and_then(|value| value.to_str().ok());
    match till.hear(&app.chat, signature, &body).await {
        Heard::Taken => Ok(StatusCode::NO_CONTENT.into_response()),
        Heard::Forged(error) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            format!("Failed to {error}."),
        )),
        Heard::Unreadable => Err(Refusal::new(StatusCode::BAD_REQUEST, "Not an event of Stripe's.")),
        Heard::Later => Err(
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "It cannot be kept now.")
                .retry_after(AGAIN_AFTER_S),
        ),
    }
}

/// Whether a viewer who shows this is the host or a moderator, who need no ticket.
pub(super) async fn is_crew(app: &App, room: &RoomId, token: &str) -> bool {
    let author = author_of(&app.chat, room, token).await;
    author.is_some_and(|author| author.role >= Role::Moderator)
}

fn no_store(body: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], body).into_response()
}

fn created(body: &serde_json::Value) -> Response {
    no_store((StatusCode::CREATED, Json(body.clone())))
}
