//! What a client asks for.

use serde::Deserialize;
#[cfg(test)]
use serde::Serialize;

use super::{Act, MemberId, RequestId, Seq};
use crate::chat::engage::wire::Part;
use crate::chat::products::wire::{ProductId, Visit};
use crate::chat::text::Text;
use crate::money::wire::MoneyQuestion;

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
        /// [`VERSION`](super::VERSION).
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
        /// What this device was given for its ticket, where watching costs something.
        #[serde(default)]
        pass: Option<String>,
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
    /// A viewer takes part in what the room does together.
    Engage {
        /// Its number.
        id: RequestId,
        /// How.
        what: Part,
    },
    /// Host and moderators: what viewers did with products, minute by minute.
    Figures {
        /// Its number.
        id: RequestId,
        /// From this moment on, in milliseconds since 1970 UTC.
        #[serde(default)]
        from_ms: u64,
    },
    /// Host and moderators: the room's shows and how many watched, the last one first.
    Shows {
        /// Its number.
        id: RequestId,
    },
    /// Host and moderators: a show minute by minute.
    Curve {
        /// Its number.
        id: RequestId,
        /// The show's number.
        show: u64,
    },
    /// Host: all that is kept of one member.
    Export {
        /// Its number.
        id: RequestId,
        /// Of whom.
        member: MemberId,
    },
    /// Host: a look into the books.
    Money {
        /// Its number.
        id: RequestId,
        /// What for.
        question: MoneyQuestion,
    },
}
