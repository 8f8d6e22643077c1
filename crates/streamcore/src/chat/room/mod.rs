//! A room's chat as a pure state machine: who may say and do what, and what follows. No I/O, no clock of its own.

mod engage;
mod moderation;
mod privacy;
mod purse;
mod shelf;
mod speaking;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use super::blocked::Blocked;
use super::engage::wire::{Giveaway, Poll, Question, Reacted};
use super::engage::{Asked, Entry as Entered, KeptEngagement, Seed};
use super::identity::{Role, is_account};
use super::products::KeptProducts;
use super::products::wire::{Product, ProductId, Visit};
use super::wire::{
    Author, Entry, Event, Happening, Held, MemberId, Message, Moderator, Pinned, Quote, Restriction, Rules,
    Seq, Snapshot,
};
use crate::bucket::Bucket;
use crate::money::{KeptMoney, MoneyChange};
use crate::room::RoomId;
use engage::Activity;
use purse::Purse;
use shelf::Shelf;

/// Messages that a newcomer is shown.
const SHOWN: usize = 100;
/// Messages that are at hand for replies, pins and undo; older ones are in the database.
const AT_HAND: usize = 500;
/// Events that somebody who comes back can still be told one by one.
const RESUMABLE: usize = 2000;
/// Messages that wait; when there are more the oldest is refused.
const MOST_HELD: usize = 200;
/// Acts that can be taken back.
const MOST_UNDO: usize = 200;
/// Viewers who are known to speak; whoever has been silent longest is forgotten first.
const MOST_PACES: usize = 20_000;

/// This moment.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Milliseconds since 1970 UTC, for what is kept and shown.
    pub wall_ms: u64,
    /// For what is measured.
    pub at: Instant,
}

/// A salted hash of somebody's address; see [`super::keep`].
pub type AddressHash = [u8; 16];

/// Somebody who asks for something.
#[derive(Debug, Clone)]
pub struct Speaker {
    /// Who, with name and role.
    pub author: Author,
    /// From where.
    pub address: AddressHash,
}

/// Who is told of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Audience {
    All,
    /// Host and moderators.
    Moderators,
    /// The host alone.
    Host,
    /// Host, moderators and one member.
    ModeratorsAnd(MemberId),
    /// Nobody any more: a later event says it all.
    Nobody,
}

impl Audience {
    /// Whether this member is told.
    pub fn has(&self, role: Role, member: &str) -> bool {
        match self {
            Self::All => true,
            Self::Moderators => role >= Role::Moderator,
            Self::Host => role == Role::Host,
            Self::ModeratorsAnd(one) => role >= Role::Moderator || one == member,
            Self::Nobody => false,
        }
    }
}

/// An event and who is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub audience: Audience,
    pub event: Event,
}

/// What the database must know before anybody else does.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Message(Message),
    /// By this act of the log.
    Delete {
        messages: Vec<Seq>,
        entry: u64,
    },
    DeleteAllOf {
        member: MemberId,
        entry: u64,
    },
    DeleteAll {
        entry: u64,
    },
    /// Whatever this act deleted.
    Restore {
        entry: u64,
    },
    Pinned(Option<Pinned>),
    Rules(Rules),
    Held(Held),
    Decided(Seq),
    Restricted {
        restriction: Restriction,
        address: Option<AddressHash>,
    },
    Lifted(MemberId),
    /// All of theirs goes.
    Forget {
        member: MemberId,
    },
    Entry(Entry),
    /// Whether a moderator's invitation holds.
    Invitation {
        member: MemberId,
        name: String,
        holds: bool,
    },
    Product(ProductChange),
    Money(MoneyChange),
    Engage(EngageChange),
}

/// What the database must know of products.
#[derive(Debug, Clone, PartialEq)]
pub enum ProductChange {
    /// The whole list.
    Listed(Vec<Product>),
    /// One of the list.
    Changed(Product),
    Featured(Vec<ProductId>),
    /// One more.
    Visited {
        product: ProductId,
        /// Since 1970.
        minute: u64,
        what: Visit,
    },
}

/// What the database must know of engagement.
#[derive(Debug, Clone, PartialEq)]
pub enum EngageChange {
    /// As it is now, and whether it is shown still.
    Poll {
        poll: Poll,
        shown: bool,
    },
    Voted {
        poll: Seq,
        member: MemberId,
        option: u32,
    },
    QuestionsOpen(bool),
    /// As it is now.
    Question(Question),
    QuestionGone(Seq),
    Supported {
        question: Seq,
        member: MemberId,
    },
    /// As it is now, and whether it is shown still.
    Giveaway {
        giveaway: Giveaway,
        seed: Seed,
        shown: bool,
    },
    Entered {
        giveaway: Seq,
        /// From 0.
        place: u64,
        entry: Entered,
    },
    /// How often in all.
    Reacted(Vec<Reacted>),
}

/// What follows from an input: for the database first, then for those it is told to.
#[derive(Debug, Default)]
pub struct Follow {
    pub keep: Vec<Change>,
    pub tell: Vec<Told>,
}

/// What is kept of a room while nobody is in it.
#[derive(Debug, Default, Clone)]
pub struct Kept {
    pub seq: Seq,
    pub entries: u64,
    pub messages: Vec<Message>,
    pub pinned: Option<Pinned>,
    pub rules: Rules,
    pub held: Vec<Held>,
    pub restrictions: Vec<(Restriction, Option<AddressHash>)>,
    /// Invited moderators: number and name.
    pub invitations: Vec<(MemberId, String)>,
    pub products: KeptProducts,
    pub money: KeptMoney,
    pub engagement: KeptEngagement,
}

/// How an act is taken back.
#[derive(Debug, Clone)]
enum Undo {
    /// Messages, and questions of the same member.
    Restore(Vec<Message>, Vec<Asked>),
    Lift(MemberId),
    Restrict(Restriction, Option<AddressHash>),
    Pin(Option<Pinned>),
    Rules(Rules),
    Feature(Vec<ProductId>),
    Question(Box<Asked>),
}

/// One viewer who speaks: who, and how fast.
#[derive(Debug)]
struct Pace {
    author: Author,
    bucket: Bucket,
    spoke_at: Option<Instant>,
    seen_at: Instant,
}

/// A room's chat.
#[derive(Debug)]
pub struct Room {
    id: RoomId,
    seq: Seq,
    entries: u64,
    messages: VecDeque<Message>,
    events: VecDeque<Told>,
    pinned: Option<Pinned>,
    rules: Rules,
    blocked: Blocked,
    held: Vec<Held>,
    restrictions: HashMap<MemberId, (Restriction, Option<AddressHash>)>,
    invitations: HashMap<MemberId, String>,
    shelf: Shelf,
    purse: Purse,
    activity: Activity,
    undo: VecDeque<(u64, Undo)>,
    paces: HashMap<MemberId, Pace>,
}

impl Room {
    /// As it was kept.
    pub fn new(id: RoomId, kept: Kept) -> Self {
        Self {
            id,
            seq: kept.seq,
            entries: kept.entries,
            messages: kept.messages.into(),
            events: VecDeque::new(),
            pinned: kept.pinned,
            blocked: Blocked::new(&kept.rules.blocked_words),
            rules: kept.rules,
            held: kept.held,
            restrictions: kept
                .restrictions
                .into_iter()
                .map(|(restriction, address)| (restriction.member.clone(), (restriction, address)))
                .collect(),
            invitations: kept.invitations.into_iter().collect(),
            shelf: Shelf::new(kept.products),
            purse: Purse::new(kept.money),
            activity: Activity::new(kept.engagement),
            undo: VecDeque::new(),
            paces: HashMap::new(),
        }
    }

    /// The last event's number.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Whether a moderator's invitation holds, and by what name.
    pub fn invited(&self, member: &str) -> Option<&str> {
        self.invitations.get(member).map(String::as_str)
    }

    /// The acts that can be taken back still, by their numbers in the log.
    pub fn undoable(&self) -> impl Iterator<Item = u64> {
        self.undo.iter().map(|(entry, _)| *entry)
    }

    /// The room as `role` may see it.
    pub fn snapshot(&self, role: Role, now: Now) -> Snapshot {
        let from = self.messages.len().saturating_sub(SHOWN);
        let moderates = role >= Role::Moderator;
        Snapshot {
            messages: self.messages.iter().skip(from).cloned().collect(),
            pinned: self.pinned.clone(),
            rules: rules_for(role, &self.rules),
            held: if moderates { self.held.clone() } else { Vec::new() },
            restrictions: if moderates {
                let mut all: Vec<Restriction> = self
                    .restrictions
                    .values()
                    .map(|(restriction, _)| restriction.clone())
                    .filter(|restriction| holds(restriction, now))
                    .collect();
                all.sort_by(|a, b| a.name.cmp(&b.name));
                all
            } else {
                Vec::new()
            },
            moderators: if moderates { self.moderators() } else { Vec::new() },
            products: self.shelf.list().to_vec(),
            featured: self.shelf.featured().to_vec(),
            money: self.purse.seen(),
        }
    }

    fn moderators(&self) -> Vec<Moderator> {
        let mut all: Vec<Moderator> = self
            .invitations
            .iter()
            .map(|(member, name)| Moderator {
                member: member.clone(),
                name: name.clone(),
            })
            .collect();
        all.sort_by(|a, b| (&a.name, &a.member).cmp(&(&b.name, &b.member)));
        all
    }

    /// What a member has missed since an event; `None` when that is too long ago to be told one by one.
    pub fn since(&self, seq: Seq, role: Role, member: &str) -> Option<Vec<Event>> {
        let oldest = self.seq + 1 - self.events.len() as Seq;
        if seq > self.seq || seq + 1 < oldest {
            return None;
        }
        let skip = (seq + 1 - oldest) as usize;
        let missed = self.events.iter().skip(skip);
        Some(
            missed
                .filter(|told| told.audience.has(role, member))
                .map(|told| veiled(role, &told.event).unwrap_or_else(|| self.as_of_now(&told.event)))
                .collect(),
        )
    }

    /// An event as it can be told later: what could be taken back then perhaps cannot be any more.
    fn as_of_now(&self, event: &Event) -> Event {
        let mut event = event.clone();
        if let Happening::Logged { entry } = &mut event.what {
            entry.undoable = self.undoable().any(|number| number == entry.number);
        }
        event
    }

    /// What keeps somebody from speaking: their own restriction, or a ban of the address they come from.
    pub fn restriction(&self, speaker: &Speaker, now: Now) -> Option<&Restriction> {
        if speaker.author.role >= Role::Moderator {
            return None;
        }
        let own = self
            .restrictions
            .get(&speaker.author.id)
            .map(|(restriction, _)| restriction)
            .filter(|restriction| holds(restriction, now));
        // An account is banned by itself: whoever shares its address may be anybody.
        if is_account(&speaker.author.id) {
            return own;
        }
        own.or_else(|| {
            self.restrictions
                .values()
                .find(|(restriction, address)| {
                    *address == Some(speaker.address) && restriction.until_ms.is_none()
                })
                .map(|(restriction, _)| restriction)
        })
    }

    fn at_hand(&self, seq: Seq) -> Option<&Message> {
        let at = self
            .messages
            .binary_search_by_key(&seq, |message| message.seq)
            .ok()?;
        self.messages.get(at)
    }

    fn put_message(&mut self, message: Message) {
        let at = self.messages.partition_point(|other| other.seq < message.seq);
        self.messages.insert(at, message);
        while self.messages.len() > AT_HAND {
            self.messages.pop_front();
        }
    }

    fn next_seq(&self) -> Seq {
        self.seq + 1
    }

    /// Gives an event the next number.
    fn happen(&mut self, follow: &mut Follow, audience: Audience, what: Happening) {
        self.seq += 1;
        let told = Told {
            audience,
            event: Event { seq: self.seq, what },
        };
        self.events.push_back(told.clone());
        while self.events.len() > RESUMABLE {
            self.events.pop_front();
        }
        follow.tell.push(told);
    }

    fn quote(&self, seq: Seq) -> Option<Quote> {
        self.at_hand(seq).map(|message| Quote {
            message: seq,
            name: message.author.name.clone(),
            text: message.text.chars().take(80).collect(),
        })
    }

    fn push_undo(&mut self, entry: u64, undo: Undo) {
        self.undo.push_back((entry, undo));
        while self.undo.len() > MOST_UNDO {
            self.undo.pop_front();
        }
    }
}

fn holds(restriction: &Restriction, now: Now) -> bool {
    restriction.until_ms.is_none_or(|until| until > now.wall_ms)
}

/// Viewers are not told which words are blocked: the list would teach them.
fn rules_for(role: Role, rules: &Rules) -> Rules {
    let mut rules = rules.clone();
    if role < Role::Moderator {
        rules.blocked_words.clear();
    }
    rules
}

/// An event as `role` may see it, where that differs from what happened.
pub fn veiled(role: Role, event: &Event) -> Option<Event> {
    match &event.what {
        Happening::Ruled { rules } if role < Role::Moderator => Some(Event {
            seq: event.seq,
            what: Happening::Ruled {
                rules: rules_for(role, rules),
            },
        }),
        _ => None,
    }
}
