//! One RTP packet of a room, before it is addressed to a viewer.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// Which of a room's two tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Track {
    Video,
    Audio,
}

impl Track {
    /// RTP clock in ticks a second: RFC 6184 and RFC 7587.
    pub const fn clock_rate(self) -> u64 {
        match self {
            Self::Video => 90_000,
            Self::Audio => 48_000,
        }
    }

    pub fn ticks(self, time: Duration) -> u64 {
        // 128 bits: nanoseconds times 90 000 overflow 64 bits after 57 hours.
        let ticks = time.as_nanos() * u128::from(self.clock_rate()) / 1_000_000_000;
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    pub fn time(self, ticks: u64) -> Duration {
        let rate = self.clock_rate();
        Duration::from_secs(ticks / rate) + Duration::from_nanos(ticks % rate * 1_000_000_000 / rate)
    }
}

/// One RTP packet of a room. Cheap to clone: the payload is shared by all viewers and the cache.
///
/// Numbers and times are the room's, not the publisher's: they go on when the publisher is replaced, so that
/// viewers notice nothing but a pause.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub track: Track,
    /// Number within the track. Gaps are packets that the publisher lost on the way.
    pub seq: u64,
    /// Time of the frame in ticks of the track's clock since the room began.
    pub ticks: u64,
    /// The same moment on this machine's clock, equal for sound and picture that belong together. In the past.
    pub wallclock: Instant,
    pub marker: bool,
    /// A decoder can begin with the frame that this packet begins.
    pub keyframe: bool,
    pub payload: Arc<[u8]>,
}
