//! New sessions a second: a bucket that refills evenly.

use std::time::Instant;

#[derive(Debug)]
pub(crate) struct JoinLimit {
    per_second: f64,
    tokens: f64,
    at: Instant,
}

impl JoinLimit {
    pub fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second);
        Self {
            per_second,
            tokens: per_second,
            at: now,
        }
    }

    /// Whether one more session may begin now.
    pub fn admit(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.tokens = (self.tokens + elapsed * self.per_second).min(self.per_second);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let start = Instant::now();
        let mut limit = JoinLimit::new(10, start);
        assert_eq!((0..50).filter(|_| limit.admit(start)).count(), 10);
        let later = start + Duration::from_millis(500);
        assert_eq!((0..50).filter(|_| limit.admit(later)).count(), 5);
    }
}
