//! Arrangements of sources on the canvas.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{ItemId, SceneId, SourceId};

/// An arrangement of sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Scene {
    /// Who it is.
    pub id: SceneId,
    /// What the host calls it.
    pub name: String,
    /// Placed sources, back to front. Microphones stand here too: they sound while their scene is on air.
    pub items: Vec<SceneItem>,
}

/// One placed source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SceneItem {
    /// Who it is.
    pub id: ItemId,
    /// What it shows.
    pub source: SourceId,
    /// Where and how.
    pub placement: Placement,
    /// Shown.
    pub visible: bool,
    /// Not to be moved by hand.
    pub locked: bool,
}

/// Where a source stands on the canvas.
///
/// Lengths are fractions of the canvas's width (x, width) and height (y, height), so that a scene survives a
/// change of the canvas's size. Rotation turns the box about its centre, after everything else.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(try_from = "RawPlacement", into = "RawPlacement")]
#[ts(export, as = "RawPlacement")]
pub struct Placement {
    /// Left edge of the box, `-4.0..=4.0`.
    pub x: f32,
    /// Top edge of the box, `-4.0..=4.0`.
    pub y: f32,
    /// Width of the box, `0.005..=8.0`.
    pub width: f32,
    /// Height of the box, `0.005..=8.0`.
    pub height: f32,
    /// Degrees clockwise, `-180.0..=180.0`.
    pub rotation: f32,
    /// What is cut off the source before it is fitted.
    pub crop: Crop,
    /// How the cropped source fills the box.
    pub fit: Fit,
    /// `0.0..=1.0`.
    pub opacity: f32,
}

#[derive(Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(rename = "Placement")]
struct RawPlacement {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
    rotation: f32,
    crop: Crop,
    fit: Fit,
    opacity: f32,
}

/// Fractions of the source's own size that are cut off each side; each pair leaves at least a hundredth.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Crop {
    /// `0.0..=0.99`.
    pub left: f32,
    /// `0.0..=0.99`.
    pub top: f32,
    /// `0.0..=0.99`.
    pub right: f32,
    /// `0.0..=0.99`.
    pub bottom: f32,
}

/// How a picture fills a box of another shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Fit {
    /// All of it, with empty room at two sides.
    Contain,
    /// The whole box, with two sides cut.
    Cover,
    /// The whole box, with the shape changed.
    Stretch,
}

/// A number that no placement takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlacementError {
    /// Which one.
    pub field: &'static str,
}

impl std::fmt::Display for PlacementError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "be a placement: {} is out of range", self.field)
    }
}

impl std::error::Error for PlacementError {}

impl Default for Placement {
    fn default() -> Self {
        Self {
            x: 0.0,
            y: 0.0,
            width: 1.0,
            height: 1.0,
            rotation: 0.0,
            crop: Crop::default(),
            fit: Fit::Contain,
            opacity: 1.0,
        }
    }
}

impl TryFrom<RawPlacement> for Placement {
    type Error = PlacementError;
    fn try_from(raw: RawPlacement) -> Result<Self, PlacementError> {
        let crop = raw.crop;
        // A NaN is in no range, so it is refused here too.
        let checks = [
            ("x", (-4.0..=4.0).contains(&raw.x)),
            ("y", (-4.0..=4.0).contains(&raw.y)),
            ("width", (0.005..=8.0).contains(&raw.width)),
            ("height", (0.005..=8.0).contains(&raw.height)),
            ("rotation", (-180.0..=180.0).contains(&raw.rotation)),
            ("opacity", (0.0..=1.0).contains(&raw.opacity)),
            ("crop.left", (0.0..=0.99).contains(&crop.left)),
            ("crop.top", (0.0..=0.99).contains(&crop.top)),
            ("crop.right", (0.0..=0.99).contains(&crop.right)),
            ("crop.bottom", (0.0..=0.99).contains(&crop.bottom)),
            (
                "crop",
                crop.left + crop.right <= 0.99 && crop.top + crop.bottom <= 0.99,
            ),
        ];
        if let Some((field, _)) = checks.iter().find(|(_, good)| !good) {
            return Err(PlacementError { field });
        }
        let RawPlacement {
            x,
            y,
            width,
            height,
            rotation,
            crop,
            fit,
            opacity,
        } = raw;
        Ok(Self {
            x,
            y,
            width,
            height,
            rotation,
            crop,
            fit,
            opacity,
        })
    }
}

impl From<Placement> for RawPlacement {
    fn from(p: Placement) -> Self {
        let Placement {
            x,
            y,
            width,
            height,
            rotation,
            crop,
            fit,
            opacity,
        } = p;
        Self {
            x,
            y,
            width,
            height,
            rotation,
            crop,
            fit,
            opacity,
        }
    }
}

/// How one scene follows another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export)]
pub enum Transition {
    /// At once.
    Cut,
    /// One picture dissolves into the next, and the sound with it.
    Fade {
        /// How long, in milliseconds, `50..=5000`.
        ms: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placements_out_of_range_do_not_parse() {
        let good = serde_json::to_value(Placement::default()).unwrap();
        assert!(serde_json::from_value::<Placement>(good.clone()).is_ok());
        for (field, value) in [("x", 5.0), ("width", 0.0), ("opacity", 1.1), ("rotation", 181.0)] {
            let mut bad = good.clone();
            bad[field] = value.into();
            let error = serde_json::from_value::<Placement>(bad).unwrap_err().to_string();
            assert!(error.contains(field), "the error names {field}: {error}");
        }
        let mut bad = good;
        bad["crop"] = serde_json::json!({"left": 0.6, "right": 0.6, "top": 0.0, "bottom": 0.0});
        assert!(
            serde_json::from_value::<Placement>(bad).is_err(),
            "a crop must leave something"
        );
    }
}
