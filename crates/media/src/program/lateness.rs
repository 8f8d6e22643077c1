//! How late sources deliver, and how late the program is: pure arithmetic on running times in nanoseconds.

/// A source that is later than this does not make the program wait longer.
const MOST: u64 = 1_000_000_000;
/// A source that has not delivered for so long is not waited for.
const DEAD_AFTER: u64 = 1_000_000_000;
/// What a healthy source may be later than it has been.
const MARGIN: u64 = 15_000_000;
/// How long a late delivery is remembered: one to two of these.
const MEMORY: u64 = 2_000_000_000;

/// How late one source's data arrives, lately.
#[derive(Debug, Default)]
pub(crate) struct Lateness {
    last_arrival: Option<u64>,
    turned_at: u64,
    before: u64,
    now: u64,
}

impl Lateness {
    /// Data for the running time `due` arrived at `now`.
    pub fn on_arrival(&mut self, due: u64, now: u64) {
        if now.saturating_sub(self.turned_at) > MEMORY {
            self.turned_at = now;
            self.before = std::mem::take(&mut self.now);
        }
        let late = now.saturating_sub(due);
        // A burst that makes up for a pause is seconds late; it says nothing of the data to come.
        if late <= MOST {
            self.now = self.now.max(late);
        }
        self.last_arrival = Some(now);
    }

    /// How long past its due time this source's data is worth waiting for. `None`: not at all.
    pub fn allowance(&self, now: u64) -> Option<u64> {
        let last = self.last_arrival?;
        (now.saturating_sub(last) < DEAD_AFTER).then(|| self.before.max(self.now) + MARGIN)
    }
}

/// Counts ticks that came late: whole frame times past the latest that was allowed, each once.
#[derive(Debug, Default)]
pub(crate) struct LateFrames {
    previous: u64,
}

impl LateFrames {
    /// The frame that was due by `due` is done at `done`. How many frame times the interval before it lost.
    pub fn on_frame(&mut self, due: u64, done: u64, frame_time: u64) -> u64 {
        let elapsed = done.saturating_sub(self.previous.max(due.saturating_sub(frame_time)));
        self.previous = done;
        (elapsed / frame_time).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const MS: u64 = 1_000_000;

    #[test]
    fn a_source_is_waited_for_as_long_as_it_usually_takes() {
        let mut lateness = Lateness::default();
        assert_eq!(lateness.allowance(0), None, "never delivered, never waited for");
        lateness.on_arrival(1000 * MS, 1040 * MS);
        lateness.on_arrival(1033 * MS, 1035 * MS);
        assert_eq!(lateness.allowance(1050 * MS), Some(55 * MS));
        assert_eq!(lateness.allowance(2100 * MS), None, "dead after a second");
    }

    #[test]
    fn old_lateness_is_forgotten_and_a_burst_counts_nothing() {
        let mut lateness = Lateness::default();
        lateness.on_arrival(0, 5000 * MS);
        lateness.on_arrival(5000 * MS, 5300 * MS);
        assert_eq!(lateness.allowance(5300 * MS), Some(315 * MS));
        for second in 6..=11 {
            lateness.on_arrival(second * 1000 * MS, second * 1000 * MS);
        }
        assert_eq!(lateness.allowance(11_000 * MS), Some(MARGIN));
    }

    #[test]
    fn frames_are_late_only_by_whole_frame_times_and_once() {
        let mut late = LateFrames::default();
        let frame = 33 * MS;
        assert_eq!(late.on_frame(100 * MS, 90 * MS, frame), 0, "early");
        assert_eq!(late.on_frame(133 * MS, 133 * MS, frame), 0, "on time");
        assert_eq!(
            late.on_frame(166 * MS, 190 * MS, frame),
            0,
            "not a whole frame late"
        );
        assert_eq!(
            late.on_frame(199 * MS, 300 * MS, frame),
            2,
            "110 ms since the last"
        );
        assert_eq!(
            late.on_frame(232 * MS, 301 * MS, frame),
            0,
            "caught up, counted before"
        );
        assert_eq!(
            late.on_frame(400 * MS, 400 * MS, frame),
            0,
            "an early frame before is no fault"
        );
    }
}
