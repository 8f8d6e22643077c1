//! Configured places that outputs connect to.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{DestinationId, RoomId};

/// A place with its settings. Its secret is in the keyring, under its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Destination {
    /// Who it is.
    pub id: DestinationId,
    /// What the host calls it.
    pub name: String,
    /// Goes live with the show.
    pub enabled: bool,
    /// What and where.
    pub kind: DestinationKind,
}

/// What a destination is, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export)]
pub enum DestinationKind {
    /// A room of the embedded StreamCore.
    StreamCore {
        /// Which room.
        room: RoomId,
    },
    /// An RTMP or RTMPS server.
    Rtmp {
        /// Server and application, without the key.
        url: RtmpUrl,
        /// Whether a stream key is kept for it in the keyring.
        has_key: bool,
    },
    /// A file on this computer.
    Recording(RecordingSettings),
}

/// Where and how the show is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RecordingSettings {
    /// Absolute path; `None` is the system's folder for videos.
    pub folder: Option<String>,
    /// File format.
    pub container: Container,
    /// Begin a new file after so many minutes, `1..=1440`; `None` never.
    pub split_minutes: Option<u32>,
}

/// File formats of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Container {
    /// Fragmented while it runs, plain once stopped.
    #[default]
    Mp4,
    /// Matroska.
    Mkv,
}

/// `rtmp://` or `rtmps://` address of a server and its application, without key, user or password.
///
/// Parsing takes the address only; [`RtmpUrl::split_key`] takes an address that ends with a key apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(export, type = "string")]
pub struct RtmpUrl {
    text: String,
    host_start: usize,
    host_end: usize,
}

/// Why a text is no RTMP address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RtmpUrlError {
    /// Neither `rtmp://` nor `rtmps://` at its start.
    Scheme,
    /// No host's name, or one with characters that no host has.
    Host,
    /// Not a port number.
    Port,
    /// No application after the host.
    Application,
    /// User and password do not belong into an address.
    Credentials,
    /// Spaces, control characters, or over 1000 bytes.
    Text,
}

impl std::fmt::Display for RtmpUrlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Scheme => "it starts with neither rtmp:// nor rtmps://",
            Self::Host => "the host is missing or misspelt",
            Self::Port => "the port is no number from 1 to 65535",
            Self::Application => "the application after the host is missing (rtmp://host/application)",
            Self::Credentials => "it holds a user name or password",
            Self::Text => "it holds a space or a control character, or is too long",
        })
    }
}

impl std::error::Error for RtmpUrlError {}

impl RtmpUrl {
    /// The address as text. It holds no key.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and port as they stand in the address, for sentences.
    pub fn host(&self) -> &str {
        &self.text[self.host_start..self.host_end]
    }

    /// Over TLS.
    pub fn encrypted(&self) -> bool {
        self.text.starts_with("rtmps://")
    }

    /// Takes `rtmp://host/app/key` apart: all after the application's last slash is the key.
    ///
    /// An address with one path segment has no key.
    ///
    /// # Errors
    /// [`RtmpUrlError`] when what is left is no address.
    pub fn split_key(text: &str) -> Result<(Self, Option<String>), RtmpUrlError> {
        let text = text.trim();
        let path_start = text.find("://").map(|at| at + 3).ok_or(RtmpUrlError::Scheme)?;
        let slashes: Vec<usize> = text[path_start..]
            .match_indices('/')
            .map(|(at, _)| at + path_start)
            .collect();
        match slashes.as_slice() {
            [_, .., last] if last + 1 < text.len() => {
                let url = Self::try_from(text[..*last].to_owned())?;
                Ok((url, Some(text[last + 1..].to_owned())))
            }
            _ => Ok((Self::try_from(text.to_owned())?, None)),
        }
    }
}

impl TryFrom<String> for RtmpUrl {
    type Error = RtmpUrlError;
    fn try_from(text: String) -> Result<Self, RtmpUrlError> {
        let text = text.trim().trim_end_matches('/').to_owned();
        if text.len() > 1000 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(RtmpUrlError::Text);
        }
        let lower = text.get(..8).unwrap_or(&text).to_ascii_lowercase();
        let host_start = if lower.starts_with("rtmp://") {
            7
        } else if lower.starts_with("rtmps://") {
            8
        } else {
            return Err(RtmpUrlError::Scheme);
        };
        let text = text[..host_start].to_ascii_lowercase() + &text[host_start..];
        let rest = &text[host_start..];
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(RtmpUrlError::Credentials);
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let bracketed = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let good_host = match bracketed {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && host
                        .chars()
                        .all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_'))
                    && !host.starts_with('.')
            }
        };
        if !good_host {
            return Err(RtmpUrlError::Host);
        }
        if port.is_some_and(|p| p.parse::<u16>().map_or(true, |n| n == 0)) {
            return Err(RtmpUrlError::Port);
        }
        if path.is_empty() {
            return Err(RtmpUrlError::Application);
        }
        let host_end = host_start + authority.len();
        Ok(Self {
            text,
            host_start,
            host_end,
        })
    }
}

impl From<RtmpUrl> for String {
    fn from(url: RtmpUrl) -> String {
        url.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<RtmpUrl, RtmpUrlError> {
        RtmpUrl::try_from(text.to_owned())
    }

    #[test]
    fn addresses_say_what_is_wrong_with_them() {
        assert_eq!(url("http://a/live"), Err(RtmpUrlError::Scheme));
        assert_eq!(url("rtmp:///live"), Err(RtmpUrlError::Host));
        assert_eq!(url("rtmp://a:x/live"), Err(RtmpUrlError::Port));
        assert_eq!(url("rtmp://a:0/live"), Err(RtmpUrlError::Port));
        assert_eq!(url("rtmp://a"), Err(RtmpUrlError::Application));
        assert_eq!(url("rtmp://me:pw@a/live"), Err(RtmpUrlError::Credentials));
        assert_eq!(url("rtmp://a/li ve"), Err(RtmpUrlError::Text));
        assert_eq!(
            url("RTMPS://Host:443/app/").unwrap().as_str(),
            "rtmps://Host:443/app"
        );
        assert_eq!(url("rtmp://[::1]:1935/live").unwrap().host(), "[::1]:1935");
    }

    #[test]
    fn the_key_leaves_the_address() {
        let (url, key) = RtmpUrl::split_key("rtmp://127.0.0.1/live/se-cret?x=1").unwrap();
        assert_eq!(
            (url.as_str(), key.as_deref()),
            ("rtmp://127.0.0.1/live", Some("se-cret?x=1"))
        );
        let (url, key) = RtmpUrl::split_key("rtmp://h/a/instance/key").unwrap();
        assert_eq!(
            (url.as_str(), key.as_deref()),
            ("rtmp://h/a/instance", Some("key"))
        );
        let (url, key) = RtmpUrl::split_key("rtmp://h/live/").unwrap();
        assert_eq!((url.as_str(), key), ("rtmp://h/live", None));
        assert!(RtmpUrl::split_key("nonsense").is_err());
    }
}
