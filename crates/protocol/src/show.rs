//! One live event.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The present show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Show {
    /// What viewers read above the picture, at most 140 characters.
    pub title: String,
    /// Where it stands.
    pub phase: ShowPhase,
}

/// The lamp. Times are wall clock, milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "phase", rename_all = "snake_case")]
#[ts(export)]
pub enum ShowPhase {
    /// Nothing leaves this computer.
    OffAir,
    /// Outputs are connecting; none is live yet.
    GoingLive,
    /// At least one output is live.
    Live {
        /// Since the first output was live.
        #[ts(type = "number")]
        since_ms: u64,
    },
    /// It was live; now every output is being tried again, or the engine came back after a crash.
    Recovering {
        /// Since the show was first live.
        #[ts(type = "number")]
        since_ms: u64,
    },
    /// Outputs are closing.
    Ending,
}

impl ShowPhase {
    /// A show is running or about to: what may only change off air may not change now.
    pub fn on_air(self) -> bool {
        !matches!(self, Self::OffAir)
    }
}
