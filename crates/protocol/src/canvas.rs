//! The size and rate of the program picture.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Longest side of a canvas, in pixels.
pub const MAX_LONG_SIDE: u32 = 3840;
/// Shorter side's limit, in pixels.
pub const MAX_SHORT_SIDE: u32 = 2160;
const LEAST_SIDE: u32 = 64;

/// The program picture: even size, 16:9 or upright or any other, whole frames a second.
///
/// 4:2:0 wants even sides; 24 to 60 fps is what every service takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(try_from = "RawCanvas", into = "RawCanvas")]
#[ts(export, as = "RawCanvas")]
pub struct Canvas {
    width: u32,
    height: u32,
    fps: u32,
}

#[derive(Serialize, Deserialize, TS)]
#[ts(rename = "Canvas")]
struct RawCanvas {
    width: u32,
    height: u32,
    fps: u32,
}

/// Why a size or rate is no canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CanvasError {
    /// A side that is odd, under 64 or over 3840×2160 (either way round).
    Size {
        /// The width that was asked for, in pixels.
        width: u32,
        /// The height that was asked for, in pixels.
        height: u32,
    },
    /// Not 24 to 60 frames a second.
    Rate {
        /// The rate that was asked for, in frames a second.
        fps: u32,
    },
}

impl std::fmt::Display for CanvasError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Size { width, height } => {
                write!(
                    f,
                    "be a canvas: {width}×{height} has an odd side, or is outside 64×64 to 3840×2160"
                )
            }
            Self::Rate { fps } => write!(f, "be a canvas: {fps} frames a second is outside 24 to 60"),
        }
    }
}

impl std::error::Error for CanvasError {}

/// A width and a height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Frame {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Canvas {
    /// A canvas of `width`×`height` pixels at `fps` frames a second.
    ///
    /// # Errors
    /// [`CanvasError`] when a side is odd or out of range, or the rate is.
    pub fn new(width: u32, height: u32, fps: u32) -> Result<Self, CanvasError> {
        let even = width.is_multiple_of(2) && height.is_multiple_of(2);
        let (long, short) = (width.max(height), width.min(height));
        if !even || short < LEAST_SIDE || long > MAX_LONG_SIDE || short > MAX_SHORT_SIDE {
            return Err(CanvasError::Size { width, height });
        }
        if !(24..=60).contains(&fps) {
            return Err(CanvasError::Rate { fps });
        }
        Ok(Self { width, height, fps })
    }

    /// Pixels across.
    pub fn width(self) -> u32 {
        self.width
    }

    /// Pixels down.
    pub fn height(self) -> u32 {
        self.height
    }

    /// Frames a second.
    pub fn fps(self) -> u32 {
        self.fps
    }

    /// The largest even frame of the canvas's shape whose longer side is at most `long_side` pixels.
    pub fn scaled_to(self, long_side: u32) -> Frame {
        let longest = self.width.max(self.height);
        if longest <= long_side {
            return Frame {
                width: self.width,
                height: self.height,
            };
        }
        let scale =
            |side: u32| ((u64::from(side) * u64::from(long_side) / u64::from(longest)) as u32 & !1).max(2);
        Frame {
            width: scale(self.width),
            height: scale(self.height),
        }
    }
}

impl Default for Canvas {
    /// 1280×720 at 30 frames a second: what a laptop without a hardware encoder carries with room to spare.
    fn default() -> Self {
        Self {
            width: 1280,
            height: 720,
            fps: 30,
        }
    }
}

impl TryFrom<RawCanvas> for Canvas {
    type Error = CanvasError;
    fn try_from(raw: RawCanvas) -> Result<Self, CanvasError> {
        Self::new(raw.width, raw.height, raw.fps)
    }
}

impl From<Canvas> for RawCanvas {
    fn from(canvas: Canvas) -> Self {
        Self {
            width: canvas.width,
            height: canvas.height,
            fps: canvas.fps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_both_ways_round_and_refuses_odd_or_huge() {
        for (width, height, fps) in [
            (1920, 1080, 60),
            (1080, 1920, 30),
            (3840, 2160, 24),
            (2160, 3840, 24),
            (64, 64, 30),
        ] {
            assert!(
                Canvas::new(width, height, fps).is_ok(),
                "{width}×{height} at {fps} is a canvas"
            );
        }
        for (width, height) in [(1281, 720), (1280, 721), (62, 64), (3842, 2160), (2400, 2400)] {
            assert_eq!(
                Canvas::new(width, height, 30),
                Err(CanvasError::Size { width, height })
            );
        }
        assert_eq!(Canvas::new(1280, 720, 23), Err(CanvasError::Rate { fps: 23 }));
        assert!(serde_json::from_str::<Canvas>(r#"{"width":1281,"height":720,"fps":30}"#).is_err());
    }

    #[test]
    fn scaled_frame_keeps_shape_and_even_sides() {
        let upright = Canvas::new(1080, 1920, 30).unwrap();
        assert_eq!(
            upright.scaled_to(640),
            Frame {
                width: 360,
                height: 640
            }
        );
        assert_eq!(
            Canvas::new(320, 240, 30).unwrap().scaled_to(640),
            Frame {
                width: 320,
                height: 240
            }
        );
    }
}
