//! Why a shop did not answer as it should.

use std::time::Duration;

use protocol::{ErrorCode, UserError};

/// Why a question to a shop has no answer. Reads after "failed to …"; never holds a key.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// The shop knows no such keys.
    #[error("be let in by {host}: it does not know the keys")]
    KeyRefused {
        /// Which shop.
        host: String,
    },
    /// It knows the keys, and they may not read.
    #[error("read the products of {host}: the keys have no permission to read")]
    ReadDenied {
        /// Which shop.
        host: String,
    },
    /// No WooCommerce there, or the site's permalinks keep it from answering.
    #[error("find WooCommerce at {host}")]
    ApiMissing {
        /// Which shop.
        host: String,
    },
    /// It sends elsewhere. Keys are not carried along to an address that nobody typed.
    #[error("ask {host}: it has moved to {to}")]
    Moved {
        /// Which shop.
        host: String,
        /// Where to, as far as it says.
        to: String,
    },
    /// No connection, or no answer in time.
    #[error("reach {host}")]
    Unreachable {
        /// Which shop.
        host: String,
        /// What the network said, without the address.
        #[source]
        source: reqwest::Error,
    },
    /// Its certificate is not trusted.
    #[error("trust the certificate of {host}")]
    Untrusted {
        /// Which shop.
        host: String,
        /// What the network said, without the address.
        #[source]
        source: reqwest::Error,
    },
    /// It asks for fewer questions, or has trouble of its own.
    #[error("get an answer from {host}: it says {status}")]
    Busy {
        /// Which shop.
        host: String,
        /// HTTP's number.
        status: u16,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The answer broke off, is no JSON, too long, or not what the contract says.
    #[error("understand {host}: {detail}")]
    Unreadable {
        /// Which shop.
        host: String,
        /// What is wrong.
        detail: String,
        /// Whether asking again may help.
        passing: bool,
    },
}

impl ShopError {
    /// Of the network, from which the address is taken: it may hold the keys.
    pub(super) fn network(host: &str, error: reqwest::Error) -> Self {
        let source = error.without_url();
        let host = host.to_owned();
        let mut causes: Vec<String> = Vec::new();
        let mut cause: Option<&dyn std::error::Error> = Some(&source);
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        // reqwest has no kind of its own for TLS; rustls says what is wrong with a certificate in these words.
        if causes.iter().any(|text| text.contains("certificate")) {
            Self::Untrusted { host, source }
        } else {
            Self::Unreachable { host, source }
        }
    }

    /// Whether asking again may help.
    pub fn passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Busy { .. } => true,
            Self::Unreadable { passing, .. } => *passing,
            _ => false,
        }
    }

    /// As a person is told.
    pub fn user_error(&self) -> UserError {
        let (code, host) = match self {
            Self::KeyRefused { host } => (ErrorCode::ShopKeyRefused, host),
            Self::ReadDenied { host } => (ErrorCode::ShopReadDenied, host),
            Self::ApiMissing { host } => (ErrorCode::ShopApiMissing, host),
            Self::Moved { host, .. } => (ErrorCode::ShopMoved, host),
            Self::Unreachable { host, .. } => (ErrorCode::ShopUnreachable, host),
            Self::Untrusted { host, .. } => (ErrorCode::ShopUntrusted, host),
            Self::Busy { host, .. } => (ErrorCode::ShopBusy, host),
            Self::Unreadable { host, .. } => (ErrorCode::ShopAnswerUnreadable, host),
        };
        let error = UserError::new(code).with("host", host);
        match self {
            Self::Moved { to, .. } => error.with("to", to),
            Self::Busy { status, .. } => error.with("status", status),
            Self::Unreadable { detail, .. } => error.with("detail", detail),
            _ => error,
        }
    }
}
