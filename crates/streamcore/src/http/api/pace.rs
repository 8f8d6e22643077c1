//! How fast one caller may ask.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::bucket::Bucket;
use crate::room::RoomId;

/// Callers whose pace is known. Their buckets are full again within seconds, and are forgotten then.
const MOST: usize = 10_000;

/// Who asks: tokens of viewers are to be had for nothing, so that their address counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Asker {
    /// Of IPv6 the network (64 bits).
    Address(IpAddr),
    Member(RoomId, String),
}

/// The pace of every caller.
#[derive(Debug)]
pub(crate) struct Paces {
    per_second: u32,
    buckets: Mutex<HashMap<Asker, Bucket>>,
}

impl Paces {
    /// So many a second, and twice as many at once.
    pub fn new(per_second: u32) -> Self {
        Self {
            per_second: per_second.max(1),
            buckets: Mutex::default(),
        }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// When the next may come.
    pub fn take(&self, asker: Asker, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST && !buckets.contains_key(&asker) {
            buckets.retain(|_, bucket| !bucket.is_full(now));
            // So many callers within seconds are one attacker's: none of them is owed a memory.
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let fresh = || Bucket::new(f64::from(self.per_second), self.per_second.saturating_mul(2), now);
        buckets.entry(asker).or_insert_with(fresh).take(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_a_pace_and_none_fills_the_memory() {
        let paces = Paces::new(5);
        let now = Instant::now();
        let asker = |n: u32| Asker::Address(std::net::Ipv4Addr::from_bits(n).into());
        let taken = (0..50).filter(|_| paces.take(asker(1), now).is_ok()).count();
        assert_eq!(taken, 10, "a burst");
        assert!(paces.take(asker(2), now).is_ok(), "somebody else");
        let later = now + Duration::from_secs(1);
        let taken = (0..50).filter(|_| paces.take(asker(1), later).is_ok()).count();
        assert_eq!(taken, 5, "a second later");
        for n in 0..MOST as u32 + 100 {
            assert!(paces.take(asker(n + 10), later).is_ok());
        }
        assert!(paces.buckets.lock().expect("not poisoned").len() <= MOST);
    }
}
