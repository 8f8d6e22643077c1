//! What the meters show. Travels beside the events, latest only.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Db, SourceId};

/// All meters at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Meters {
    /// Sources with sound, before the fader.
    pub strips: Vec<StripMeter>,
    /// The master, as it goes out.
    pub master: Levels,
    /// The master's loudness.
    pub loudness: Loudness,
}

/// One source's meter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct StripMeter {
    /// Whose.
    pub source: SourceId,
    /// Its levels before fader and mute.
    pub levels: Levels,
    /// Its loudness before fader and mute.
    pub loudness: Loudness,
}

/// Levels of a stereo signal since the previous tick, left then right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Levels {
    /// Left.
    pub left: ChannelLevel,
    /// Right.
    pub right: ChannelLevel,
}

/// One channel's levels, dBFS, clamped to `-96.0..=24.0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ChannelLevel {
    /// Largest sample.
    pub peak: Db,
    /// Root of the mean square; a full-scale sine reads −3.0.
    pub rms: Db,
}

/// Loudness by EBU R 128, in LUFS; `None` when there is not yet enough sound, or only silence.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Loudness {
    /// Over 400 ms.
    pub momentary: Option<f32>,
    /// Over 3 s.
    pub short_term: Option<f32>,
    /// Since the show began, or the engine started when off air; gated.
    pub integrated: Option<f32>,
}

impl Levels {
    /// Nothing to hear.
    pub const SILENCE: Self = Self {
        left: ChannelLevel {
            peak: Db::SILENCE,
            rms: Db::SILENCE,
        },
        right: ChannelLevel {
            peak: Db::SILENCE,
            rms: Db::SILENCE,
        },
    };
}
