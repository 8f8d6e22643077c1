//! How it goes: numbers of the laptop, and troubles that fail no command.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{DestinationId, Params, Severity, SourceId};

/// A trouble, raised once and cleared once. Its sentence stands in the catalogues under `health_{code}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HealthIssue {
    /// What it is.
    pub code: HealthCode,
    /// How bad.
    pub severity: Severity,
    /// Since when, wall clock, milliseconds since 1970.
    #[ts(type = "number")]
    pub since_ms: u64,
    /// Which source it is about, if any.
    pub source: Option<SourceId>,
    /// Which destination it is about, if any.
    pub destination: Option<DestinationId>,
    /// Names and numbers for its sentence.
    pub params: Params,
}

/// Kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum HealthCode {
    /// The laptop cannot compose in time: `late`, frames in the last 10 s.
    LateFrames,
    /// An encoder is too slow: `skipped`, frames in the last 10 s.
    SkippedFrames,
    /// A destination's network cannot carry the rendition: `destination`, `dropped`, frames in the last 10 s.
    DroppedFrames,
    /// An output is being tried again: `destination`.
    OutputReconnecting,
    /// An output has given up: `destination`.
    OutputFailed,
    /// A source is waiting or failed: `source`.
    SourceLost,
    /// Disk under 5 GB: `free_mb`; under 1 GB it is an error.
    DiskLow,
    /// The engine came back after a crash.
    EngineRecovered,
    /// Secrets stand in a file beside the database, because this system has no keyring.
    KeyringFallback,
}

/// The laptop's numbers; `None` is "not measured", never 0.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Laptop {
    /// Of the engine, in percent of one core.
    pub engine_cpu_percent: Option<f32>,
    /// Of the machine, 0 to 100.
    pub machine_cpu_percent: Option<f32>,
    /// Resident memory of the engine.
    #[ts(type = "number | null")]
    pub memory_bytes: Option<u64>,
    /// Program frames made since the engine started.
    #[ts(type = "number")]
    pub frames: u64,
    /// Program frames a second over the last seconds.
    pub fps: Option<f32>,
    /// Frames that the compositor made too late, since the show began.
    pub late_frames: u32,
    /// Frames that an encoder had no time for, since the show began.
    pub skipped_frames: u32,
}
