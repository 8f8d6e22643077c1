//! A giveaway: a commitment first, then entries, then a draw that anybody can do again.

use std::collections::{HashMap, HashSet};

use super::draw::Seed;
use super::wire::{Giveaway, GiveawayEntries, GiveawayState, Winner};
use crate::chat::room::AddressHash;
use crate::chat::wire::{MemberId, Refused, Seq};

/// Entries of one giveaway.
const MOST_ENTRIES: usize = 20_000;

/// Somebody who takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What stands in the list that everybody can see: 64 random bits in hexadecimal digits.
    pub entry: String,
    pub member: MemberId,
    pub name: String,
    /// One entry each: a home has many devices.
    pub address: AddressHash,
}

impl Entry {
    /// A new one.
    pub fn new(member: MemberId, name: String, address: AddressHash) -> Self {
        Self {
            entry: format!("{:016x}", rand::random::<u64>()),
            member,
            name,
            address,
        }
    }
}

/// A giveaway that is open, or was and is still shown.
#[derive(Debug)]
pub struct RunningGiveaway {
    giveaway: Giveaway,
    seed: Seed,
    entries: Vec<Entry>,
    places: HashMap<MemberId, usize>,
    addresses: HashSet<AddressHash>,
}

impl RunningGiveaway {
    /// As it begins.
    pub fn open(id: Seq, prize: String, winners: u32, seed: Seed) -> Self {
        let giveaway = Giveaway {
            id,
            prize,
            winners,
            commitment: seed.commitment(),
            entries: 0,
            state: GiveawayState::Open,
        };
        Self::kept(giveaway, seed, Vec::new())
    }

    /// As it was kept, with its entries in the order in which they came.
    pub fn kept(mut giveaway: Giveaway, seed: Seed, entries: Vec<Entry>) -> Self {
        giveaway.entries = entries.len() as u64;
        Self {
            giveaway,
            seed,
            places: entries
                .iter()
                .enumerate()
                .map(|(at, entry)| (entry.member.clone(), at))
                .collect(),
            addresses: entries.iter().map(|entry| entry.address).collect(),
            entries,
        }
    }

    /// As everybody sees it.
    pub fn giveaway(&self) -> &Giveaway {
        &self.giveaway
    }

    /// A secret until the draw.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// A member's entry.
    pub fn entry_of(&self, member: &str) -> Option<&str> {
        let at = *self.places.get(member)?;
        self.entries.get(at).map(|entry| entry.entry.as_str())
    }

    /// Takes an entry in; gives back its place, or nothing if the member has one already.
    ///
    /// # Errors
    /// `over` when nobody enters any more, `one_each` if somebody at the same address has entered.
    pub fn enter(&mut self, entry: Entry) -> Result<Option<u64>, Refused> {
        if self.places.contains_key(&entry.member) {
            return Ok(None);
        }
        if self.giveaway.state != GiveawayState::Open {
            return Err(Refused::Over);
        }
        if self.addresses.contains(&entry.address) {
            return Err(Refused::OneEach);
        }
        if self.entries.len() >= MOST_ENTRIES {
            return Err(Refused::Unavailable);
        }
        let place = self.entries.len();
        self.places.insert(entry.member.clone(), place);
        self.addresses.insert(entry.address);
        self.entries.push(entry);
        self.giveaway.entries += 1;
        Ok(Some(place as u64))
    }

    /// Nobody enters any more.
    ///
    /// # Errors
    /// `over` if that is so already.
    pub fn close(&mut self) -> Result<(), Refused> {
        if self.giveaway.state != GiveawayState::Open {
            return Err(Refused::Over);
        }
        self.giveaway.state = GiveawayState::Closed;
        Ok(())
    }

    /// Draws the winners, and says the seed.
    ///
    /// # Errors
    /// `over` if that was done, `out_of_range` if nobody has entered.
    pub fn draw(&mut self) -> Result<(), Refused> {
        if self.is_drawn() {
            return Err(Refused::Over);
        }
        if self.entries.is_empty() {
            return Err(Refused::OutOfRange {
                field: "entries".to_owned(),
            });
        }
        let list: Vec<&str> = self.entries.iter().map(|entry| entry.entry.as_str()).collect();
        let drawn = self.seed.draw(&list, self.giveaway.winners as usize);
        let winners = drawn
            .into_iter()
            .filter_map(|at| self.entries.get(at))
            .map(|entry| Winner {
                entry: entry.entry.clone(),
                name: entry.name.clone(),
            })
            .collect();
        self.giveaway.state = GiveawayState::Drawn {
            seed: self.seed.reveal(),
            winners,
        };
        Ok(())
    }

    /// Whether the winners are known.
    pub fn is_drawn(&self) -> bool {
        matches!(self.giveaway.state, GiveawayState::Drawn { .. })
    }

    /// The entries so far.
    pub fn count(&self) -> GiveawayEntries {
        GiveawayEntries {
            id: self.giveaway.id,
            entries: self.giveaway.entries,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(member: &str, address: u8) -> Entry {
        Entry::new(member.into(), member.to_uppercase(), [address; 16])
    }

    fn giveaway(winners: u32) -> RunningGiveaway {
        RunningGiveaway::open(3, "a vinyl".into(), winners, Seed::from_bytes([7; 32]))
    }

    #[test]
    fn a_member_and_an_address_enter_once() {
        let mut it = giveaway(1);
        assert_eq!(it.enter(entry("ada", 1)), Ok(Some(0)));
        assert_eq!(it.enter(entry("ada", 2)), Ok(None), "the same member, elsewhere");
        assert_eq!(it.enter(entry("bob", 1)), Err(Refused::OneEach));
        assert_eq!(it.enter(entry("bob", 2)), Ok(Some(1)));
        assert_eq!(it.giveaway().entries, 2);
        assert!(it.entry_of("ada").is_some_and(|entry| entry.len() == 16));
        assert_eq!(it.entry_of("eve"), None);
    }

    #[test]
    fn nothing_is_told_of_the_seed_before_the_draw() {
        let mut it = giveaway(1);
        it.enter(entry("ada", 1)).expect("it is open");
        let seed = Seed::from_bytes([7; 32]).reveal();
        it.close().expect("it was open");
        assert_eq!(it.enter(entry("bob", 2)), Err(Refused::Over));
        assert!(
            !serde_json::to_string(it.giveaway())
                .expect("JSON")
                .contains(&seed)
        );
        it.draw().expect("one has entered");
        assert!(
            serde_json::to_string(it.giveaway())
                .expect("JSON")
                .contains(&seed)
        );
        assert_eq!(it.draw(), Err(Refused::Over), "once");
    }

    #[test]
    fn a_draw_survives_a_restart() {
        let mut before = giveaway(2);
        for (at, member) in (1..).zip(["ada", "bob", "cy", "di"]) {
            before.enter(entry(member, at)).expect("it is open");
        }
        let (kept, seed, entries) = (before.giveaway().clone(), before.seed(), before.entries.clone());
        let mut after = RunningGiveaway::kept(kept, seed, entries);
        before.draw().expect("four have entered");
        after.draw().expect("four have entered");
        assert_eq!(before.giveaway(), after.giveaway());
        assert_eq!(after.enter(entry("eve", 1)), Err(Refused::Over));
    }

    #[test]
    fn a_draw_needs_an_entry() {
        assert!(matches!(giveaway(1).draw(), Err(Refused::OutOfRange { .. })));
    }
}
