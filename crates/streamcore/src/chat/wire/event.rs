//! What happens in a room.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Act, Author, Held, MemberId, Message, Moderator, Restriction, Rules, Seq};
use crate::chat::engage::wire::Engaged;
use crate::chat::products::wire::{Product, ProductId};
use crate::money::wire::MoneyHappening;

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
    /// Something about money.
    Money {
        /// What.
        what: MoneyHappening,
    },
    /// A poll, a question, a giveaway or a raid.
    Engaged {
        /// What.
        what: Engaged,
    },
    /// Moderators: a new entry of the log.
    Logged {
        /// Which.
        entry: Entry,
    },
}

/// One act in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
