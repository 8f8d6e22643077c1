//! Answers that say no, in one form: a status, a sentence, and when to come back.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A refusal. The sentence is for a person who reads a log or a publisher's error box.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    text: String,
    retry_after_s: Option<u32>,
    authenticate: bool,
}

impl Refusal {
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
            retry_after_s: None,
            authenticate: false,
        }
    }

    /// With `Retry-After` in seconds.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// 401 with the challenge that RFC 6750 section 3 wants.
    pub fn unauthorized(text: &str) -> Self {
        let mut refusal = Self::new(StatusCode::UNAUTHORIZED, text);
        refusal.authenticate = true;
        refusal
    }

    /// Its status, its sentence, and when to come back, in seconds.
    pub fn parts(self) -> (StatusCode, String, Option<u32>) {
        (self.status, self.text, self.retry_after_s)
    }

    pub fn no_such_room() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "A room's name has 1 to 64 letters, digits, - or _.",
        )
    }

    pub fn no_such_session() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "No such session: it has ended, or never was.",
        )
    }

    pub fn stopping() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The server is stopping.").retry_after(5)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (
            self.status,
            [(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/plain; charset=utf-8"),
            )],
            self.text + "\n",
        )
            .into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.authenticate {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"streamcore\""),
            );
        }
        response
    }
}
