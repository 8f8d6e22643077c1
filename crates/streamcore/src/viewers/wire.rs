//! What host and moderators are told of viewers.

use serde::Serialize;

/// The viewers of a show, in numbers. Nobody can be told by them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Watching {
    /// Who watch at this moment.
    pub now: u32,
    /// The most at a time.
    pub peak: u32,
    /// How many different ones, by address and browser: a home with two of the same browser is one, a laptop with two
    /// browsers is two.
    pub visitors: u64,
    /// How often somebody has come.
    pub joined: u64,
    /// How often somebody has left.
    pub departed: u64,
    /// How long one has watched on the average, in milliseconds.
    pub average_ms: u64,
    /// How long the one in the middle has watched, in milliseconds.
    pub median_ms: u64,
}

/// One show of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct ShowFigures {
    /// Its number.
    pub show: u64,
    /// When its picture began, in milliseconds since 1970 UTC.
    pub began_ms: u64,
    /// When it was over; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<u64>,
    /// Its viewers.
    pub watching: Watching,
}

/// One minute of a show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct CurvePoint {
    /// Its beginning, in milliseconds since 1970 UTC.
    pub minute_ms: u64,
    /// The most viewers at a time.
    pub viewers: u32,
    /// How often somebody came.
    pub joined: u32,
    /// How often somebody left.
    pub departed: u32,
    /// Messages that were said in the room.
    pub messages: u32,
    /// How often viewers opened a product.
    pub opened: u32,
    /// How often viewers went to put one into their cart.
    pub carted: u32,
}
