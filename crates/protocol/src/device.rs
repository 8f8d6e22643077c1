//! What the computer has to see, hear and show.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{DeviceId, Frame};

/// A device that a source can use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Device {
    /// The stable name by which it is remembered.
    pub id: DeviceId,
    /// What it is.
    pub kind: DeviceKind,
    /// What the system calls it.
    pub name: String,
    /// Whether the system would choose it.
    pub default: bool,
    /// Largest picture, where it is known.
    pub frame: Option<Frame>,
    /// Most frames a second at that size, where it is known.
    pub fps: Option<u32>,
}

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum DeviceKind {
    /// A camera.
    Camera,
    /// A microphone or line input.
    Microphone,
    /// The monitor of an output: what the computer plays.
    DesktopAudio,
    /// A whole screen.
    Screen,
    /// One window.
    Window,
}

/// A device that is being tried: opened for its small picture and meter, in no scene.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Audition {
    /// Which device.
    pub device: DeviceId,
    /// How it is doing.
    pub state: crate::SourceState,
    /// Its levels, for devices with sound.
    pub levels: Option<crate::Levels>,
}
