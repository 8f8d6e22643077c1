//! What a client is told.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Entry, Event, MemberId, Message, RequestId, Seq, Snapshot, You};
use crate::chat::engage::wire::{Engagement, Pulse};
use crate::chat::personal::Export;
use crate::chat::products::wire::{Figure, Interest};
use crate::money::wire::MoneyAnswer;
use crate::viewers::{CurvePoint, ShowFigures, Watching};

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
        /// What the room does together, as it is after all that; absent when that is nothing.
        #[serde(skip_serializing_if = "Option::is_none")]
        engage: Option<Box<Engagement>>,
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
    /// Host and moderators: how many watch, at most once a second. It has no number, and whoever comes back is told anew.
    Watching {
        /// Those of the show that is on.
        watching: Watching,
    },
    /// What viewers did together, at most once a second. It has no number, and whoever comes back is told anew.
    Pulse(Pulse),
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
    /// The room's shows.
    Shows {
        /// The request's number.
        id: RequestId,
        /// The last one first, at most 50.
        shows: Vec<ShowFigures>,
    },
    /// A show minute by minute.
    Curve {
        /// The request's number.
        id: RequestId,
        /// Oldest first: the last day of it.
        minutes: Vec<CurvePoint>,
    },
    /// All that is kept of one member.
    Exported {
        /// The request's number.
        id: RequestId,
        /// It.
        export: Box<Export>,
    },
    /// What the books say.
    Money {
        /// The request's number.
        id: RequestId,
        /// What.
        answer: MoneyAnswer,
    },
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
    /// The visit, the vote or the reaction is taken note of.
    Counted,
    /// It takes part in the giveaway.
    Entered {
        /// What stands for it in the list that everybody can see after the draw.
        entry: String,
    },
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
    /// Watching costs something here: a ticket that holds is needed.
    Ticket,
    /// The ticket plays on as many devices as it may.
    Devices {
        /// How many.
        most: u32,
    },
    /// Nobody can pay here: payments are not set up, or Stripe does not take the key.
    NoPayments,
    /// Stripe does not do it now.
    PaymentsFail,
    /// That is over: the poll, the giveaway, the time for questions.
    Over,
    /// One of the kind goes on already.
    Busy,
    /// Somebody at the same address has entered.
    OneEach,
    /// The server cannot keep it now.
    Unavailable,
    /// Too many viewers come from this address, or too fast. Nobody is refused for good.
    Crowded {
        /// When to try again, in milliseconds from now.
        retry_after_ms: u32,
    },
}
