//! Who watches one show, as a pure function of what happens and when. No I/O, no clock of its own.

use std::collections::HashMap;

use super::wire::Watching;
use crate::room::{MINUTE_MS, ViewerId};

/// Whoever watches, for one show: see [`super::mark`].
pub type Visitor = [u8; 16];

/// Visitors who are told apart. Whoever comes after them is counted each time, and their time is not.
const MOST_VISITORS: usize = 100_000;
/// A clock that leaps further than this was set: the minutes between have not been.
const LEAP: u64 = 1440;

/// One minute of a show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    /// Since 1970 UTC.
    pub minute: u64,
    /// The most at a time.
    pub viewers: u32,
    pub joined: u32,
    pub departed: u32,
}

/// How long one visitor has watched.
#[derive(Debug, Clone, Copy)]
struct Watched {
    /// Until it last left.
    before_ms: u64,
    /// Its pages that are open.
    open: u32,
    /// Since when there is one.
    since_ms: u64,
}

impl Watched {
    fn until(&self, now_ms: u64) -> u64 {
        if self.open == 0 {
            self.before_ms
        } else {
            self.before_ms + now_ms.saturating_sub(self.since_ms)
        }
    }
}

/// What was kept of a show that goes on after its server was away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    pub peak: u32,
    pub joined: u64,
    pub departed: u64,
    /// Also of those who were not told apart.
    pub visitors: u64,
    /// How often somebody came and left in the minute in which it was written last.
    pub minute: (u32, u32),
    pub watched: Vec<(Visitor, u64)>,
}

/// The viewers of one show.
#[derive(Debug)]
pub struct Attendance {
    /// Those who are there: a visitor where they are told apart.
    here: HashMap<ViewerId, Option<Visitor>>,
    watched: HashMap<Visitor, Watched>,
    /// Visitors whose time has changed since it was last asked for.
    changed: Vec<Visitor>,
    uncounted: u64,
    peak: u32,
    joined: u64,
    departed: u64,
    minute: Minute,
}

impl Attendance {
    /// From this moment on: the one when it was written last, or when it begins.
    pub fn new(kept: Kept, now_ms: u64) -> Self {
        let (joined, departed) = kept.minute;
        let known = kept.watched.len() as u64;
        let watched = kept.watched.into_iter().map(|(visitor, before_ms)| {
            let time = Watched {
                before_ms,
                open: 0,
                since_ms: 0,
            };
            (visitor, time)
        });
        Self {
            here: HashMap::new(),
            watched: watched.collect(),
            changed: Vec::new(),
            uncounted: kept.visitors.saturating_sub(known),
            peak: kept.peak,
            joined: kept.joined,
            departed: kept.departed,
            minute: Minute {
                minute: now_ms / MINUTE_MS,
                viewers: 0,
                joined,
                departed,
            },
        }
    }

    /// Somebody's picture begins. Gives the minutes that are over by now.
    pub fn join(&mut self, viewer: ViewerId, visitor: Visitor, now_ms: u64) -> Vec<Minute> {
        let over = self.pass(now_ms);
        let known = self.watched.contains_key(&visitor) || self.watched.len() < MOST_VISITORS;
        if self.here.insert(viewer, known.then_some(visitor)).is_some() {
            return over;
        }
        if known {
            let time = self.watched.entry(visitor).or_insert(Watched {
                before_ms: 0,
                open: 0,
                since_ms: now_ms,
            });
            if time.open == 0 {
                time.since_ms = now_ms;
            }
            time.open += 1;
            self.changed.push(visitor);
        } else {
            self.uncounted += 1;
        }
        self.joined += 1;
        self.minute.joined += 1;
        self.peak = self.peak.max(self.now());
        self.minute.viewers = self.minute.viewers.max(self.now());
        over
    }

    /// Somebody is gone.
    pub fn leave(&mut self, viewer: ViewerId, now_ms: u64) -> Vec<Minute> {
        let over = self.pass(now_ms);
        let Some(visitor) = self.here.remove(&viewer) else {
            return over;
        };
        self.departed += 1;
        self.minute.departed += 1;
        if let Some(visitor) = visitor
            && let Some(time) = self.watched.get_mut(&visitor)
        {
            time.open -= 1;
            if time.open == 0 {
                time.before_ms += now_ms.saturating_sub(time.since_ms);
            }
            self.changed.push(visitor);
        }
        over
    }

    /// Time goes by. Gives the minutes that are over by now, also those in which nothing happened.
    pub fn pass(&mut self, now_ms: u64) -> Vec<Minute> {
        let minute = now_ms / MINUTE_MS;
        let mut over = Vec::new();
        if minute.saturating_sub(self.minute.minute) > LEAP {
            over.push(self.minute);
            self.minute = Minute {
                minute: minute - 1,
                viewers: self.now(),
                joined: 0,
                departed: 0,
            };
        }
        while self.minute.minute < minute {
            over.push(self.minute);
            self.minute = Minute {
                minute: self.minute.minute + 1,
                viewers: self.now(),
                joined: 0,
                departed: 0,
            };
        }
        over
    }

    /// The minute that is not over yet, as it is so far.
    pub fn running(&self) -> Minute {
        self.minute
    }

    /// Everybody goes at once: the show is over.
    pub fn end(&mut self, now_ms: u64) -> Vec<Minute> {
        let over = self.pass(now_ms);
        let all: Vec<ViewerId> = self.here.keys().copied().collect();
        for viewer in all {
            self.leave(viewer, now_ms);
        }
        over
    }

    fn now(&self) -> u32 {
        u32::try_from(self.here.len()).unwrap_or(u32::MAX)
    }

    /// The numbers of this moment.
    pub fn totals(&self, now_ms: u64) -> Watching {
        let mut times: Vec<u64> = self.watched.values().map(|time| time.until(now_ms)).collect();
        let total: u64 = times.iter().sum();
        let count = times.len() as u64;
        Watching {
            now: self.now(),
            peak: self.peak,
            visitors: count + self.uncounted,
            joined: self.joined,
            departed: self.departed,
            average_ms: total.checked_div(count).unwrap_or(0),
            median_ms: median(&mut times),
        }
    }

    /// How long those have watched whose time has changed since this was last asked, and those who watch.
    pub fn changed(&mut self, now_ms: u64) -> Vec<(Visitor, u64)> {
        let mut visitors = std::mem::take(&mut self.changed);
        visitors.extend(self.here.values().flatten());
        visitors.sort_unstable();
        visitors.dedup();
        visitors
            .into_iter()
            .filter_map(|visitor| Some((visitor, self.watched.get(&visitor)?.until(now_ms))))
            .collect()
    }
}

/// The middle one, or the mean of the two in the middle; 0 of none.
fn median(times: &mut [u64]) -> u64 {
    if times.is_empty() {
        return 0;
    }
    let middle = times.len() / 2;
    let odd = times.len() % 2 == 1;
    let (lower, &mut upper, _) = times.select_nth_unstable(middle);
    if odd {
        return upper;
    }
    let below = lower.iter().copied().max().unwrap_or(upper);
    u64::midpoint(below, upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: u64 = 1_000 * MINUTE_MS;

    fn new() -> Attendance {
        Attendance::new(Kept::default(), T)
    }

    fn visitor(number: u8) -> Visitor {
        [number; 16]
    }

    #[test]
    fn two_pages_of_one_visitor_are_two_viewers_whose_time_counts_once() {
        let mut show = new();
        show.join(ViewerId(1), visitor(1), T);
        show.join(ViewerId(2), visitor(1), T + 1_000);
        show.leave(ViewerId(1), T + 4_000);
        let totals = show.totals(T + 10_000);
        assert_eq!((totals.now, totals.peak, totals.visitors), (1, 2, 1));
        assert_eq!((totals.joined, totals.departed), (2, 1));
        assert_eq!((totals.average_ms, totals.median_ms), (10_000, 10_000));
    }

    #[test]
    fn whoever_comes_back_is_the_same_visitor_and_the_time_away_does_not_count() {
        let mut show = new();
        show.join(ViewerId(1), visitor(1), T);
        show.leave(ViewerId(1), T + 5_000);
        show.join(ViewerId(2), visitor(1), T + 60_000);
        assert_eq!(show.totals(T + 61_000).average_ms, 6_000);
        assert_eq!(show.totals(T + 61_000).visitors, 1);
    }

    #[test]
    fn average_and_median_differ_where_few_stay_long() {
        let mut show = new();
        for number in 1..=4 {
            show.join(ViewerId(number.into()), visitor(number), T);
        }
        show.leave(ViewerId(1), T + 2_000);
        show.leave(ViewerId(2), T + 4_000);
        show.leave(ViewerId(3), T + 6_000);
        let totals = show.totals(T + 100_000);
        assert_eq!(totals.average_ms, 28_000);
        assert_eq!(totals.median_ms, 5_000, "between the two in the middle");
    }

    #[test]
    fn each_minute_has_its_most_viewers_and_none_is_left_out() {
        let mut show = new();
        assert_eq!(show.join(ViewerId(1), visitor(1), T + 10), []);
        show.join(ViewerId(2), visitor(2), T + 20);
        show.leave(ViewerId(1), T + 30);
        let over = show.pass(T + 2 * MINUTE_MS);
        let minute = |minute, viewers, joined, departed| Minute {
            minute,
            viewers,
            joined,
            departed,
        };
        assert_eq!(over, [minute(1_000, 2, 2, 1), minute(1_001, 1, 0, 0)]);
        assert_eq!(show.running(), minute(1_002, 1, 0, 0));
        assert_eq!(show.end(T + 2 * MINUTE_MS + 5), []);
        assert_eq!(show.running(), minute(1_002, 1, 0, 1));
    }

    #[test]
    fn a_clock_that_is_set_makes_no_million_of_minutes() {
        let mut show = new();
        show.join(ViewerId(1), visitor(1), T);
        assert_eq!(show.pass(T * 2_000).len(), 2);
        assert_eq!(show.running().minute, 2_000_000);
        assert_eq!(show.pass(T), [], "back again");
    }

    #[test]
    fn a_show_goes_on_after_its_server_was_away() {
        let kept = Kept {
            peak: 7,
            joined: 9,
            departed: 4,
            visitors: 6,
            minute: (2, 1),
            watched: vec![(visitor(1), 3_000), (visitor(2), 1_000)],
        };
        let mut show = Attendance::new(kept, T);
        show.join(ViewerId(1), visitor(1), T);
        let totals = show.totals(T + 1_000);
        assert_eq!((totals.peak, totals.joined, totals.departed), (7, 10, 4));
        assert_eq!(totals.visitors, 6, "the one who came back is none more");
        let minute = show.running();
        assert_eq!((minute.joined, minute.departed), (3, 1), "it was not over");
        assert_eq!(show.changed(T + 1_000), [(visitor(1), 4_000)]);
        show.leave(ViewerId(1), T + 2_000);
        assert_eq!(show.changed(T + 9_000), [(visitor(1), 5_000)]);
        assert_eq!(show.changed(T + 9_000), [], "nobody is there");
    }

    #[test]
    fn a_crowd_is_counted_and_not_remembered_one_by_one() {
        let mut show = new();
        for number in 0..MOST_VISITORS as u64 + 10 {
            let mut visitor = Visitor::default();
            visitor[..8].copy_from_slice(&number.to_le_bytes());
            show.join(ViewerId(number), visitor, T);
        }
        let totals = show.totals(T + 1_000);
        assert_eq!(totals.visitors, MOST_VISITORS as u64 + 10);
        assert_eq!(totals.now as usize, MOST_VISITORS + 10);
        assert_eq!(show.watched.len(), MOST_VISITORS);
    }
}
