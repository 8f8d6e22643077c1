//! One task per room: takes what its clients ask in turn, keeps what follows, and only then tells anybody.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{broadcast, mpsc, oneshot};

use super::doors::Doors;
use super::engage::wire::{Engagement, Part};
use super::identity::{Role, Tokens};
use super::keep::{KeepError, Keeper};
use super::products::wire::{Interest, ProductId, Visit};
use super::room::{AddressHash, Follow, Now, Room, Speaker, Told, veiled};
use super::site::Site;
use super::text::Text;
use super::wire::{Act, Done, Event, Happening, MemberId, Refused, Restriction, Seq, Snapshot, ToClient};
use crate::money::{Booked, Gate, Word};
use crate::room::{RoomId, wall_ms};
use crate::settings::Limits;
use crate::viewers::Viewers;

/// Requests that wait for a room; whoever brings more waits in its socket.
const QUEUE: usize = 1024;
/// Requests of one turn, and so of one transaction.
const TURN: usize = 256;
/// Batches that a client may be behind before it has to come back and ask what it missed.
const BEHIND: usize = 512;

/// An event as JSON, written once for all who are told.
#[derive(Debug)]
pub struct Shipped {
    pub told: Told,
    json: String,
    /// For viewers, where they may see less.
    for_viewers: Option<String>,
}

impl Shipped {
    fn new(told: Told) -> Self {
        let json = |event: &Event| serde_json::to_string(event).unwrap_or_default();
        Self {
            json: json(&told.event),
            for_viewers: veiled(Role::Viewer, &told.event).as_ref().map(json),
            told,
        }
    }

    /// Whether it says that this member is a moderator no more.
    pub fn turns_away(&self, member: &str) -> bool {
        matches!(&self.told.event.what, Happening::Uninvited { member: one } if one == member)
    }

    /// The event, if this member is told of it.
    pub fn json_for(&self, role: Role, member: &str) -> Option<&str> {
        let text = match &self.for_viewers {
            Some(text) if role < Role::Moderator => text,
            _ => &self.json,
        };
        (self.told.audience.has(role, member) && !text.is_empty()).then_some(text)
    }
}

/// What is told at once.
#[derive(Debug, Clone)]
pub enum Batch {
    /// The events of one turn.
    Events(Arc<Vec<Shipped>>),
    /// For host and moderators: a whole message, as JSON.
    Interest(Arc<str>),
    /// These tickets hold no more.
    TicketsEnd(Arc<[String]>),
    /// For all: a whole message, as JSON.
    Pulse(Arc<str>),
}

/// Somebody who has joined.
#[derive(Debug)]
pub struct Joined {
    /// The last event's number at that moment.
    pub seq: Seq,
    /// The room, unless `missed` has all.
    pub snapshot: Option<Box<Snapshot>>,
    /// For host and moderators.
    pub interest: Option<Vec<Interest>>,
    /// What the room does together, if anything.
    pub engage: Option<Box<Engagement>>,
    /// What was missed.
    pub missed: Vec<Event>,
    /// What keeps the member from speaking.
    pub restriction: Option<Restriction>,
    /// What happens from then on.
    pub batches: broadcast::Receiver<Batch>,
}

/// A room as somebody may see it who does not join.
#[derive(Debug)]
pub struct Looked {
    /// The last event's number at that moment.
    pub seq: Seq,
    /// The room.
    pub snapshot: Box<Snapshot>,
    /// For host and moderators.
    pub interest: Option<Vec<Interest>>,
    /// What keeps the member from speaking.
    pub restriction: Option<Restriction>,
}

/// What a room is asked.
#[derive(Debug)]
pub enum Ask {
    Look {
        speaker: Speaker,
        reply: oneshot::Sender<Looked>,
    },
    Join {
        speaker: Speaker,
        last_seq: Option<Seq>,
        reply: oneshot::Sender<Result<Joined, Refused>>,
    },
    /// The name under which an invited moderator is known; `None` if the invitation does not hold.
    Invited {
        member: MemberId,
        reply: oneshot::Sender<Option<String>>,
    },
    /// The acts that can be taken back, by their numbers in the log.
    Undoable {
        reply: oneshot::Sender<HashSet<u64>>,
    },
    Say {
        speaker: Speaker,
        text: Text,
        reply_to: Option<Seq>,
        reply: oneshot::Sender<Result<Done, Refused>>,
    },
    Moderate {
        by: Speaker,
        /// In a box: a product is larger than all the others.
        act: Box<Act>,
        reason: Option<String>,
        reply: oneshot::Sender<Result<Done, Refused>>,
    },
    Visit {
        by: Speaker,
        product: ProductId,
        what: Visit,
        reply: oneshot::Sender<Result<Done, Refused>>,
    },
    /// Whether somebody may say these words with a tip, and how they will be shown.
    MayTip {
        speaker: Speaker,
        message: Option<Text>,
        reply: oneshot::Sender<Result<Option<String>, Refused>>,
    },
    /// Something is new of a payment.
    Money {
        word: Box<Word>,
        reply: oneshot::Sender<Result<Done, Refused>>,
    },
    TakePart {
        by: Speaker,
        part: Part,
        reply: oneshot::Sender<Result<Done, Refused>>,
    },
    Leave {
        member: MemberId,
    },
}

/// A room's queue.
#[derive(Debug, Clone)]
pub struct RoomHandle {
    asks: mpsc::Sender<Ask>,
    /// Shared by the room's task, the list of rooms, and whoever is in the room or about to be.
    held: Arc<()>,
}

/// The room's task and the list of rooms.
const NOBODY_ELSE: usize = 2;

impl RoomHandle {
    /// Asks and waits for the answer; `Unavailable` when the room's task is gone.
    pub async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, Refused> {
        let (reply, answer) = oneshot::channel();
        self.asks
            .send(ask(reply))
            .await
            .map_err(|_| Refused::Unavailable)?;
        answer.await.map_err(|_| Refused::Unavailable)
    }

    /// Says that a member is gone.
    pub async fn leave(&self, member: MemberId) {
        // A room that is gone has forgotten the member already.
        let _ = self.asks.send(Ask::Leave { member }).await;
    }
}

/// All rooms that somebody is in, and what they share.
#[derive(Debug)]
pub struct Chat {
    pub keeper: Keeper,
    pub tokens: Tokens,
    /// For tokens of the host's own site.
    pub site: Option<Site>,
    pub doors: Arc<Doors>,
    pub viewers: Arc<Viewers>,
    /// Tickets, and where they are paid.
    pub gate: Arc<Gate>,
    rooms: Mutex<HashMap<RoomId, RoomHandle>>,
    most_rooms: usize,
}

impl Chat {
    pub fn new(
        keeper: Keeper,
        tokens: Tokens,
        site: Option<Site>,
        gate: Arc<Gate>,
        viewers: Arc<Viewers>,
        limits: &Limits,
    ) -> Self {
        Self {
            keeper,
            tokens,
            site,
            doors: Doors::new(limits),
            viewers,
            gate,
            rooms: Mutex::default(),
            most_rooms: limits.rooms,
        }
    }

    /// Waits for what is being kept, and closes the database.
    pub async fn close(&self) {
        let rooms = std::mem::take(&mut *self.rooms.lock().unwrap_or_else(PoisonError::into_inner));
        drop(rooms);
        self.keeper.close().await;
    }

    /// The room, awake.
    ///
    /// # Errors
    /// `Unavailable` when there is no place for another room.
    pub fn room(&self, room: &RoomId) -> Result<RoomHandle, Refused> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = rooms.get(room).filter(|handle| !handle.asks.is_closed()) {
            return Ok(handle.clone());
        }
        if rooms.len() >= self.most_rooms {
            rooms.retain(|_, handle| Arc::strong_count(&handle.held) > NOBODY_ELSE);
        }
        if rooms.len() >= self.most_rooms {
            return Err(Refused::Unavailable);
        }
        let (asks, receiver) = mpsc::channel(QUEUE);
        let handle = RoomHandle {
            asks,
            held: Arc::default(),
        };
        let actor = Actor {
            id: room.clone(),
            keeper: self.keeper.clone(),
            gate: Arc::clone(&self.gate),
            asks: receiver,
            _held: Arc::clone(&handle.held),
            members: HashMap::new(),
        };
        tokio::spawn(actor.run());
        rooms.insert(room.clone(), handle.clone());
        Ok(handle)
    }
}

/// Ends when nobody holds its queue any more: when the server stops, or the room gave way to another.
struct Actor {
    id: RoomId,
    keeper: Keeper,
    gate: Arc<Gate>,
    asks: mpsc::Receiver<Ask>,
    _held: Arc<()>,
    /// Who is there, how often, and from where.
    members: HashMap<MemberId, (usize, AddressHash)>,
}

/// An answer that waits until what it promises is kept.
type Owed = (oneshot::Sender<Result<Done, Refused>>, Result<Done, Refused>);

/// What a turn has gathered.
#[derive(Default)]
struct Turn {
    follow: Follow,
    owed: Vec<Owed>,
}

impl Actor {
    async fn run(mut self) {
        let mut asks = Vec::with_capacity(TURN);
        // A room that cannot be read is tried again by whoever comes next.
        while let Ok(room) = self.load().await {
            if self.serve(room, &mut asks).await.is_ok() {
                return;
            }
            // What was not kept did not happen: the room is read again, and clients come back to see it as it is.
            self.members.clear();
        }
    }

    async fn load(&self) -> Result<Room, ()> {
        match self.keeper.load(&self.id).await {
            Ok(kept) => Ok(Room::new(self.id.clone(), kept)),
            Err(error) => {
                self.lost(&error);
                Err(())
            }
        }
    }

    fn lost(&self, error: &KeepError) {
        tracing::error!(room = %self.id, error = error as &(dyn std::error::Error + 'static), "the room database failed");
    }

    /// Until nobody asks any more; an error says that the database failed.
    async fn serve(&mut self, mut room: Room, asks: &mut Vec<Ask>) -> Result<(), ()> {
        let (batches, _) = broadcast::channel(BEHIND);
        loop {
            if asks.is_empty() {
                let now = now();
                let tell_at = room
                    .interest_at(now.at)
                    .into_iter()
                    .chain(room.engage_at(now))
                    .min();
                tokio::select! {
                    count = self.asks.recv_many(asks, TURN) => if count == 0 {
                        return Ok(());
                    },
                    () = wait_until(tell_at), if tell_at.is_some() => {}
                }
            }
            let mut turn = Turn::default();
            for ask in asks.drain(..) {
                self.take(&mut room, &mut turn, &batches, ask).await?;
            }
            let now = now();
            turn.follow_up(room.expire(now));
            turn.follow_up(room.engage_on_time(now));
            self.settle(&mut turn, &batches).await?;
            tell_interest(&mut room, &batches);
            tell_pulse(&mut room, &batches, now.at);
        }
    }

    async fn take(
        &mut self,
        room: &mut Room,
        turn: &mut Turn,
        batches: &broadcast::Sender<Batch>,
        ask: Ask,
    ) -> Result<(), ()> {
        let now = now();
        match ask {
            Ask::Join {
                speaker,
                last_seq,
                reply,
            } => {
                // Whoever joins sees what the turn has done so far, and hears what comes after it.
                self.settle(turn, batches).await?;
                let joined = self.join(room, batches, &speaker, last_seq, now);
                if reply.send(Ok(joined)).is_err() {
                    self.leave(&speaker.author.id);
                }
            }
            Ask::Look { speaker, reply } => {
                // What is shown is kept, as for whoever joins.
                self.settle(turn, batches).await?;
                let _gone_is_as_good = reply.send(look(room, &speaker, now));
            }
            Ask::Invited { member, reply } => {
                let _gone_is_as_good = reply.send(room.invited(&member).map(str::to_owned));
            }
            Ask::Undoable { reply } => {
                let _gone_is_as_good = reply.send(room.undoable().collect());
            }
            Ask::Say {
                speaker,
                text,
                reply_to,
                reply,
            } => turn.add(reply, room.say(&speaker, &text, reply_to, now)),
            Ask::Moderate {
                by,
                act,
                reason,
                reply,
            } => {
                let address_of = |member: &str| self.members.get(member).map(|(_, address)| *address);
                turn.add(
                    reply,
                    room.moderate(&by, &act, reason.as_deref(), address_of, now),
                );
            }
            Ask::Visit {
                by,
                product,
                what,
                reply,
            } => turn.add(reply, room.visit(&by, &product, what, now)),
            Ask::MayTip {
                speaker,
                message,
                reply,
            } => {
                let _gone_is_as_good = reply.send(room.may_tip(&speaker, message.as_ref(), now));
            }
            Ask::Money { word, reply } => {
                // The books are read: what the turn has gathered must stand in them.
                self.settle(turn, batches).await?;
                let result = self.book(room, &word, now).await?;
                turn.add(reply, result);
                self.settle(turn, batches).await?;
            }
            Ask::TakePart { by, part, reply } => turn.add(reply, room.take_part(&by, &part, now)),
            Ask::Leave { member } => self.leave(&member),
        }
        Ok(())
    }

    /// What a word about a payment comes to; an error says that the database failed.
    async fn book(
        &self,
        room: &mut Room,
        word: &Word,
        now: Now,
    ) -> Result<Result<(Done, Follow), Refused>, ()> {
        let Word { payment, fact, event } = word;
        let booked = self
            .keeper
            .book(&self.id, payment, fact, event.as_deref(), now.wall_ms)
            .await;
        Ok(match booked {
            Ok(Booked::New(booking)) => Ok((Done::Acted, room.book(*booking))),
            Ok(Booked::Known) => Ok((Done::Acted, Follow::default())),
            Ok(Booked::Unknown) => Err(Refused::Unknown),
            Ok(Booked::Wrong) => {
                tracing::error!(room = %self.id, payment, "Stripe speaks of another sum than was asked for, it is not booked");
                Ok((Done::Acted, Follow::default()))
            }
            Err(error) => {
                self.lost(&error);
                return Err(());
            }
        })
    }

    fn join(
        &mut self,
        room: &Room,
        batches: &broadcast::Sender<Batch>,
        speaker: &Speaker,
        last_seq: Option<Seq>,
        now: Now,
    ) -> Joined {
        let author = &speaker.author;
        let here = self
            .members
            .entry(author.id.clone())
            .or_insert((0, speaker.address));
        here.0 += 1;
        here.1 = speaker.address;
        let missed = last_seq.and_then(|seq| room.since(seq, author.role, &author.id));
        let engage = room.engagement(author.role, &author.id, now);
        Joined {
            engage: (!engage.is_nothing()).then(|| Box::new(engage)),
            seq: room.seq(),
            snapshot: missed
                .is_none()
                .then(|| Box::new(room.snapshot(author.role, now))),
            interest: (author.role >= Role::Moderator).then(|| room.interest()),
            missed: missed.unwrap_or_default(),
            restriction: room.restriction(speaker, now).cloned(),
            batches: batches.subscribe(),
        }
    }

    fn leave(&mut self, member: &str) {
        if let Some(here) = self.members.get_mut(member) {
            here.0 -= 1;
            if here.0 == 0 {
                self.members.remove(member);
            }
        }
    }

    /// Keeps what the turn has gathered, tells it, and answers.
    async fn settle(&mut self, turn: &mut Turn, batches: &broadcast::Sender<Batch>) -> Result<(), ()> {
        let Turn { follow, owed } = std::mem::take(turn);
        let seq = follow.tell.last().map(|told| told.event.seq);
        if !follow.keep.is_empty()
            && let Err(error) = self.keeper.keep(&self.id, seq, &follow.keep).await
        {
            self.lost(&error);
            for (reply, answer) in owed {
                let _gone_is_as_good = reply.send(answer.and(Err(Refused::Unavailable)));
            }
            return Err(());
        }
        // Before anybody hears of it: whoever is shown out and comes back at once is judged by what is now.
        let ended = self.gate.follow(&self.id, &follow.keep);
        if !ended.is_empty() {
            // An error says that nobody is there.
            let _ = batches.send(Batch::TicketsEnd(ended.into()));
        }
        if !follow.tell.is_empty() {
            let events = follow.tell.into_iter().map(Shipped::new).collect();
            // An error says that nobody is there to be told.
            let _ = batches.send(Batch::Events(Arc::new(events)));
        }
        for (reply, answer) in owed {
            let _gone_is_as_good = reply.send(answer);
        }
        Ok(())
    }
}

fn look(room: &Room, speaker: &Speaker, now: Now) -> Looked {
    let role = speaker.author.role;
    Looked {
        seq: room.seq(),
        snapshot: Box::new(room.snapshot(role, now)),
        interest: (role >= Role::Moderator).then(|| room.interest()),
        restriction: room.restriction(speaker, now).cloned(),
    }
}

/// Tells host and moderators of clicks, if it is time. Clicks have no numbers of their own: a thousand of them would
/// push out what those who come back are told.
fn tell_interest(room: &mut Room, batches: &broadcast::Sender<Batch>) {
    let now = Instant::now();
    if room.interest_at(now).is_none_or(|at| at > now) {
        return;
    }
    room.interest_told(now);
    let message = ToClient::Interest {
        products: room.interest(),
    };
    if let Ok(json) = serde_json::to_string(&message) {
        // An error says that nobody is there to be told.
        let _ = batches.send(Batch::Interest(json.into()));
    }
}

/// Tells everybody what viewers did together, if it is time.
fn tell_pulse(room: &mut Room, batches: &broadcast::Sender<Batch>, now: Instant) {
    let Some(pulse) = room.pulse(now) else { return };
    if let Ok(json) = serde_json::to_string(&ToClient::Pulse(pulse)) {
        // An error says that nobody is there to be told.
        let _ = batches.send(Batch::Pulse(json.into()));
    }
}

fn now() -> Now {
    Now {
        wall_ms: wall_ms(),
        at: Instant::now(),
    }
}

/// Never, without a moment.
pub async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

impl Turn {
    fn add(
        &mut self,
        reply: oneshot::Sender<Result<Done, Refused>>,
        result: Result<(Done, Follow), Refused>,
    ) {
        let answer = result.map(|(done, follow)| {
            self.follow_up(follow);
            done
        });
        self.owed.push((reply, answer));
    }

    fn follow_up(&mut self, follow: Follow) {
        self.follow.keep.extend(follow.keep);
        self.follow.tell.extend(follow.tell);
    }
}
