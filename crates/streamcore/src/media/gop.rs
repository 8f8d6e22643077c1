//! The pictures since the last keyframe, kept for those who come later.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::packet::{Packet, Track};

/// Ticks between two replayed frames: 1 ms. Squeezed like this a decoder runs through the group at once and
/// ends at the live frame; with the original stamps the browser would play it out and stay behind.
const REPLAY_STEP: u64 = 90;

/// The current group of pictures of a room, in the order of its numbers.
#[derive(Debug)]
pub(crate) struct GopCache {
    packets: VecDeque<Packet>,
    bytes: usize,
    began: Option<Instant>,
    /// The newest frame began with parameter sets and no picture yet.
    awaiting_idr: bool,
    max_bytes: usize,
    max_duration: Duration,
}

impl GopCache {
    pub fn new(max_bytes: usize, max_duration: Duration) -> Self {
        Self {
            packets: VecDeque::new(),
            bytes: 0,
            began: None,
            awaiting_idr: false,
            max_bytes,
            max_duration,
        }
    }

    pub fn clear(&mut self) {
        self.packets.clear();
        self.bytes = 0;
        self.began = None;
        self.awaiting_idr = false;
    }

    /// Takes the next packet of the picture.
    ///
    /// A group that grows over its bounds is thrown away: half of one is of no use to a decoder.
    pub fn push(&mut self, packet: &Packet, sps: bool, now: Instant) {
        debug_assert_eq!(packet.track, Track::Video);
        let same_frame = self.packets.back().is_some_and(|last| last.ticks == packet.ticks);
        let is_newest = self.packets.back().is_none_or(|last| last.seq < packet.seq);
        if packet.keyframe && is_newest {
            // Parameter sets and their picture are one beginning, also when they come with two stamps.
            if !same_frame && !self.awaiting_idr {
                self.clear();
                self.began = Some(now);
            }
            self.awaiting_idr = sps;
        }
        let Some(began) = self.began else { return };
        if now.saturating_duration_since(began) > self.max_duration
            || self.bytes + packet.payload.len() > self.max_bytes
        {
            self.clear();
            return;
        }
        // A resent packet comes late and belongs in its place.
        let at = self
            .packets
            .iter()
            .rposition(|p| p.seq < packet.seq)
            .map_or(0, |i| i + 1);
        if self.packets.get(at).is_some_and(|p| p.seq == packet.seq) {
            return;
        }
        if at == 0 && !self.packets.is_empty() {
            return;
        }
        self.bytes += packet.payload.len();
        self.packets.insert(at, packet.clone());
    }

    /// How long ago the keyframe came; `None` without a group.
    pub fn age(&self, now: Instant) -> Option<Duration> {
        self.began
            .filter(|_| !self.packets.is_empty())
            .map(|began| now.saturating_duration_since(began))
    }

    /// The group with its stamps squeezed to 1 ms a frame, ending at the newest frame's own stamp.
    pub fn replay(&self) -> Vec<Packet> {
        let Some(last) = self.packets.back() else {
            return Vec::new();
        };
        let pairs = self.packets.iter().zip(self.packets.iter().skip(1));
        // Frames still to come after the one at hand.
        let mut to_come = pairs.filter(|(a, b)| a.ticks != b.ticks).count() as u64;
        let mut replay = Vec::with_capacity(self.packets.len());
        let mut current = None;
        for packet in &self.packets {
            if current.is_some_and(|ticks| ticks != packet.ticks) {
                to_come -= 1;
            }
            current = Some(packet.ticks);
            let mut packet = packet.clone();
            packet.ticks = last.ticks.saturating_sub(to_come * REPLAY_STEP);
            packet.wallclock = last
                .wallclock
                .checked_sub(Duration::from_millis(to_come))
                .unwrap_or(last.wallclock);
            replay.push(packet);
        }
        replay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(seq: u64, frame: u64, keyframe: bool) -> Packet {
        Packet {
            track: Track::Video,
            seq,
            ticks: 900_000 + frame * 3000,
            wallclock: Instant::now(),
            marker: false,
            keyframe,
            payload: vec![0u8; 1000].into(),
        }
    }

    fn cache() -> GopCache {
        GopCache::new(100_000, Duration::from_secs(4))
    }

    fn seqs(cache: &GopCache) -> Vec<u64> {
        cache.replay().iter().map(|p| p.seq).collect()
    }

    #[test]
    fn a_keyframe_begins_a_new_group() {
        let (mut cache, now) = (cache(), Instant::now());
        cache.push(&packet(1, 0, false), false, now);
        assert!(cache.replay().is_empty(), "nothing to begin with");
        for (seq, frame, key) in [
            (2, 1, true),
            (3, 1, false),
            (4, 2, false),
            (5, 3, true),
            (6, 4, false),
        ] {
            cache.push(&packet(seq, frame, key), false, now);
        }
        assert_eq!(seqs(&cache), [5, 6]);
    }

    #[test]
    fn parameter_sets_with_their_own_stamp_belong_to_the_picture_after_them() {
        let (mut cache, now) = (cache(), Instant::now());
        cache.push(&packet(1, 0, true), true, now);
        cache.push(&packet(2, 1, true), false, now);
        cache.push(&packet(3, 2, false), false, now);
        assert_eq!(seqs(&cache), [1, 2, 3]);
    }

    #[test]
    fn replayed_frames_are_a_millisecond_apart_and_end_at_the_live_one() {
        let (mut cache, now) = (cache(), Instant::now());
        cache.push(&packet(1, 0, true), false, now);
        cache.push(&packet(2, 0, false), false, now);
        cache.push(&packet(3, 1, false), false, now);
        cache.push(&packet(4, 2, false), false, now);
        cache.push(&packet(5, 2, false), false, now);
        let live = packet(5, 2, false).ticks;
        let ticks: Vec<u64> = cache.replay().iter().map(|p| p.ticks).collect();
        assert_eq!(ticks, [live - 180, live - 180, live - 90, live, live]);
    }

    #[test]
    fn a_single_keyframe_is_replayed_with_its_own_stamp() {
        let (mut cache, now) = (cache(), Instant::now());
        cache.push(&packet(1, 7, true), false, now);
        assert_eq!(cache.replay()[0].ticks, packet(1, 7, true).ticks);
    }

    #[test]
    fn a_late_packet_finds_its_place_and_a_double_is_dropped() {
        let (mut cache, now) = (cache(), Instant::now());
        for (seq, frame) in [(1, 0), (2, 1), (4, 3), (3, 2), (3, 2), (0, 0)] {
            cache.push(&packet(seq, frame, seq == 1), false, now);
        }
        assert_eq!(seqs(&cache), [1, 2, 3, 4]);
    }

    #[test]
    fn a_group_over_its_bounds_is_thrown_away_whole() {
        let (mut cache, now) = (cache(), Instant::now());
        cache.push(&packet(1, 0, true), false, now);
        for seq in 2..200 {
            cache.push(&packet(seq, seq, false), false, now);
        }
        assert!(cache.replay().is_empty(), "100 KB are the bound");
        cache.push(&packet(300, 300, true), false, now);
        cache.push(&packet(301, 301, false), false, now + Duration::from_secs(5));
        assert!(cache.replay().is_empty(), "4 s are the bound");
        assert_eq!(cache.age(now), None);
    }
}
