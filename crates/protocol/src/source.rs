//! Anything that gives pictures or sound.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Db, DeviceId, Frame, SourceId, UserError};

/// One source as it is configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Source {
    /// Who it is.
    pub id: SourceId,
    /// What the host calls it.
    pub name: String,
    /// What it shows or plays.
    pub settings: SourceSettings,
    /// Its strip in the mixer. Kept for silent sources too, so that a change of settings loses nothing.
    pub audio: AudioControls,
}

/// A source's strip in the mixer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct AudioControls {
    /// Fader.
    pub gain: Db,
    /// Silent in the program.
    pub muted: bool,
    /// −1.0 left, 0.0 centre, 1.0 right.
    pub pan: f32,
    /// Later (positive) or earlier (negative) than the picture, in milliseconds, `-500..=2000`.
    pub sync_offset_ms: i32,
}

impl Default for AudioControls {
    fn default() -> Self {
        Self {
            gain: Db::ZERO,
            muted: false,
            pan: 0.0,
            sync_offset_ms: 0,
        }
    }
}

/// What kind of source, without its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum SourceKind {
    /// A camera.
    Camera,
    /// A microphone or line input.
    Microphone,
    /// What the computer plays.
    DesktopAudio,
    /// A whole screen.
    Screen,
    /// One window.
    Window,
    /// A media file.
    File,
    /// A still picture.
    Image,
    /// Words.
    Text,
    /// One flat colour.
    Colour,
    /// A test card with tone and clock.
    TestCard,
}

/// What a source shows or plays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export)]
pub enum SourceSettings {
    /// A camera. A remembered one never silently becomes another: absent, it waits.
    Camera {
        /// Which one; `None` is the system's first.
        device: Option<DeviceId>,
    },
    /// A microphone or line input.
    Microphone {
        /// Which one; `None` is the system's default.
        device: Option<DeviceId>,
    },
    /// What the computer plays (a monitor of an output).
    DesktopAudio {
        /// Which output's monitor; `None` is that of the default output.
        device: Option<DeviceId>,
    },
    /// A whole screen.
    Screen {
        /// Which one; `None` is the first. Under Wayland the system's own dialog decides, once for each id.
        device: Option<DeviceId>,
        /// Show the pointer.
        cursor: bool,
    },
    /// One window.
    Window {
        /// Which one (on X11 its XID in decimal; under Wayland the system's own dialog decides, once for each id).
        device: DeviceId,
        /// Show the pointer.
        cursor: bool,
    },
    /// A media file; any rate and channel layout.
    File {
        /// Absolute path on the engine's machine.
        path: String,
        /// Start again at its end, without a gap.
        looping: bool,
    },
    /// A still picture: PNG, JPEG, SVG; alpha is kept.
    Image {
        /// Absolute path on the engine's machine.
        path: String,
    },
    /// Words.
    Text(TextStyle),
    /// One flat colour.
    Colour {
        /// Which.
        colour: Colour,
    },
    /// Bars, a clock and a tone.
    TestCard {
        /// Tone in Hz, `0` for silence, at −20 dBFS.
        tone_hz: u32,
    },
}

impl SourceSettings {
    /// The kind that these settings belong to.
    pub fn kind(&self) -> SourceKind {
        match self {
            Self::Camera { .. } => SourceKind::Camera,
            Self::Microphone { .. } => SourceKind::Microphone,
            Self::DesktopAudio { .. } => SourceKind::DesktopAudio,
            Self::Screen { .. } => SourceKind::Screen,
            Self::Window { .. } => SourceKind::Window,
            Self::File { .. } => SourceKind::File,
            Self::Image { .. } => SourceKind::Image,
            Self::Text(_) => SourceKind::Text,
            Self::Colour { .. } => SourceKind::Colour,
            Self::TestCard { .. } => SourceKind::TestCard,
        }
    }
}

impl SourceKind {
    /// Whether such a source may have a picture.
    pub fn pictures(self) -> bool {
        !matches!(self, Self::Microphone | Self::DesktopAudio)
    }

    /// Whether such a source may have sound.
    pub fn sounds(self) -> bool {
        matches!(
            self,
            Self::Microphone | Self::DesktopAudio | Self::File | Self::TestCard
        )
    }
}

/// Words and how they look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct TextStyle {
    /// The words, at most 2000 characters; line breaks are kept. Never markup.
    pub text: String,
    /// Font family; the system's nearest when it is absent.
    pub font: String,
    /// Height of a line's em, in pixels of a 1080-line canvas, `8..=400`.
    pub size: u32,
    /// Bold.
    pub bold: bool,
    /// Of the letters.
    pub colour: Colour,
    /// Of the outline.
    pub outline: Colour,
    /// Thickness of the outline in the same pixels, `0..=20`.
    pub outline_width: u32,
    /// Speed to the left in the same pixels a second, `-1000..=1000`; 0 stands still.
    pub scroll: i32,
}

/// sRGB colour with alpha, written `#rrggbb` or `#rrggbbaa`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(export, type = "string")]
pub struct Colour {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
    /// Opacity, 255 is opaque.
    pub alpha: u8,
}

/// A text that is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColourError;

impl std::fmt::Display for ColourError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("be a colour: write #rrggbb or #rrggbbaa")
    }
}

impl std::error::Error for ColourError {}

impl TryFrom<String> for Colour {
    type Error = ColourError;
    fn try_from(text: String) -> Result<Self, ColourError> {
        let digits = text.strip_prefix('#').ok_or(ColourError)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) || !matches!(digits.len(), 6 | 8) {
            return Err(ColourError);
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| ColourError)?;
        let [red, green, blue, alpha] = if digits.len() == 6 {
            (value << 8 | 0xff).to_be_bytes()
        } else {
            value.to_be_bytes()
        };
        Ok(Self {
            red,
            green,
            blue,
            alpha,
        })
    }
}

impl From<Colour> for String {
    fn from(c: Colour) -> String {
        if c.alpha == 0xff {
            format!("#{:02x}{:02x}{:02x}", c.red, c.green, c.blue)
        } else {
            format!("#{:02x}{:02x}{:02x}{:02x}", c.red, c.green, c.blue, c.alpha)
        }
    }
}

/// How a source is doing right now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SourceStatus {
    /// Which source.
    pub id: SourceId,
    /// Live, waiting, failed.
    pub state: SourceState,
    /// Size of its own picture, once known; `None` for sound alone.
    pub frame: Option<Frame>,
    /// Whether it gives sound, as found, not as hoped.
    pub sounds: bool,
    /// A media file's place and length in milliseconds; `None` for anything else.
    pub position_ms: Option<u32>,
    /// A media file's length in milliseconds.
    pub duration_ms: Option<u32>,
    /// A media file that stands still because the host paused it.
    pub paused: bool,
}

/// What a source is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
#[ts(export)]
pub enum SourceState {
    /// Being opened for the first time.
    Opening,
    /// Pictures or sound arrive.
    Live,
    /// It was there and is gone, or is not there yet; it is tried again by itself.
    Waiting {
        /// Why, and what brings it back.
        error: UserError,
    },
    /// It cannot work as it is configured.
    Failed {
        /// Why, and what to change.
        error: UserError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_read_what_they_write_and_nothing_else() {
        for text in ["#0a0b0e", "#ff6b6380", "#00000000"] {
            let colour = Colour::try_from(text.to_owned()).unwrap();
            assert_eq!(String::from(colour), text);
        }
        for bad in [
            "", "red", "#fff", "#gggggg", "#12345", "0a0b0e", "#1234567", "#+12345", "#é2345",
        ] {
            assert!(Colour::try_from(bad.to_owned()).is_err(), "{bad:?} is no colour");
        }
    }

    #[test]
    fn settings_carry_their_kind_and_refuse_strangers() {
        let json = r#"{"kind":"file","path":"/a.mp4","looping":true}"#;
        assert_eq!(
            serde_json::from_str::<SourceSettings>(json).unwrap().kind(),
            SourceKind::File
        );
        assert!(
            serde_json::from_str::<SourceSettings>(r#"{"kind":"file","path":"/a","looping":true,"x":1}"#)
                .is_err()
        );
        assert!(serde_json::from_str::<SourceSettings>(r#"{"kind":"laser"}"#).is_err());
    }
}
