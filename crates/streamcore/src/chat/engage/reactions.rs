//! What viewers show without a word: counted, not told one by one.

use std::collections::HashMap;

use super::wire::{Reacted, Reaction};
use crate::chat::wire::{MemberId, Refused};

/// Reactions of one viewer in one second.
const MOST_A_SECOND: u8 = 3;
/// Viewers of one second that are told apart; the reactions of more are not counted.
const MOST_VIEWERS: usize = 20_000;
const SECOND_MS: u64 = 1000;

/// How often what was shown.
#[derive(Debug, Default)]
pub struct Reactions {
    totals: HashMap<Reaction, u64>,
    second: u64,
    seen: HashMap<MemberId, u8>,
    fresh: Vec<Reaction>,
}

impl Reactions {
    /// With what was counted before.
    pub fn new(totals: HashMap<Reaction, u64>) -> Self {
        Self {
            totals,
            ..Self::default()
        }
    }

    /// Counts one.
    ///
    /// # Errors
    /// `too_fast` for more than three in a second.
    pub fn count(&mut self, member: &str, reaction: Reaction, wall_ms: u64) -> Result<(), Refused> {
        let second = wall_ms / SECOND_MS;
        if self.second != second {
            self.second = second;
            self.seen.clear();
        }
        let too_fast = Refused::TooFast {
            retry_after_ms: (SECOND_MS - wall_ms % SECOND_MS) as u32,
        };
        if !self.seen.contains_key(member) && self.seen.len() >= MOST_VIEWERS {
            return Err(too_fast);
        }
        let seen = self.seen.entry(member.to_owned()).or_default();
        if *seen >= MOST_A_SECOND {
            return Err(too_fast);
        }
        *seen += 1;
        *self.totals.entry(reaction).or_default() += 1;
        if !self.fresh.contains(&reaction) {
            self.fresh.push(reaction);
        }
        Ok(())
    }

    /// All that were ever shown.
    pub fn totals(&self) -> Vec<Reacted> {
        Reaction::ALL
            .into_iter()
            .filter_map(|one| self.total(one))
            .collect()
    }

    /// Those that nobody has been told of.
    pub fn fresh(&self) -> Vec<Reacted> {
        let fresh = Reaction::ALL.into_iter().filter(|one| self.fresh.contains(one));
        fresh.filter_map(|one| self.total(one)).collect()
    }

    /// They have been told.
    pub fn told(&mut self) {
        self.fresh.clear();
    }

    fn total(&self, reaction: Reaction) -> Option<Reacted> {
        let total = *self.totals.get(&reaction)?;
        Some(Reacted { reaction, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_has_three_a_second() {
        let mut reactions = Reactions::default();
        for _ in 0..3 {
            assert_eq!(reactions.count("ada", Reaction::Heart, 5000), Ok(()));
        }
        assert_eq!(
            reactions.count("ada", Reaction::Fire, 5400),
            Err(Refused::TooFast { retry_after_ms: 600 })
        );
        assert_eq!(
            reactions.count("bob", Reaction::Fire, 5400),
            Ok(()),
            "another viewer"
        );
        assert_eq!(
            reactions.count("ada", Reaction::Fire, 6000),
            Ok(()),
            "another second"
        );
        let totals = reactions.totals();
        assert_eq!(
            totals
                .iter()
                .map(|one| (one.reaction, one.total))
                .collect::<Vec<_>>(),
            [(Reaction::Heart, 3), (Reaction::Fire, 2)]
        );
    }

    #[test]
    fn only_what_is_new_is_told() {
        let before = HashMap::from([(Reaction::Clap, 40), (Reaction::Heart, 2)]);
        let mut reactions = Reactions::new(before);
        assert!(reactions.fresh().is_empty());
        reactions.count("ada", Reaction::Clap, 0).expect("the first");
        assert_eq!(
            reactions.fresh(),
            [Reacted {
                reaction: Reaction::Clap,
                total: 41
            }]
        );
        reactions.told();
        assert!(reactions.fresh().is_empty());
        assert_eq!(reactions.totals().len(), 2);
    }
}
