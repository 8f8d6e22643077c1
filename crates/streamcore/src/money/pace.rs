//! How fast one may open pages to pay on: each costs a request to Stripe.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

const WITHIN: Duration = Duration::from_secs(60);
/// Whoever is known at once; beyond it those that have been quiet longest go.
const MOST: usize = 20_000;

/// So many in any minute, for each of many.
#[derive(Debug)]
pub struct Pace<K> {
    most: usize,
    at: HashMap<K, VecDeque<Instant>>,
}

impl<K: Hash + Eq + Clone> Pace<K> {
    pub fn new(most: usize) -> Self {
        Self {
            most,
            at: HashMap::new(),
        }
    }

    /// Takes one.
    ///
    /// # Errors
    /// How long it takes until there is one.
    pub fn take(&mut self, who: &K, now: Instant) -> Result<(), Duration> {
        if self.at.len() >= MOST && !self.at.contains_key(who) {
            self.forget(now);
        }
        let times = self.at.entry(who.clone()).or_default();
        while times
            .front()
            .is_some_and(|at| now.saturating_duration_since(*at) >= WITHIN)
        {
            times.pop_front();
        }
        if times.len() >= self.most {
            let oldest = times.front().copied().unwrap_or(now);
            return Err(WITHIN.saturating_sub(now.saturating_duration_since(oldest)));
        }
        times.push_back(now);
        Ok(())
    }

    fn forget(&mut self, now: Instant) {
        self.at.retain(|_, times| {
            times
                .back()
                .is_some_and(|at| now.saturating_duration_since(*at) < WITHIN)
        });
        if self.at.len() < MOST {
            return;
        }
        let oldest = self.at.iter().min_by_key(|(_, times)| times.back().copied());
        if let Some(who) = oldest.map(|(who, _)| who.clone()) {
            self.at.remove(&who);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_in_any_minute_and_each_for_themselves() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pace = Pace::new(10);
        for second in 0..10 {
            assert_eq!(pace.take(&"ada", at(second)), Ok(()));
        }
        assert_eq!(pace.take(&"ada", at(10)), Err(Duration::from_secs(50)));
        assert_eq!(pace.take(&"bob", at(10)), Ok(()));
        assert_eq!(pace.take(&"ada", at(60)), Ok(()), "the first is a minute ago");
        assert_eq!(pace.take(&"ada", at(60)), Err(Duration::from_secs(1)));
    }
}
