//! How many may come in from one address: so many viewers in a room, so many a second, so many who have not said yet who
//! they are. Host and moderators are not counted.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::bucket::Bucket;
use crate::room::RoomId;
use crate::settings::Limits;

/// When a viewer whose address has all its places asks again: places come free when others leave.
const PLACES_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// Addresses whose pace is known. Their buckets are full again within seconds, and are forgotten then.
const MOST_PACES: usize = 10_000;

/// What counts as one address: of IPv6 the network (64 bits), since a home has many addresses and one network.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

/// Counts connections per address.
#[derive(Debug)]
pub struct Doors {
    most: u32,
    per_second: u32,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    places: HashMap<Place, u32>,
    paces: HashMap<IpAddr, Bucket>,
}

/// What is counted: viewers of a room, or connections that have not said hello yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    Inside(RoomId, IpAddr),
    Before(IpAddr),
}

/// One of an address's places, for as long as it is held.
#[derive(Debug)]
pub struct Held {
    doors: Arc<Doors>,
    place: Place,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut counts = self.doors.counts();
        if let Some(count) = counts.places.get_mut(&self.place) {
            *count -= 1;
            if *count == 0 {
                counts.places.remove(&self.place);
            }
        }
    }
}

impl Doors {
    pub fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            most: limits.chat_connections_per_address,
            per_second: limits.chat_joins_per_second,
            counts: Mutex::default(),
        })
    }

    /// A place before the door, until somebody has said who they are: whoever only knocks fills no memory.
    pub fn knock(self: &Arc<Self>, address: IpAddr) -> Option<Held> {
        let place = Place::Before(network(address));
        self.take(&mut self.counts(), place)
    }

    /// A viewer's place in a room.
    ///
    /// # Errors
    /// How long to wait before the next try.
    pub fn enter(self: &Arc<Self>, room: &RoomId, address: IpAddr, now: Instant) -> Result<Held, Duration> {
        let network = network(address);
        let mut counts = self.counts();
        if counts.paces.len() >= MOST_PACES && !counts.paces.contains_key(&network) {
            counts.paces.retain(|_, bucket| !bucket.is_full(now));
            // So many networks within seconds are one attacker's: none of them is owed a memory.
            if counts.paces.len() >= MOST_PACES {
                counts.paces.clear();
            }
        }
        // As many at once as may be there: they all come back together when the server starts again.
        let pace = counts
            .paces
            .entry(network)
            .or_insert_with(|| Bucket::new(f64::from(self.per_second.max(1)), self.most.max(1), now));
        pace.take(now)?;
        self.take(&mut counts, Place::Inside(room.clone(), network))
            .ok_or(PLACES_AGAIN_AFTER)
    }

    fn take(self: &Arc<Self>, counts: &mut Counts, place: Place) -> Option<Held> {
        let count = counts.places.get(&place).copied().unwrap_or_default();
        if count >= self.most {
            return None;
        }
        counts.places.insert(place.clone(), count + 1);
        Some(Held {
            doors: Arc::clone(self),
            place,
        })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doors(most: u32, per_second: u32) -> Arc<Doors> {
        Doors::new(&Limits {
            chat_connections_per_address: most,
            chat_joins_per_second: per_second,
            ..Limits::default()
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn room(name: &str) -> RoomId {
        name.parse().expect("a room's name")
    }

    #[test]
    fn an_address_has_so_many_places_in_each_room_and_gets_them_back() {
        let doors = doors(2, 1000);
        let now = Instant::now();
        let held: Vec<_> = (0..2)
            .map(|_| doors.enter(&room("a"), ip("192.0.2.1"), now).expect("a place"))
            .collect();
        let later = now + Duration::from_secs(1);
        let full = doors.enter(&room("a"), ip("192.0.2.1"), later);
        assert_eq!(full.expect_err("all are taken"), PLACES_AGAIN_AFTER);
        assert!(
            doors.enter(&room("a"), ip("192.0.2.2"), later).is_ok(),
            "another address"
        );
        assert!(
            doors.enter(&room("b"), ip("192.0.2.1"), later).is_ok(),
            "another room"
        );
        drop(held);
        let later = later + Duration::from_secs(1);
        assert!(doors.enter(&room("a"), ip("192.0.2.1"), later).is_ok());
        assert!(
            doors.counts().places.is_empty(),
            "nothing is left of who has gone"
        );
    }

    #[test]
    fn a_home_is_one_address_whatever_its_devices_call_themselves() {
        let doors = doors(1, 1000);
        let now = Instant::now();
        let _held = doors.enter(&room("a"), ip("2001:db8::1"), now).expect("a place");
        let later = now + Duration::from_secs(1);
        assert!(doors.enter(&room("a"), ip("2001:db8::ffff:2"), later).is_err());
        assert!(
            doors.enter(&room("a"), ip("2001:db8:0:1::1"), later).is_ok(),
            "next door"
        );
        assert_eq!(network(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }

    #[test]
    fn coming_and_going_has_a_pace_too() {
        let doors = doors(3, 2);
        let now = Instant::now();
        let come = |at| doors.enter(&room("a"), ip("192.0.2.1"), at).map(drop);
        assert_eq!((0..10).filter(|_| come(now).is_ok()).count(), 3);
        let wait = come(now).expect_err("too fast");
        assert!(wait <= Duration::from_millis(500), "{wait:?}");
        let later = now + Duration::from_secs(1);
        assert_eq!((0..10).filter(|_| come(later).is_ok()).count(), 2);
    }

    #[test]
    fn who_only_knocks_has_as_many_places_and_no_more() {
        let doors = doors(2, 1000);
        let knocks: Vec<_> = (0..5).filter_map(|_| doors.knock(ip("192.0.2.1"))).collect();
        assert_eq!(knocks.len(), 2);
        assert!(doors.knock(ip("192.0.2.2")).is_some());
    }

    #[test]
    fn paces_of_many_addresses_fill_no_memory() {
        let doors = doors(1, 1);
        let now = Instant::now();
        for n in 0..MOST_PACES as u32 + 100 {
            let address = std::net::Ipv4Addr::from_bits(n).into();
            assert!(doors.enter(&room("a"), address, now).is_ok());
        }
        assert!(doors.counts().paces.len() <= MOST_PACES);
    }
}
