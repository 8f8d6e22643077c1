//! Encodings of the program.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Canvas, DestinationId, KilobitsPerSecond, RenditionId};

/// Profiles of H.264 (ITU-T H.264, annex A.2) that the studio makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum H264Profile {
    /// Plays in every browser.
    ConstrainedBaseline,
    /// A little better; Chromium and Safari only.
    Main,
    /// Best at a given rate; for servers and disks.
    High,
}

/// One encoding of the program that is running.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Rendition {
    /// Who it is.
    pub id: RenditionId,
    /// Size and rate.
    pub canvas: Canvas,
    /// Profile of its H.264.
    pub profile: H264Profile,
    /// Constant rate of its video.
    pub video: KilobitsPerSecond,
    /// Rate of its sound.
    pub audio: KilobitsPerSecond,
    /// The encoder's name as a person knows it: "x264, veryfast".
    pub encoder: String,
    /// In hardware.
    pub hardware: bool,
    /// Share of one processor core that this encode takes by the calibration, in percent; `None` while not measured,
    /// and always in hardware.
    pub cost_percent: Option<u32>,
    /// Who carries it.
    pub carried_by: Vec<DestinationId>,
}

/// Which encoder the host wants.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export)]
pub enum EncoderChoice {
    /// The best that the probe found.
    #[default]
    Automatic,
    /// This one.
    Named {
        /// [`EncoderInfo::id`].
        id: String,
    },
}

/// Whether RTMP and disk get a High rendition of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum HighRendition {
    /// When the calibration found the headroom.
    #[default]
    Automatic,
    /// Always.
    On,
    /// Never: one encode serves all.
    Off,
}

/// An encoder that works on this machine: it was tried with real frames.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EncoderInfo {
    /// Its GStreamer element.
    pub id: String,
    /// As a person knows it: "NVIDIA NVENC", "x264".
    pub name: String,
    /// In hardware.
    pub hardware: bool,
    /// The preset that the calibration chose, where the encoder has presets.
    pub preset: Option<String>,
    /// Share of one core for one encode of the present canvas, in percent; `None` while not measured.
    pub cost_percent: Option<u32>,
    /// Chosen now.
    pub chosen: bool,
}
