//! When what a thousand viewers do is told: the first at once, then at most once a second.

use std::time::{Duration, Instant};

/// How often everybody is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Whether there is something to tell, and since when not.
#[derive(Debug, Default)]
pub struct Beat {
    fresh: bool,
    told_at: Option<Instant>,
}

impl Beat {
    /// There is something new.
    pub fn quicken(&mut self) {
        self.fresh = true;
    }

    /// When it is to be told; `None` while there is nothing.
    pub fn at(&self, now: Instant) -> Option<Instant> {
        self.fresh
            .then(|| self.told_at.map_or(now, |told| told + TELL_EVERY))
    }

    /// Whether it is to be told now.
    pub fn is_due(&self, now: Instant) -> bool {
        self.at(now).is_some_and(|at| at <= now)
    }

    /// It has been told.
    pub fn told(&mut self, now: Instant) {
        self.fresh = false;
        self.told_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_others_once_a_second() {
        let start = Instant::now();
        let mut beat = Beat::default();
        assert_eq!(beat.at(start), None);
        beat.quicken();
        assert!(beat.is_due(start));
        beat.told(start);
        beat.quicken();
        assert_eq!(beat.at(start), Some(start + TELL_EVERY));
        assert!(!beat.is_due(start + Duration::from_millis(999)));
        assert!(beat.is_due(start + TELL_EVERY));
    }
}
