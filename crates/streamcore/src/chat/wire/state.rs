//! What a room is made of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MemberId, Seq};
use crate::chat::identity::Role;
use crate::chat::products::wire::{Product, ProductId};
use crate::money::wire::Money;

/// How a room is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Words that viewers' messages may not hold; see [`crate::chat::blocked`]. At most 500 of 1 to 50 characters.
    pub blocked_words: Vec<String>,
    /// Messages with such words wait for a moderator instead of being refused.
    pub hold_blocked: bool,
    /// How long messages and the log are kept, 1 to 365 days.
    #[serde(default = "keep_days")]
    pub keep_days: u32,
}

/// Long enough to look into last month's show.
fn keep_days() -> u32 {
    30
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
            keep_days: keep_days(),
        }
    }
}

/// Who said something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub enum HeldFor {
    /// It holds a link.
    Link,
    /// It holds a blocked word.
    Word,
}

/// A message that waits for a moderator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Held {
    /// What.
    pub message: Message,
    /// Why.
    pub why: HeldFor,
}

/// What keeps a member from speaking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Moderator {
    /// Who.
    pub member: MemberId,
    /// What the host calls them.
    pub name: String,
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
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
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
    /// Tips, goal and tickets.
    pub money: Money,
}

/// The message on top.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Pinned {
    /// Which.
    pub message: Message,
    /// By whom: a name.
    pub by: String,
}
