//! Messages of the control WebSocket, JSON in text frames. Pictures are binary frames: [`crate::PictureHeader`].

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Command, Event, Meters, Reply, State, UserError};

/// Version of these messages; a desk of another one is told so.
pub const PROTOCOL_VERSION: u32 = 1;

/// Most bytes that a client's message has.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// From a desk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export)]
pub enum ClientMessage {
    /// First, within five seconds, once.
    Hello {
        /// [`PROTOCOL_VERSION`].
        version: u32,
        /// What the engine printed at its start.
        token: String,
    },
    /// Do something. Answered exactly once, with the same number.
    Command {
        /// The desk's own number.
        id: u32,
        /// What to do.
        command: Command,
    },
    /// Which streams beside the events this desk wants; nothing until it is said.
    Watch(Watch),
}

/// Streams beside the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Watch {
    /// The program's picture, up to 30 a second.
    pub program: bool,
    /// The preview's picture, up to 15 a second, in studio mode.
    pub preview: bool,
    /// Small pictures of sources and tried devices, one every two seconds (devices: five a second).
    pub thumbnails: bool,
    /// Meters, 20 a second.
    pub meters: bool,
}

/// To a desk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[ts(export)]
#[expect(
    clippy::large_enum_variant,
    reason = "a welcome is sent once, events are boxed nowhere else either"
)]
pub enum ServerMessage {
    /// The token was right: the state to start with.
    Welcome {
        /// Number of the last event in it.
        #[ts(type = "number")]
        revision: u64,
        /// The engine's version, for the about box.
        engine: String,
        /// Everything.
        state: State,
    },
    /// The connection cannot go on; it closes after this.
    Refused {
        /// Why.
        error: UserError,
    },
    /// Something changed. Revisions count by one: a gap means reconnect.
    Event {
        /// Its number.
        #[ts(type = "number")]
        revision: u64,
        /// What is new.
        event: Event,
    },
    /// A command was done.
    Done {
        /// The desk's number.
        id: u32,
        /// What came of it.
        reply: Reply,
    },
    /// A command was not done; nothing has changed.
    Failed {
        /// The desk's number.
        id: u32,
        /// Why, and what to do.
        error: UserError,
    },
    /// Levels and loudness.
    Meters(Meters),
}
