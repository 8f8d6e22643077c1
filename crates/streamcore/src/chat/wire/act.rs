//! What moderators and the host do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MemberId, Rules, Seq};
use crate::chat::engage::wire::EngageAct;
use crate::chat::products::wire::{Product, ProductId};
use crate::money::wire::MoneyAct;

/// What moderators do. What is marked with "host" is the host's alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Host: a link that makes whoever opens it a moderator. Answered with [`Done::Invited`](super::Done::Invited).
    Invite {
        /// How the moderator is called.
        name: String,
    },
    /// Host: an invitation is worth nothing from now on.
    Uninvite {
        /// The moderator.
        member: MemberId,
    },
    /// Host: what is kept of a member goes for good: messages, names, what waits. What keeps them from speaking stays, under
    /// no name.
    Forget {
        /// Whom.
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
    /// Host: something about money.
    Money {
        /// What.
        what: MoneyAct,
    },
    /// Polls, questions, giveaways, raids.
    Engage {
        /// What.
        what: EngageAct,
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
