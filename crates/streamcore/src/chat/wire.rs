//! What a room's chat and its clients say to each other, over one WebSocket, as JSON text.
//!
//! A client says `hello` first, within ten seconds. The answer is `welcome` with a snapshot, or with what it missed
//! since the sequence number that it names. From then on `events` follow in order; each number is said once. What a
//! client asks for carries a number of its own choice and is answered with `done`, `refused`, or the page it wanted.

use serde::{Deserialize, Serialize};

use super::identity::Role;
use super::products::wire::{Figure, Interest, Product, ProductId, Visit};
use super::text::Text;

/// Version of this protocol. A client of another version is told so and turned away.
pub const VERSION: u32 = 1;

/// Number of an event in its room: 1 is the first; a message is known by the number of the event that brought it.
/// Stays below 2^53.
pub type Seq = u64;
/// Who speaks, for as long as the room keeps anything of them.
pub type MemberId = String;
/// Number that a client gives to a request.
pub type RequestId = u32;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(
    test,
    derive(Serialize, ts_rs::TS),
    ts(export, export_to = "chat/", optional_fields)
)]
pub enum FromClient {
    /// The first message.
    Hello {
        /// [`VERSION`].
        version: u32,
        /// Who it is, as an earlier `welcome`, an invitation or the host's own site gave it.
        #[serde(default)]
        token: Option<String>,
        /// How it wants to be called, if the token does not say.
        #[serde(default)]
        name: Option<String>,
        /// The last event that it has seen.
        #[serde(default)]
        last_seq: Option<Seq>,
    },
    /// A message for everybody.
    Say {
        /// Its number.
        id: RequestId,
        /// The words.
        text: Text,
        /// The message that it answers.
        #[serde(default)]
        reply_to: Option<Seq>,
    },
    /// Another name.
    Rename {
        /// Its number.
        id: RequestId,
        /// The name.
        name: String,
    },
    /// An act of moderation.
    Moderate {
        /// Its number.
        id: RequestId,
        /// What.
        act: Act,
        /// Why, for the log.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Messages before those that it has.
    History {
        /// Its number.
        id: RequestId,
        /// Older than this one.
        before: Seq,
        /// Only those with these words in them.
        #[serde(default)]
        search: Option<String>,
    },
    /// Acts of moderation, newest first.
    Log {
        /// Its number.
        id: RequestId,
        /// Older than this entry.
        #[serde(default)]
        before: Option<u64>,
    },
    /// A viewer goes to the shop. Counts once a minute for the same product and the same thing.
    Visited {
        /// Its number.
        id: RequestId,
        /// Of which product.
        product: ProductId,
        /// What for.
        what: Visit,
    },
    /// Host and moderators: what viewers did with products, minute by minute.
    Figures {
        /// Its number.
        id: RequestId,
        /// From this moment on, in milliseconds since 1970 UTC.
        #[serde(default)]
        from_ms: u64,
    },
}

/// What moderators do. What is marked with "host" is the host's alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub enum Act {
    /// One message stays on top.
    Pin {
        /// Which.
        message: Seq,
    },
    /// None stays on top.
    Unpin,
    /// One message goes.
    Delete {
        /// Which.
        message: Seq,
    },
    /// All that a member has said goes.
    DeleteAllOf {
        /// Whose.
        member: MemberId,
    },
    /// A member may not speak for a while.
    TimeOut {
        /// Who.
        member: MemberId,
        /// How long, 1 s to 14 days.
        seconds: u32,
    },
    /// A member, and whoever comes from the same address without an account, may not speak any more.
    Ban {
        /// Who.
        member: MemberId,
    },
    /// Whatever keeps a member from speaking is lifted.
    Lift {
        /// Who.
        member: MemberId,
    },
    /// A held message is shown.
    Release {
        /// Which.
        message: Seq,
    },
    /// A held message is not shown.
    Refuse {
        /// Which.
        message: Seq,
    },
    /// All messages go.
    Clear,
    /// How the room is run.
    Change {
        /// All of it.
        rules: Rules,
    },
    /// An act of the log is taken back, where it can be.
    Undo {
        /// Its number in the log.
        entry: u64,
    },
    /// Host: a link that makes whoever opens it a moderator. Answered with [`Done::Invited`].
    Invite {
        /// How the moderator is called.
        name: String,
    },
    /// Host: an invitation is worth nothing from now on.
    Uninvite {
        /// The moderator.
        member: MemberId,
    },
    /// Host: the show's products, at most 200, in their order. What is featured and still among them stays featured.
    /// The log says that it was done and leaves the list out.
    Products {
        /// All of them.
        list: Vec<Product>,
    },
    /// Host: one product of the list is another one now: its price, its stock, its note.
    Product {
        /// All of it.
        product: Product,
    },
    /// These products of the list are shown, at most 3, and no others.
    Feature {
        /// Which, in their order.
        products: Vec<ProductId>,
    },
}

impl Act {
    /// As it stands in the log: what would fill it is left out.
    pub fn for_the_log(&self) -> Self {
        match self {
            Self::Products { .. } => Self::Products { list: Vec::new() },
            act => act.clone(),
        }
    }
}

/// How a room is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Rules {
    /// Least time between two messages of one viewer, 0 to 3600 s; 0 is no slow mode.
    pub slow_mode_s: u32,
    /// Messages with links wait for a moderator.
    pub hold_links: bool,
    /// Viewers may send emoji only.
    pub emoji_only: bool,
    /// Only host and moderators may speak.
    pub locked: bool,
    /// Words that viewers' messages may not hold; see [`super::blocked`]. At most 500 of 1 to 50 characters.
    pub blocked_words: Vec<String>,
    /// Messages with such words wait for a moderator instead of being refused.
    pub hold_blocked: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            slow_mode_s: 0,
            hold_links: true,
            emoji_only: false,
            locked: false,
            blocked_words: Vec::new(),
            hold_blocked: true,
        }
    }
}

/// Who said something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Author {
    /// Who.
    pub id: MemberId,
    /// Their name at that time: text.
    pub name: String,
    /// Their role at that time.
    pub role: Role,
}

/// The message that another one answers, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Quote {
    /// Which.
    pub message: Seq,
    /// Its author's name.
    pub name: String,
    /// Its first 80 characters.
    pub text: String,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Message {
    /// Its number.
    pub seq: Seq,
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: u64,
    /// By whom.
    pub author: Author,
    /// The words: text, never markup.
    pub text: String,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Quote>,
    /// Members whose names stand in it after an @.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<String>>"))]
    pub mentions: Vec<MemberId>,
}

/// Why a message waits for a moderator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub enum HeldFor {
    /// It holds a link.
    Link,
    /// It holds a blocked word.
    Word,
}

/// A message that waits for a moderator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Held {
    /// What.
    pub message: Message,
    /// Why.
    pub why: HeldFor,
}

/// What keeps a member from speaking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Restriction {
    /// Whom.
    pub member: MemberId,
    /// Their name when it began.
    pub name: String,
    /// Until when, in milliseconds since 1970 UTC; absent: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
}

/// Somebody whom the host has invited to keep order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Moderator {
    /// Who.
    pub member: MemberId,
    /// What the host calls them.
    pub name: String,
}

/// Something that happened in the room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub enum Happening {
    /// Somebody spoke.
    Said {
        /// What.
        message: Message,
    },
    /// Messages are gone.
    Deleted {
        /// Which.
        messages: Vec<Seq>,
    },
    /// All that a member had said is gone.
    AllDeleted {
        /// Whose.
        member: MemberId,
    },
    /// Messages are back.
    Restored {
        /// Which, as they were.
        messages: Vec<Message>,
    },
    /// All messages up to now are gone.
    Cleared,
    /// A message stays on top.
    Pinned {
        /// Which.
        message: Message,
        /// By whom: a name.
        by: String,
    },
    /// None stays on top.
    Unpinned,
    /// The room is run in another way. Viewers are not told the blocked words.
    Ruled {
        /// How.
        rules: Rules,
    },
    /// Moderators: a message waits.
    Held {
        /// Which.
        held: Held,
    },
    /// Moderators: a message waits no longer.
    Decided {
        /// Which.
        message: Seq,
    },
    /// Moderators, and the one it is about: somebody may not speak.
    Restricted {
        /// Who.
        restriction: Restriction,
    },
    /// Moderators, and the one it is about: somebody may speak again.
    Lifted {
        /// Who.
        member: MemberId,
    },
    /// Moderators: there is one more of them.
    Invited {
        /// Who.
        moderator: Moderator,
    },
    /// Moderators: one of them is none any more, and is turned away.
    Uninvited {
        /// Who.
        member: MemberId,
    },
    /// The show's products are others.
    Listed {
        /// All of them, in their order.
        products: Vec<Product>,
        /// Those of them that are shown.
        featured: Vec<ProductId>,
    },
    /// One product of the list is another one now.
    ProductChanged {
        /// All of it.
        product: Product,
    },
    /// These products of the list are shown, and no others.
    Featured {
        /// Which, in their order.
        products: Vec<ProductId>,
        /// By whom: a name.
        by: String,
    },
    /// Moderators: a new entry of the log.
    Logged {
        /// Which.
        entry: Entry,
    },
}

/// One act in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Entry {
    /// Its number.
    pub number: u64,
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: u64,
    /// By whom.
    pub by: Author,
    /// What. The name of an invited moderator stands in it, the link does not.
    pub act: Act,
    /// On whom, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whom: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it can be taken back still.
    pub undoable: bool,
}

/// An event with its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Event {
    /// Its number. Numbers that are missing were not for this client.
    pub seq: Seq,
    /// What.
    #[serde(flatten)]
    pub what: Happening,
}

/// Who the client is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct You {
    /// Number by which others see it.
    pub id: MemberId,
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// To be shown next time. A secret.
    pub token: String,
    /// What keeps it from speaking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restriction: Option<Restriction>,
}

/// The room as it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Snapshot {
    /// The last messages, oldest first.
    pub messages: Vec<Message>,
    /// The one on top, and who put it there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Pinned>,
    /// How it is run.
    pub rules: Rules,
    /// Moderators: what waits.
    pub held: Vec<Held>,
    /// Moderators: who may not speak.
    pub restrictions: Vec<Restriction>,
    /// Moderators: whom the host has invited, by name.
    pub moderators: Vec<Moderator>,
    /// The show's products, in their order.
    pub products: Vec<Product>,
    /// Those of them that are shown.
    pub featured: Vec<ProductId>,
}

/// The message on top.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Pinned {
    /// Which.
    pub message: Message,
    /// By whom: a name.
    pub by: String,
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub enum ToClient {
    /// The answer to `hello`.
    Welcome {
        /// [`VERSION`].
        version: u32,
        /// Who it is.
        you: You,
        /// The last event's number.
        seq: Seq,
        /// The server's clock, in milliseconds since 1970 UTC: what ends at a moment ends by this one.
        now_ms: u64,
        /// Host and moderators: how much viewers want the products.
        #[serde(skip_serializing_if = "Option::is_none")]
        interest: Option<Vec<Interest>>,
        /// The room; absent when `events` has all that was missed.
        #[serde(skip_serializing_if = "Option::is_none")]
        snapshot: Option<Box<Snapshot>>,
        /// What was missed, oldest first.
        events: Vec<Event>,
    },
    /// What happened, oldest first. Written by hand from events that were serialized once for all.
    #[expect(dead_code, reason = "its JSON is put together, so that it is typed here only")]
    Events {
        /// What.
        events: Vec<Event>,
    },
    /// Host and moderators: how much viewers want the products, at most once a second. It has no number, and whoever
    /// comes back is told anew.
    Interest {
        /// Those that somebody has touched, with all that was counted.
        products: Vec<Interest>,
    },
    /// It is done, and kept.
    Done {
        /// The request's number.
        id: RequestId,
        /// With what result.
        #[serde(flatten)]
        what: Done,
    },
    /// It is not done; nothing has changed.
    Refused {
        /// The request's number; absent for a message that could not be read.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
        /// Why.
        #[serde(flatten)]
        why: Refused,
    },
    /// Messages.
    History {
        /// The request's number.
        id: RequestId,
        /// Oldest first.
        messages: Vec<Message>,
        /// Whether there are older ones.
        more: bool,
    },
    /// Acts of moderation.
    Log {
        /// The request's number.
        id: RequestId,
        /// Newest first.
        entries: Vec<Entry>,
    },
    /// What viewers did with products.
    Figures {
        /// The request's number.
        id: RequestId,
        /// Oldest first.
        figures: Vec<Figure>,
        /// Whether there are later ones: ask again from the last one's minute on.
        more: bool,
    },
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub enum Done {
    /// The message is there for all.
    Said {
        /// Its number.
        seq: Seq,
    },
    /// The message waits for a moderator.
    Held,
    /// The act is done.
    Acted,
    /// The name is changed.
    Renamed {
        /// As it is now.
        name: String,
        /// To be shown next time. A secret.
        token: String,
    },
    /// A moderator is invited.
    Invited {
        /// The moderator.
        member: MemberId,
        /// What makes one: to be handed over in private. A secret.
        token: String,
    },
    /// The visit is taken note of.
    Counted,
}

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub enum Refused {
    /// Not JSON of this protocol.
    Unreadable {
        /// What the reader met.
        detail: String,
    },
    /// Another version of the protocol: the page must be loaded again.
    Version {
        /// The server's.
        wanted: u32,
    },
    /// The token is not this room's, has expired or was taken back.
    Token,
    /// No words.
    Empty,
    /// Too many words.
    TooLong {
        /// The most characters.
        most: u32,
    },
    /// Too fast.
    TooFast {
        /// When the next message may come, in milliseconds from now.
        retry_after_ms: u32,
    },
    /// Only host and moderators may speak.
    Locked,
    /// Emoji only.
    EmojiOnly,
    /// It holds a blocked word.
    Blocked,
    /// Not for a while.
    TimedOut {
        /// For how long still, in milliseconds.
        retry_after_ms: u64,
    },
    /// Not any more.
    Banned,
    /// Not in this role.
    NotAllowed,
    /// No such message, member, product or entry.
    Unknown,
    /// It cannot be taken back, or is already.
    NotUndoable,
    /// A number or a length is out of its range.
    OutOfRange {
        /// Which.
        field: String,
    },
    /// The server cannot keep it now.
    Unavailable,
    /// Too many viewers come from this address, or too fast. Nobody is refused for good.
    Crowded {
        /// When to try again, in milliseconds from now.
        retry_after_ms: u32,
    },
}
