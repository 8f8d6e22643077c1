//! Shops that products come from.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{ShopId, UserError};

/// Most bytes of a shop's address.
const MAX_ADDRESS: usize = 500;
/// Most bytes of one of a shop's two keys. WooCommerce makes keys of 43.
const MAX_KEY: usize = 200;

/// A shop, and how fresh its products are. Its keys are in the keyring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Shop {
    /// Which.
    pub id: ShopId,
    /// Where.
    pub url: ShopUrl,
    /// What it is doing.
    pub phase: ShopPhase,
    /// Products of it in the catalogue.
    pub products: u32,
    /// When it last answered in full: wall clock, milliseconds since 1970; `None` never.
    #[ts(type = "number | null")]
    pub fresh_at_ms: Option<u64>,
    /// Why the last try failed; `None` when it did not.
    pub error: Option<UserError>,
}

/// What is being asked of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "phase", rename_all = "snake_case")]
#[ts(export)]
pub enum ShopPhase {
    /// Nothing.
    Idle,
    /// Its products are being read.
    Reading {
        /// So many so far.
        read: u32,
        /// Of so many; 0 until the first answer.
        of: u32,
    },
}

/// The two keys of WooCommerce's REST interface, as a person pasted them. Its `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct ShopKeys {
    /// `ck_…`.
    pub consumer_key: String,
    /// `cs_…`.
    pub consumer_secret: String,
}

impl ShopKeys {
    /// Both, as HTTP's Basic authentication wants them: `ck_…:cs_…`.
    ///
    /// # Errors
    /// [`ShopUrlError::Keys`] when one of them is no key.
    pub fn joined(&self) -> Result<String, ShopUrlError> {
        let good = |key: &str| {
            (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic() && b != b':')
        };
        let (key, secret) = (self.consumer_key.trim(), self.consumer_secret.trim());
        if good(key) && good(secret) {
            Ok(format!("{key}:{secret}"))
        } else {
            Err(ShopUrlError::Keys)
        }
    }
}

impl std::fmt::Debug for ShopKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShopKeys([redacted])")
    }
}

/// Where a shop is: `https://host/path`, without a slash at its end. Plain `http` for this machine alone, because the
/// keys travel with every request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(export, type = "string")]
pub struct ShopUrl(String);

/// Why a text is no shop's address, or keys are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopUrlError {
    /// `http://` to another machine would show the keys to everybody on the way.
    NotEncrypted,
    /// Something other than `https://`.
    Scheme,
    /// No host's name, or one with characters that no host has.
    Host,
    /// User and password, `?` or `#`.
    More,
    /// Spaces, control characters, or too long.
    Text,
    /// A key is empty, too long, or has characters that no key has.
    Keys,
}

impl std::fmt::Display for ShopUrlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotEncrypted => "it starts with http://, which would show the keys to everybody on the way",
            Self::Scheme => "it does not start with https://",
            Self::Host => "the host is missing or misspelt",
            Self::More => "it holds a user name, a question mark or a #",
            Self::Text => "it holds a space or a control character, or is too long",
            Self::Keys => "a shop's key is empty, too long, or holds a space or a colon",
        })
    }
}

impl std::error::Error for ShopUrlError {}

impl ShopUrl {
    /// The address as text. It holds no key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port as they stand in the address, for sentences.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split_once('/').map_or(rest, |(host, _)| host)
    }
}

impl TryFrom<String> for ShopUrl {
    type Error = ShopUrlError;
    fn try_from(text: String) -> Result<Self, ShopUrlError> {
        let text = text.trim().trim_end_matches('/');
        if text.len() > MAX_ADDRESS
            || text
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || c == '\\')
        {
            return Err(ShopUrlError::Text);
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            // What a person types is the name of the shop.
            None => ("https".to_owned(), text),
        };
        if rest.contains(['@', '?', '#']) {
            return Err(ShopUrlError::More);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let bracketed = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let good = match bracketed {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && host
                        .chars()
                        .all(|c| c.is_alphanumeric() || matches!(c, '-' | '.'))
                    && !host.starts_with('.')
            }
        };
        if !good || port.is_some_and(|p| p.parse::<u16>().map_or(true, |n| n == 0)) {
            return Err(ShopUrlError::Host);
        }
        let loopback = matches!(host, "localhost" | "[::1]")
            || host
                .parse::<std::net::Ipv4Addr>()
                .is_ok_and(|ip| ip.is_loopback());
        match scheme.as_str() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(ShopUrlError::NotEncrypted),
            _ => return Err(ShopUrlError::Scheme),
        }
        let slash = if path.is_empty() { "" } else { "/" };
        Ok(Self(format!(
            "{scheme}://{}{slash}{path}",
            authority.to_lowercase()
        )))
    }
}

impl From<ShopUrl> for String {
    fn from(url: ShopUrl) -> String {
        url.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<String, ShopUrlError> {
        ShopUrl::try_from(text.to_owned()).map(String::from)
    }

    #[test]
    fn keys_never_travel_in_the_open() {
        assert_eq!(url("http://shop.example"), Err(ShopUrlError::NotEncrypted));
        assert_eq!(
            url("http://127.0.0.1.evil.example"),
            Err(ShopUrlError::NotEncrypted)
        );
        for own in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:9"] {
            assert_eq!(
                url(own).as_deref(),
                Ok(own),
                "this machine's own network shows nothing"
            );
        }
    }

    #[test]
    fn addresses_are_taken_as_people_type_them() {
        assert_eq!(url(" Shop.Example/ ").as_deref(), Ok("https://shop.example"));
        assert_eq!(
            url("https://a.example/boutique//").as_deref(),
            Ok("https://a.example/boutique")
        );
        assert_eq!(url("ftp://a.example"), Err(ShopUrlError::Scheme));
        assert_eq!(url("https://me:pw@a.example"), Err(ShopUrlError::More));
        assert_eq!(url("https://a.example/?x=1"), Err(ShopUrlError::More));
        assert_eq!(url("https://"), Err(ShopUrlError::Host));
        assert_eq!(url("https://a b"), Err(ShopUrlError::Text));
        assert_eq!(
            ShopUrl::try_from("https://a.example:8/x".to_owned())
                .unwrap()
                .host(),
            "a.example:8"
        );
    }

    #[test]
    fn a_shops_keys_are_not_shown() {
        let keys = |key: &str, secret: &str| ShopKeys {
            consumer_key: key.to_owned(),
            consumer_secret: secret.to_owned(),
        };
        assert_eq!(keys(" ck_1 ", "cs_2").joined().as_deref(), Ok("ck_1:cs_2"));
        assert!(!format!("{:?}", keys("ck_1", "cs_2")).contains("cs_2"));
        for bad in ["", "a b", "a:b", &"x".repeat(201)] {
            assert_eq!(keys("ck", bad).joined(), Err(ShopUrlError::Keys), "{bad:?}");
        }
    }
}
