//! Identifiers. Made by the engine, opaque to everybody else.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a text is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdError {
    /// No character at all.
    Empty,
    /// More bytes than the type allows.
    TooLong,
    /// A character that the type does not allow.
    BadCharacter,
}

impl std::fmt::Display for IdError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "be an identifier: it is empty",
            Self::TooLong => "be an identifier: it is too long",
            Self::BadCharacter => "be an identifier: it has a character that is not allowed",
        })
    }
}

impl std::error::Error for IdError {}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, max $max:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
        #[serde(try_from = "String", into = "String")]
        #[ts(export, type = "string")]
        pub struct $name(String);

        impl $name {
            /// Most bytes that such an identifier has.
            pub const MAX_BYTES: usize = $max;

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                let allowed: fn(char) -> bool = $allowed;
                if text.is_empty() {
                    Err(IdError::Empty)
                } else if text.len() > Self::MAX_BYTES {
                    Err(IdError::TooLong)
                } else if !text.chars().all(allowed) {
                    Err(IdError::BadCharacter)
                } else {
                    Ok(Self(text))
                }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdError;
            fn try_from(text: &str) -> Result<Self, IdError> {
                Self::try_from(text.to_owned())
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::try_from(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

id!(
    /// One source.
    SourceId, max 64, plain
);
id!(
    /// One scene.
    SceneId, max 64, plain
);
id!(
    /// One placed source in one scene.
    ItemId, max 64, plain
);
id!(
    /// One configured destination, and the output that serves it: an output has its destination's id.
    DestinationId, max 64, plain
);
id!(
    /// One encoding of the program.
    RenditionId, max 64, plain
);
id!(
    /// A room of StreamCore, as it stands in its links: letters, digits, `-` and `_`.
    RoomId, max 64, plain
);
id!(
    /// One shop that products come from.
    ShopId, max 64, plain
);
id!(
    /// One product of the catalogue, from a shop or the host's own.
    ProductId, max 64, plain
);
id!(
    /// The stable name that the operating system gives a device: a path, a serial, a UID. Printable text.
    DeviceId, max 512, |c| !c.is_control()
);

/// How ids begin of what the system's own dialog decides; whatever follows tells one choice from another.
const ASKING: &str = "portal:";

impl DeviceId {
    /// Stands for all the `screen`s or `window`s that the system's own dialog offers.
    pub fn asking(what: &'static str) -> Self {
        Self(format!("{ASKING}{what}"))
    }

    /// Whether opening it may show a dialog to the person at the computer.
    pub fn asks(&self) -> bool {
        self.0.starts_with(ASKING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_refuse_what_a_link_or_a_file_name_cannot_carry() {
        for bad in ["", "a/b", "a b", "é", "../x", &"x".repeat(65)] {
            assert!(RoomId::try_from(bad).is_err(), "{bad:?} must be refused");
            assert!(
                serde_json::from_value::<SourceId>(bad.into()).is_err(),
                "{bad:?} must not parse"
            );
        }
        assert_eq!(
            RoomId::try_from("my_room-1").map(String::from),
            Ok("my_room-1".to_owned())
        );
    }

    #[test]
    fn a_choice_of_the_systems_dialog_is_known_by_its_id() {
        assert!(DeviceId::asking("screen").asks());
        assert!(DeviceId::try_from("portal:screen:2").is_ok_and(|id| id.asks()));
        assert!(DeviceId::try_from("x11:HDMI-1").is_ok_and(|id| !id.asks()));
    }

    #[test]
    fn device_ids_take_what_systems_use_but_no_control_characters() {
        assert!(DeviceId::try_from("alsa_output.pci-0000_00_1f.3.analog-stereo.monitor").is_ok());
        assert!(DeviceId::try_from(r"\\?\usb#vid_046d&pid_082d#{65e8773d}").is_ok());
        assert!(
            DeviceId::try_from("a\nb").is_err(),
            "a line break would forge log lines"
        );
    }
}
