//! Counts what viewers do with products: each of them once a minute for the same thing.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::wire::{Interest, Product, ProductId, Visit};
use crate::chat::wire::MemberId;
use crate::room::MINUTE_MS;

/// How often host and moderators are told.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Clicks of one minute that can be told apart; more than that many are no persons.
const MOST_A_MINUTE: usize = 100_000;

/// The minute that a moment is in, counted from 1970.
pub fn visit_minute(wall_ms: u64) -> u64 {
    wall_ms / MINUTE_MS
}

/// The clicks of a room.
#[derive(Debug, Default)]
pub struct Clicks {
    totals: HashMap<ProductId, (u64, u64)>,
    minute: u64,
    seen: HashSet<(MemberId, ProductId, Visit)>,
    /// Something was counted that nobody has been told of.
    fresh: bool,
    told_at: Option<Instant>,
}

impl Clicks {
    /// With what was counted before.
    pub fn new(totals: impl IntoIterator<Item = Interest>) -> Self {
        let totals = totals
            .into_iter()
            .map(|one| (one.product, (one.opened, one.carted)))
            .collect();
        Self {
            totals,
            ..Self::default()
        }
    }

    /// Whether this one counts; it is counted then.
    pub fn count(&mut self, member: &str, product: &str, what: Visit, wall_ms: u64) -> bool {
        let minute = visit_minute(wall_ms);
        if self.minute != minute {
            self.minute = minute;
            self.seen.clear();
        }
        if self.seen.len() >= MOST_A_MINUTE
            || !self.seen.insert((member.to_owned(), product.to_owned(), what))
        {
            return false;
        }
        let total = self.totals.entry(product.to_owned()).or_default();
        match what {
            Visit::Opened => total.0 += 1,
            Visit::Carted => total.1 += 1,
        }
        self.fresh = true;
        true
    }

    /// What was counted of these products so far, in their order; what nobody has touched is left out.
    pub fn totals(&self, list: &[Product]) -> Vec<Interest> {
        let of = |product: &Product| {
            let (opened, carted) = *self.totals.get(&product.id)?;
            Some(Interest {
                product: product.id.clone(),
                opened,
                carted,
            })
        };
        list.iter().filter_map(of).collect()
    }

    /// When host and moderators are to be told; `None` while there is nothing new.
    pub fn tell_at(&self, now: Instant) -> Option<Instant> {
        self.fresh
            .then(|| self.told_at.map_or(now, |told| told + TELL_EVERY))
    }

    /// They have been told.
    pub fn told(&mut self, now: Instant) {
        self.fresh = false;
        self.told_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::products::wire::Stock;

    fn list() -> Vec<Product> {
        let one = |id: &str| Product {
            id: id.into(),
            title: id.into(),
            price: None,
            note: None,
            promo_code: None,
            ends_at_ms: None,
            image: None,
            link: None,
            stock: Stock::Enough,
        };
        vec![one("a"), one("b"), one("c")]
    }

    #[test]
    fn a_viewer_counts_once_a_minute_for_the_same_thing() {
        let mut clicks = Clicks::default();
        assert!(clicks.count("ada", "a", Visit::Opened, 60_000));
        assert!(!clicks.count("ada", "a", Visit::Opened, 119_999));
        assert!(clicks.count("ada", "a", Visit::Carted, 119_999), "another thing");
        assert!(clicks.count("bob", "a", Visit::Opened, 119_999), "another viewer");
        assert!(
            clicks.count("ada", "b", Visit::Opened, 119_999),
            "another product"
        );
        assert!(clicks.count("ada", "a", Visit::Opened, 120_000), "another minute");
        let totals = clicks.totals(&list());
        let of = |id: &str| {
            totals
                .iter()
                .find(|one| one.product == id)
                .map(|one| (one.opened, one.carted))
        };
        assert_eq!((of("a"), of("b"), of("c")), (Some((3, 1)), Some((1, 0)), None));
    }

    #[test]
    fn the_crew_is_told_at_most_once_a_second() {
        let start = Instant::now();
        let mut clicks = Clicks::default();
        assert_eq!(clicks.tell_at(start), None, "nothing happened");
        clicks.count("ada", "a", Visit::Opened, 0);
        assert_eq!(clicks.tell_at(start), Some(start), "the first at once");
        clicks.told(start);
        assert_eq!(clicks.tell_at(start), None);
        clicks.count("bob", "a", Visit::Opened, 0);
        assert_eq!(clicks.tell_at(start), Some(start + TELL_EVERY));
    }

    #[test]
    fn what_was_counted_before_is_added_to() {
        let before = Interest {
            product: "a".into(),
            opened: 4,
            carted: 2,
        };
        let mut clicks = Clicks::new([before]);
        clicks.count("ada", "a", Visit::Carted, 0);
        assert_eq!(clicks.totals(&list())[0].carted, 3);
    }
}
