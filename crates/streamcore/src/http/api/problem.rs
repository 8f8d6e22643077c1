//! Answers that say no to programs: problem details (RFC 9457) with a code.

use aide::OperationOutput;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::chat::Refused;
use crate::http::answer::Refusal;

/// When a server that cannot keep anything now is worth another try, in seconds.
const UNAVAILABLE_S: u64 = 5;

/// Why something is not done. Nothing has changed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Problem {
    /// The status of HTTP.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// What to go by.
    code: Code,
    /// The same for a person who reads a log: a sentence in English.
    detail: String,
    /// When to try again, in milliseconds from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    /// What is out of its range.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

/// Why something is not done, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Code {
    /// It cannot be read.
    Unreadable,
    /// There is no such message, member, product, entry or picture, or a room cannot be called that.
    Unknown,
    /// No token, or none that holds for this room.
    Token,
    /// Not in this role.
    NotAllowed,
    /// No words.
    Empty,
    /// Too many words.
    TooLong,
    /// Too many messages or requests in too short a time.
    TooFast,
    /// Only host and moderators may speak.
    Locked,
    /// Emoji only.
    EmojiOnly,
    /// It holds a blocked word.
    Blocked,
    /// Not for a while.
    TimedOut,
    /// Not any more.
    Banned,
    /// Watching costs something here; viewers come in with their ticket, over a socket.
    Ticket,
    /// It cannot be taken back, or is already.
    NotUndoable,
    /// A number or a length is out of its range.
    OutOfRange,
    /// The room has as many as it may have.
    Full,
    /// The body has too many bytes.
    TooLarge,
    /// The body did not come in time.
    TooSlow,
    /// The body is of another type.
    MediaType,
    /// The server cannot do it now.
    Unavailable,
}

impl Problem {
    pub fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self {
            status: status.as_u16(),
            code,
            detail: detail.into(),
            retry_after_ms: None,
            field: None,
        }
    }

    pub fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    pub fn unreadable(detail: impl std::fmt::Display) -> Self {
        let detail = detail.to_string().chars().take(200).collect::<String>();
        Self::new(StatusCode::BAD_REQUEST, Code::Unreadable, detail)
    }

    pub fn unknown(detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::Unknown, detail)
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let say = |status, code, detail: &str| Self::new(status, code, detail);
        match refused {
            Refused::Unreadable { detail } => Self::unreadable(detail),
            Refused::Version { .. } => say(
                StatusCode::BAD_REQUEST,
                Code::Unreadable,
                "Another version of the protocol.",
            ),
            Refused::Token => say(
                StatusCode::UNAUTHORIZED,
                Code::Token,
                "Show a token that holds for this room: Authorization: Bearer TOKEN.",
            ),
            Refused::Empty => say(
                StatusCode::UNPROCESSABLE_ENTITY,
                Code::Empty,
                "There are no words in it.",
            ),
            Refused::TooLong { most } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                Code::TooLong,
                format!("It has more than {most} characters."),
            ),
            Refused::TooFast { retry_after_ms } => {
                say(StatusCode::TOO_MANY_REQUESTS, Code::TooFast, "Too fast.")
                    .retry_after_ms(retry_after_ms.into())
            }
            Refused::Locked => say(
                StatusCode::FORBIDDEN,
                Code::Locked,
                "Only host and moderators may speak.",
            ),
            Refused::EmojiOnly => say(
                StatusCode::UNPROCESSABLE_ENTITY,
                Code::EmojiOnly,
                "Only emoji may be said in this room now.",
            ),
            Refused::Blocked => say(
                StatusCode::UNPROCESSABLE_ENTITY,
                Code::Blocked,
                "It holds a word that is blocked in this room.",
            ),
            Refused::TimedOut { retry_after_ms } => say(
                StatusCode::FORBIDDEN,
                Code::TimedOut,
                "This member may not speak for a while.",
            )
            .retry_after_ms(retry_after_ms),
            Refused::Banned => say(
                StatusCode::FORBIDDEN,
                Code::Banned,
                "This member may not speak any more.",
            ),
            Refused::NotAllowed => say(StatusCode::FORBIDDEN, Code::NotAllowed, "Not in this role."),
            Refused::Unknown => Self::unknown("There is no such message, member, product or entry."),
            Refused::NotUndoable => say(
                StatusCode::CONFLICT,
                Code::NotUndoable,
                "It cannot be taken back, or is already.",
            ),
            Refused::OutOfRange { field } => Self {
                field: Some(field),
                ..say(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    Code::OutOfRange,
                    "A field is out of its range.",
                )
            },
            Refused::Ticket => say(
                StatusCode::FORBIDDEN,
                Code::Ticket,
                "Watching costs something here: viewers come in with their ticket, over a socket.",
            ),
            Refused::Devices { most } => Self::new(
                StatusCode::FORBIDDEN,
                Code::NotAllowed,
                format!("The ticket plays on {most} devices already."),
            ),
            Refused::NoPayments => say(
                StatusCode::CONFLICT,
                Code::NotAllowed,
                "Payments are not set up on this server.",
            ),
            Refused::PaymentsFail => say(
                StatusCode::SERVICE_UNAVAILABLE,
                Code::Unavailable,
                "Stripe does not do it now.",
            )
            .retry_after_ms(UNAVAILABLE_S * 1000),
            Refused::Over => say(StatusCode::CONFLICT, Code::Unknown, "That is over."),
            Refused::Busy => say(
                StatusCode::CONFLICT,
                Code::NotAllowed,
                "One of the kind goes on already.",
            ),
            Refused::OneEach => say(
                StatusCode::CONFLICT,
                Code::NotAllowed,
                "Somebody at the same address has entered.",
            ),
            Refused::Unavailable => say(
                StatusCode::SERVICE_UNAVAILABLE,
                Code::Unavailable,
                "The server cannot do that now.",
            )
            .retry_after_ms(UNAVAILABLE_S * 1000),
            Refused::Crowded { retry_after_ms } => say(
                StatusCode::TOO_MANY_REQUESTS,
                Code::TooFast,
                "Too many come from this address.",
            )
            .retry_after_ms(retry_after_ms.into()),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, detail, retry_after_s) = refusal.parts();
        let code = match status {
            StatusCode::UNAUTHORIZED => Code::Token,
            StatusCode::FORBIDDEN => Code::NotAllowed,
            StatusCode::NOT_FOUND => Code::Unknown,
            StatusCode::REQUEST_TIMEOUT => Code::TooSlow,
            StatusCode::CONFLICT => Code::Full,
            StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::MediaType,
            StatusCode::UNPROCESSABLE_ENTITY => Code::OutOfRange,
            StatusCode::TOO_MANY_REQUESTS => Code::TooFast,
            status if status.is_server_error() => Code::Unavailable,
            _ => Code::Unreadable,
        };
        Self {
            retry_after_ms: retry_after_s.map(|seconds| u64::from(seconds) * 1000),
            ..Self::new(status, code, detail)
        }
    }
}

/// The database failed: said to whoever reads the log, and not to whoever asked.
pub(crate) fn failed(what: &str, error: &(dyn std::error::Error + 'static)) -> Problem {
    tracing::error!(what, error, "the room database failed");
    Refused::Unavailable.into()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after_ms.map(|ms| ms.div_ceil(1000));
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"streamcore\""),
            );
        }
        response
    }
}

/// Which statuses an operation may answer with is said operation by operation.
impl OperationOutput for Problem {
    type Inner = Self;
}
