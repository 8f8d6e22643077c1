//! Quantities with their unit and range.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A number outside the range of its type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangeError {
    /// Smallest value that is taken.
    pub least: f64,
    /// Largest value that is taken.
    pub most: f64,
}

impl std::fmt::Display for RangeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "be within {} and {}", self.least, self.most)
    }
}

impl std::error::Error for RangeError {}

/// A level or a gain in decibels, `-96.0..=24.0`. As a gain `-96.0` is silence; as a level (dBFS) 0.0 is full scale.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, TS)]
#[serde(try_from = "f32", into = "f32")]
#[ts(export, type = "number")]
pub struct Db(f32);

impl Db {
    /// Silence.
    pub const SILENCE: Self = Self(-96.0);
    /// Unchanged, as a gain; full scale, as a level.
    pub const ZERO: Self = Self(0.0);
    /// The most that a fader adds.
    pub const MOST: Self = Self(24.0);

    /// Nearest value in range; not a number is silence.
    pub fn clamped(value: f32) -> Self {
        if value.is_nan() {
            Self::SILENCE
        } else {
            Self(value.clamp(Self::SILENCE.0, Self::MOST.0))
        }
    }

    /// The decibels.
    pub fn value(self) -> f32 {
        self.0
    }

    /// As a factor of amplitude; silence is exactly 0.
    pub fn amplitude(self) -> f64 {
        if self.0 <= Self::SILENCE.0 {
            0.0
        } else {
            10f64.powf(f64::from(self.0) / 20.0)
        }
    }

    /// From a factor of amplitude, clamped.
    pub fn from_amplitude(amplitude: f32) -> Self {
        if amplitude > 0.0 {
            Self::clamped(20.0 * amplitude.log10())
        } else {
            Self::SILENCE
        }
    }
}

impl TryFrom<f32> for Db {
    type Error = RangeError;
    fn try_from(value: f32) -> Result<Self, RangeError> {
        if (Self::SILENCE.0..=Self::MOST.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(RangeError {
                least: Self::SILENCE.0.into(),
                most: Self::MOST.0.into(),
            })
        }
    }
}

impl From<Db> for f32 {
    fn from(db: Db) -> f32 {
        db.0
    }
}

/// A bit rate in thousands of bits a second, `32..=60_000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(try_from = "u32", into = "u32")]
#[ts(export, type = "number")]
pub struct KilobitsPerSecond(u32);

impl KilobitsPerSecond {
    /// The rate in kb/s.
    pub fn value(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for KilobitsPerSecond {
    type Error = RangeError;
    fn try_from(value: u32) -> Result<Self, RangeError> {
        if (32..=60_000).contains(&value) {
            Ok(Self(value))
        } else {
            Err(RangeError {
                least: 32.0,
                most: 60_000.0,
            })
        }
    }
}

impl From<KilobitsPerSecond> for u32 {
    fn from(rate: KilobitsPerSecond) -> u32 {
        rate.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_exactly_nothing_and_zero_changes_nothing() {
        assert_eq!(Db::SILENCE.amplitude(), 0.0);
        assert_eq!(Db::ZERO.amplitude(), 1.0);
        assert_eq!(Db::from_amplitude(0.0), Db::SILENCE);
        assert_eq!(Db::clamped(f32::NAN), Db::SILENCE, "a meter never shows NaN");
        assert!((Db::from_amplitude(0.5).value() + 6.02).abs() < 0.01);
    }

    #[test]
    fn numbers_outside_their_range_do_not_parse() {
        assert!(serde_json::from_str::<Db>("24.5").is_err());
        assert!(serde_json::from_str::<Db>("-96.5").is_err());
        assert!(serde_json::from_str::<KilobitsPerSecond>("31").is_err());
        assert!(serde_json::from_str::<KilobitsPerSecond>("60001").is_err());
    }
}
