//! From a publisher's numbers and clocks to the room's.

use std::time::{Duration, Instant, SystemTime};

use super::packet::Track;

/// Sender reports tell the time between sound and picture only by difference, so both may be said to be this
/// much older than they are. It keeps them in the past: for a moment in the future str0m reports RTP time 0,
/// and the browser's sound and picture part company.
const WALLCLOCK_MARGIN: Duration = Duration::from_secs(2);

/// The room's clock as one in-process publisher drives it: one base for sound and picture.
#[derive(Debug)]
pub(crate) struct PtsClock {
    /// When the room began.
    room_start: Instant,
    /// Room time that was used already; the first unit comes after it.
    after: Duration,
    /// Room time minus PTS, in nanoseconds. Set by the first unit.
    offset_ns: Option<i128>,
    /// How much more than the margin the wall clock is set back.
    setback: Duration,
}

impl PtsClock {
    pub fn new(room_start: Instant, after: Duration) -> Self {
        Self {
            room_start,
            after,
            offset_ns: None,
            setback: Duration::ZERO,
        }
    }

    /// Room time of a presentation time. `None` for a PTS before the first one's room time zero.
    pub fn room_time(&mut self, pts: Duration, now: Instant) -> Option<Duration> {
        let elapsed = now.saturating_duration_since(self.room_start).max(self.after);
        let offset = *self
            .offset_ns
            .get_or_insert_with(|| elapsed.as_nanos() as i128 - pts.as_nanos() as i128);
        let ns = pts.as_nanos() as i128 + offset;
        u64::try_from(ns).ok().map(Duration::from_nanos)
    }

    /// The moment of a room time, never in the future.
    pub fn wallclock(&mut self, room_time: Duration, now: Instant) -> Instant {
        let at = self.room_start + room_time;
        let shifted = at
            .checked_sub(WALLCLOCK_MARGIN + self.setback)
            .unwrap_or(self.room_start);
        if shifted <= now {
            return shifted;
        }
        // The publisher's clock runs faster than ours (or its first unit came late): step back once, for sound
        // and picture alike.
        self.setback += shifted - now + WALLCLOCK_MARGIN;
        at.checked_sub(WALLCLOCK_MARGIN + self.setback).unwrap_or(now)
    }
}

/// Sequence numbers and timestamps of one track of a WHIP publisher, carried over into the room's.
#[derive(Debug)]
pub(crate) struct TrackMap {
    track: Track,
    /// Room number minus publisher's number.
    seq_offset: i128,
    /// Room ticks minus publisher's ticks.
    tick_offset: i128,
    /// The last sender report: its wall time and RTP time.
    report: Option<(SystemTime, u64)>,
}

impl TrackMap {
    /// Begins with the first packet of the track, which takes `next_seq` and the room time of its arrival.
    pub fn new(track: Track, first_seq: u64, first_ticks: u64, next_seq: u64, room_time: Duration) -> Self {
        Self {
            track,
            seq_offset: i128::from(next_seq) - i128::from(first_seq),
            tick_offset: i128::from(track.ticks(room_time)) - i128::from(first_ticks),
            report: None,
        }
    }

    /// The room's number; `None` for a packet from before the first one.
    pub fn seq(&self, seq: u64) -> Option<u64> {
        u64::try_from(i128::from(seq) + self.seq_offset).ok()
    }

    /// The room's ticks; `None` for a packet from before the room.
    pub fn ticks(&self, ticks: u64) -> Option<u64> {
        u64::try_from(i128::from(ticks) + self.tick_offset).ok()
    }

    /// Takes a sender report: its wall time and RTP time.
    pub fn on_report(&mut self, at: SystemTime, ticks: u64) {
        self.report = Some((at, ticks));
    }

    /// The publisher's wall clock at the given RTP time, once a report has come.
    pub fn publisher_wall(&self, ticks: u64) -> Option<SystemTime> {
        let (at, reported) = self.report?;
        let rate = self.track.clock_rate() as f64;
        if ticks >= reported {
            at.checked_add(Duration::from_secs_f64((ticks - reported) as f64 / rate))
        } else {
            at.checked_sub(Duration::from_secs_f64((reported - ticks) as f64 / rate))
        }
    }
}

/// A WHIP publisher's wall clock against ours: one offset for both tracks.
#[derive(Debug, Default)]
pub(crate) struct WallMap {
    anchor: Option<(SystemTime, Instant)>,
}

impl WallMap {
    /// Our moment for a moment of the publisher, never in the future.
    pub fn wallclock(&mut self, publisher: Option<SystemTime>, now: Instant) -> Instant {
        let fallback = now.checked_sub(WALLCLOCK_MARGIN).unwrap_or(now);
        let Some(publisher) = publisher else {
            return fallback;
        };
        let (their, our) = *self.anchor.get_or_insert((publisher, fallback));
        let ours = match publisher.duration_since(their) {
            Ok(later) => our + later,
            Err(earlier) => our.checked_sub(earlier.duration()).unwrap_or(fallback),
        };
        if ours <= now {
            return ours;
        }
        // Their clock was set forward: begin again, for both tracks.
        self.anchor = Some((publisher, fallback));
        fallback
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn sound_and_picture_of_one_moment_get_one_wallclock() {
        let start = Instant::now();
        let mut clock = PtsClock::new(start, Duration::ZERO);
        let now = start + 5000 * MS;
        let video = clock.room_time(100_000 * MS, now).expect("in range");
        // The audio of the same moment is fed 70 ms later: that must not matter.
        let later = now + 70 * MS;
        let audio = clock.room_time(100_000 * MS, later).expect("in range");
        assert_eq!(video, audio);
        assert_eq!(clock.wallclock(video, now), clock.wallclock(audio, later));
    }

    #[test]
    fn a_publisher_that_began_with_a_burst_is_followed_by_later_stamps() {
        let start = Instant::now();
        let now = start + 1000 * MS;
        let mut first = PtsClock::new(start, Duration::ZERO);
        first.room_time(Duration::ZERO, now);
        let last = first.room_time(3000 * MS, now + 1000 * MS).expect("in range");
        let mut second = PtsClock::new(start, last);
        let next = second.room_time(50 * MS, now + 1100 * MS).expect("in range");
        assert!(next >= last, "{next:?} after {last:?}");
    }

    #[test]
    fn a_wallclock_is_never_in_the_future() {
        let start = Instant::now();
        let mut clock = PtsClock::new(start, Duration::ZERO);
        let now = start + 5000 * MS;
        clock.room_time(Duration::ZERO, now);
        // A burst: ten seconds of media at once.
        let ahead = clock.room_time(10_000 * MS, now).expect("in range");
        assert!(clock.wallclock(ahead, now) <= now);
        let mut wall = WallMap::default();
        let epoch = SystemTime::UNIX_EPOCH;
        wall.wallclock(Some(epoch), now);
        assert!(wall.wallclock(Some(epoch + 60_000 * MS), now) <= now);
    }

    #[test]
    fn a_replaced_publisher_goes_on_in_the_rooms_numbers() {
        let map = TrackMap::new(Track::Video, 40_000, 7_000_000, 512, 10_000 * MS);
        assert_eq!(map.seq(40_000), Some(512));
        assert_eq!(map.seq(40_003), Some(515), "a gap of the publisher stays a gap");
        assert_eq!(map.ticks(7_003_000), Some(903_000));
        assert_eq!(map.seq(39_000), None, "before the room there is nothing");
    }

    #[test]
    fn reports_of_both_tracks_meet_on_one_clock() {
        let epoch = SystemTime::UNIX_EPOCH;
        let mut video = TrackMap::new(Track::Video, 0, 0, 0, Duration::ZERO);
        let mut audio = TrackMap::new(Track::Audio, 0, 0, 0, Duration::ZERO);
        video.on_report(epoch + 1000 * MS, 90_000);
        audio.on_report(epoch + 1500 * MS, 4_800);
        assert_eq!(video.publisher_wall(180_000), Some(epoch + 2000 * MS));
        assert_eq!(audio.publisher_wall(4_800 + 24_000), Some(epoch + 2000 * MS));
        let now = Instant::now();
        let mut wall = WallMap::default();
        let a = wall.wallclock(video.publisher_wall(180_000), now);
        let b = wall.wallclock(audio.publisher_wall(28_800), now + 40 * MS);
        assert_eq!(a, b);
    }

    #[test]
    fn ticks_do_not_overflow_in_a_long_show() {
        assert_eq!(
            Track::Video.ticks(Duration::from_secs(86_400 * 30)),
            90_000 * 86_400 * 30
        );
    }
}
