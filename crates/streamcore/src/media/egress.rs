//! What one viewer gets: when its picture begins, under which numbers, and how fast.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::gop::GopCache;
use super::packet::{Packet, Track};

/// Packets that leave at once; the rest of a large frame or a replay follows in portions of as many, one a
/// millisecond. A burst of 300 packets is lost in the buffers of a home network.
const PORTION: usize = 16;
const PORTION_EVERY: Duration = Duration::from_millis(1);
/// A viewer that cannot keep up with this many queued packets begins again with the next keyframe.
const MAX_QUEUE: usize = 8192;
/// How long a viewer waits for the keyframe that was asked for it, before it gets the cached pictures.
const FRESH_WITHIN: Duration = Duration::from_millis(300);

/// One track's numbers at this viewer.
#[derive(Debug)]
struct Numbers {
    /// Room number of the first packet.
    first: u64,
    /// Its number on the wire. Under 65 536: a first number with rollover would break SRTP (RFC 3711 3.3.1).
    wire: u64,
    /// Added to the room's ticks: RFC 3550 section 5.1 wants a random start.
    ticks: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Picture {
    /// Since when a keyframe is waited for.
    Waiting(Instant),
    Playing,
    /// The viewer asked for sound only.
    None,
}

/// How a viewer may begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StartPolicy {
    /// Whether the publisher can be asked for a keyframe at once and without a network between.
    pub asks_encoder: bool,
    /// A group of pictures younger than this is replayed instead of asking.
    pub keyframe_interval: Duration,
}

/// One viewer's sending side.
#[derive(Debug)]
pub(crate) struct Egress {
    picture: Picture,
    asked: bool,
    video: Option<Numbers>,
    audio: Option<Numbers>,
    queue: VecDeque<Packet>,
    next_portion: Option<Instant>,
}

/// A packet with this viewer's numbers.
#[derive(Debug)]
pub(crate) struct Addressed {
    pub packet: Packet,
    pub seq: u64,
    pub rtp_time: u32,
}

impl Egress {
    pub fn new(has_video: bool, now: Instant) -> Self {
        Self {
            picture: if has_video {
                Picture::Waiting(now)
            } else {
                Picture::None
            },
            asked: false,
            video: None,
            audio: None,
            queue: VecDeque::new(),
            next_portion: None,
        }
    }

    pub fn waiting(&self) -> bool {
        matches!(self.picture, Picture::Waiting(_))
    }

    /// Begins anew: the connection has only just been made, or the viewer fell behind.
    pub fn wait(&mut self, now: Instant) {
        if self.picture != Picture::None {
            self.picture = Picture::Waiting(now);
            self.asked = false;
            self.queue.clear();
        }
    }

    /// Begins if there is something to begin with. `true` asks for a keyframe instead.
    pub fn try_start(&mut self, gop: &GopCache, policy: StartPolicy, now: Instant) -> bool {
        let Picture::Waiting(since) = self.picture else {
            return false;
        };
        let Some(age) = gop.age(now) else {
            return !std::mem::replace(&mut self.asked, true);
        };
        let waited = now.saturating_duration_since(since);
        let fresh = age <= waited;
        let begin_now =
            fresh || !policy.asks_encoder || age < policy.keyframe_interval || waited >= FRESH_WITHIN;
        if !begin_now {
            return !std::mem::replace(&mut self.asked, true);
        }
        self.picture = Picture::Playing;
        self.queue.extend(gop.replay());
        false
    }

    /// Takes a packet of the room. What may leave now is given by `next`.
    pub fn push(&mut self, packet: &Packet, room_has_video: bool) {
        let wanted = match (packet.track, self.picture) {
            (Track::Video, Picture::Playing) => true,
            (Track::Video, _) => false,
            // Sound without its picture only where there is no picture.
            (Track::Audio, Picture::Waiting(_)) => !room_has_video,
            (Track::Audio, _) => true,
        };
        if wanted {
            self.queue.push_back(packet.clone());
        }
    }

    /// The next portion to send now, at most `PORTION` pictures' packets; sound is never held back.
    pub fn take_portion(&mut self, now: Instant) -> Vec<Addressed> {
        if self.queue.len() > MAX_QUEUE {
            tracing::debug!(packets = self.queue.len(), "viewer fell behind, begins again");
            self.wait(now);
        }
        let may_send = self.next_portion.is_none_or(|at| at <= now);
        let mut video_left = if may_send { PORTION } else { 0 };
        let mut kept = VecDeque::new();
        let mut portion = Vec::new();
        while let Some(packet) = self.queue.pop_front() {
            let is_video = packet.track == Track::Video;
            if is_video && video_left == 0 {
                kept.push_back(packet);
                // Without sound in the queue the rest stays as it is.
                if self.queue.iter().all(|p| p.track == Track::Video) {
                    kept.append(&mut self.queue);
                }
                continue;
            }
            if is_video {
                video_left -= 1;
            }
            portion.extend(self.address(packet));
        }
        self.queue = kept;
        if may_send {
            self.next_portion = (!self.queue.is_empty()).then_some(now + PORTION_EVERY);
        }
        portion
    }

    /// When the next portion is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.next_portion
    }

    fn address(&mut self, packet: Packet) -> Option<Addressed> {
        let slot = match packet.track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        };
        let numbers = slot.get_or_insert_with(|| Numbers {
            first: packet.seq,
            wire: u64::from(rand::random::<u16>() >> 2),
            ticks: rand::random(),
        });
        // Resent by the publisher from before this viewer began: of no use to it.
        let seq = packet.seq.checked_sub(numbers.first)? + numbers.wire;
        let rtp_time = (packet.ticks as u32).wrapping_add(numbers.ticks);
        Some(Addressed {
            packet,
            seq,
            rtp_time,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const ENCODER: StartPolicy = StartPolicy {
        asks_encoder: true,
        keyframe_interval: Duration::from_secs(1),
    };
    const NETWORK: StartPolicy = StartPolicy {
        asks_encoder: false,
        keyframe_interval: Duration::from_secs(1),
    };

    fn packet(track: Track, seq: u64, frame: u64, keyframe: bool) -> Packet {
        Packet {
            track,
            seq,
            ticks: frame * 3000,
            wallclock: Instant::now(),
            marker: true,
            keyframe,
            payload: vec![0u8; 100].into(),
        }
    }

    fn group(now: Instant, frames: u64) -> GopCache {
        let mut gop = GopCache::new(1 << 20, Duration::from_secs(4));
        for n in 0..frames {
            gop.push(&packet(Track::Video, 70_000 + n, n, n == 0), false, now);
        }
        gop
    }

    #[test]
    fn a_late_joiner_of_a_network_publisher_begins_with_the_cached_pictures() {
        let now = Instant::now();
        let mut egress = Egress::new(true, now);
        assert!(!egress.try_start(&group(now - 1500 * MS, 10), NETWORK, now));
        let portion = egress.take_portion(now);
        assert_eq!(portion.len(), 10);
        assert!(portion[0].packet.keyframe);
        assert!(portion[0].seq < 65_536, "no rollover at the start");
        assert_eq!(portion[9].seq, portion[0].seq + 9, "numbers without a gap");
    }

    #[test]
    fn an_encoder_is_asked_and_waited_for_but_not_for_long() {
        let now = Instant::now();
        let old = group(now - 1500 * MS, 10);
        let mut egress = Egress::new(true, now);
        assert!(egress.try_start(&old, ENCODER, now), "asks");
        assert!(!egress.try_start(&old, ENCODER, now + 50 * MS), "asks once");
        assert!(egress.waiting());
        let fresh = group(now + 60 * MS, 1);
        assert!(!egress.try_start(&fresh, ENCODER, now + 60 * MS));
        assert!(!egress.waiting(), "begins with the fresh keyframe");

        let mut egress = Egress::new(true, now);
        egress.try_start(&old, ENCODER, now);
        egress.try_start(&old, ENCODER, now + 300 * MS);
        assert!(!egress.waiting(), "begins with the cache when no keyframe comes");
    }

    #[test]
    fn within_a_second_of_a_keyframe_nobody_is_asked() {
        let now = Instant::now();
        let mut egress = Egress::new(true, now);
        assert!(!egress.try_start(&group(now - 900 * MS, 27), ENCODER, now));
        assert!(!egress.waiting());
    }

    #[test]
    fn a_replay_is_paced_and_sound_passes_it() {
        let now = Instant::now();
        let mut egress = Egress::new(true, now);
        egress.try_start(&group(now, 40), NETWORK, now);
        egress.push(&packet(Track::Audio, 5, 1, false), true);
        let first = egress.take_portion(now);
        assert_eq!(first.len(), PORTION + 1, "one portion of pictures, and the sound");
        assert_eq!(egress.take_portion(now).len(), 0, "not yet");
        assert_eq!(egress.deadline(), Some(now + MS));
        assert_eq!(egress.take_portion(now + MS).len(), PORTION);
        assert_eq!(egress.take_portion(now + 2 * MS).len(), 8);
        assert_eq!(egress.deadline(), None);
    }

    #[test]
    fn sound_waits_for_its_picture_unless_there_is_none() {
        let now = Instant::now();
        let mut egress = Egress::new(true, now);
        egress.push(&packet(Track::Audio, 5, 1, false), true);
        assert!(egress.take_portion(now).is_empty());
        egress.push(&packet(Track::Audio, 6, 2, false), false);
        assert_eq!(egress.take_portion(now).len(), 1);
        let mut radio = Egress::new(false, now);
        radio.push(&packet(Track::Audio, 7, 3, false), true);
        assert_eq!(
            radio.take_portion(now).len(),
            1,
            "a viewer without a video section hears at once"
        );
    }

    #[test]
    fn packets_from_before_the_beginning_are_not_sent() {
        let now = Instant::now();
        let mut egress = Egress::new(true, now);
        egress.try_start(&group(now, 2), NETWORK, now);
        assert_eq!(egress.take_portion(now).len(), 2);
        egress.push(&packet(Track::Video, 69_999, 0, false), true);
        assert!(egress.take_portion(now).is_empty());
    }
}
