//! Legs that carry a rendition away.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{DestinationId, RenditionId, UserError};

/// One leg and its counters. It has its destination's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Output {
    /// Which destination it serves.
    pub id: DestinationId,
    /// What it is doing.
    pub state: OutputState,
    /// What it carries, once it runs.
    pub rendition: Option<RenditionId>,
    /// What left in the last seconds, kb/s; `None` while not measured.
    pub sent_kbps: Option<u32>,
    /// Bytes since the show began.
    #[ts(type = "number")]
    pub sent_bytes: u64,
    /// Frames that this destination's network could not carry, since the show began.
    pub dropped_frames: u32,
    /// Media waiting in its queue, in milliseconds.
    pub queue_ms: u32,
    /// Times that it came back.
    pub reconnects: u32,
    /// For a recording: file and room left.
    pub recording: Option<RecordingStatus>,
}

/// What an output is doing. Times are wall clock, milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
#[ts(export)]
pub enum OutputState {
    /// Not running.
    Idle,
    /// On its way, for the first time.
    Connecting,
    /// The far end has taken frames.
    Live {
        /// Since when.
        #[ts(type = "number")]
        since_ms: u64,
    },
    /// A recording that the host paused.
    Paused,
    /// Lost, and being tried again.
    Reconnecting {
        /// Which try comes next, from 1.
        attempt: u32,
        /// When, wall clock.
        #[ts(type = "number")]
        retry_at_ms: u64,
        /// What was lost, and why.
        error: UserError,
    },
    /// Given up until the host does something.
    Failed {
        /// Why, and what to do.
        error: UserError,
    },
    /// Sending what is left, closing its file.
    Stopping,
}

impl OutputState {
    /// One word for it, as on the wire: for the log and the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Live { .. } => "live",
            Self::Paused => "paused",
            Self::Reconnecting { .. } => "reconnecting",
            Self::Failed { .. } => "failed",
            Self::Stopping => "stopping",
        }
    }
}

/// A recording's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RecordingStatus {
    /// The file that is being written, or was last.
    pub path: String,
    /// Its size so far.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Files of this show, the present one included.
    pub parts: u32,
    /// Free on its disk.
    #[ts(type = "number")]
    pub free_bytes: u64,
    /// How long the disk lasts at the present rate, in seconds; `None` while not known.
    #[ts(type = "number | null")]
    pub seconds_left: Option<u64>,
}
