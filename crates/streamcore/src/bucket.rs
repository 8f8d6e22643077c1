//! A bucket of permits that refills evenly.

use std::time::{Duration, Instant};

/// So many at once, so many a second.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    per_second: f64,
    most: f64,
    permits: f64,
    at: Instant,
}

impl Bucket {
    /// Full.
    pub fn new(per_second: f64, most: u32, now: Instant) -> Self {
        let most = f64::from(most);
        Self {
            per_second,
            most,
            permits: most,
            at: now,
        }
    }

    /// Whether it is as it was made: whoever forgets it forgets nothing.
    pub fn is_full(&self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.permits + elapsed * self.per_second >= self.most
    }

    /// Takes one.
    ///
    /// # Errors
    /// How long it takes until there is one.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.permits = (self.permits + elapsed * self.per_second).min(self.most);
        if self.permits < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.permits) / self.per_second));
        }
        self.permits -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10.0, 10, start);
        let taken = |bucket: &mut Bucket, now| (0..50).filter(|_| bucket.take(now).is_ok()).count();
        assert_eq!(taken(&mut bucket, start), 10);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(500)), 5);
    }

    #[test]
    fn who_comes_too_early_is_told_when_to_come() {
        let start = Instant::now();
        let mut bucket = Bucket::new(3.0, 1, start);
        assert_eq!(bucket.take(start), Ok(()));
        let wait = bucket.take(start).expect_err("it is empty");
        assert!(
            bucket
                .clone()
                .take(start + wait + Duration::from_millis(1))
                .is_ok()
        );
        assert!(bucket.take(start + wait / 2).is_err());
    }
}
