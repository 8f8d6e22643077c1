//! What pages and desks are told of money, and what they ask. Every sum is in its currency's smallest unit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::amount::{Currency, Sum};

/// Number of an event in its room, as chat counts them.
type Seq = u64;

/// Number of a payment: 32 hexadecimal digits.
pub type PaymentId = String;

/// What the host does about money.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub enum MoneyAct {
    /// What tips are collected for, from now on; none without one. What was collected counts from nought.
    Goal {
        /// In words, for viewers: 1 to 80 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
        /// How much, in the smallest unit of `currency`.
        #[serde(default)]
        minor: u64,
        /// Three letters; the server's own.
        #[serde(default)]
        currency: String,
    },
    /// What watching costs from now on; whoever has no ticket is shown out. Free without one.
    Price {
        /// In the smallest unit of `currency`; 0: watching is free.
        minor: u64,
        /// Three letters; the server's own.
        #[serde(default)]
        currency: String,
    },
    /// Another show begins: revenue is counted anew, and the tickets sold so far open nothing any more.
    Show {
        /// Its name, at most 120 characters.
        title: String,
    },
    /// A payment is given back, all of it; a ticket then opens nothing any more.
    Refund {
        /// Which.
        payment: PaymentId,
    },
    /// All tickets of the show on sale now are given back.
    Cancel,
}

/// What viewers may pay.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct TipRules {
    /// Three letters.
    #[cfg_attr(test, ts(type = "string"))]
    pub currency: Currency,
    /// Digits behind the decimal point.
    pub digits: u8,
    /// Least of one tip.
    pub least: u64,
    /// Most of one tip.
    pub most: u64,
    /// Offered as buttons.
    pub presets: Vec<u64>,
}

/// What tips are collected for.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Goal {
    /// In words: text.
    pub label: String,
    /// How much is wanted.
    pub target: Sum,
    /// How much has come, in the same unit.
    pub raised: u64,
}

/// A tip that was paid.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Tip {
    /// Number of the event that told it.
    pub seq: Seq,
    /// When it was paid, in milliseconds since 1970 UTC.
    pub at_ms: u64,
    /// Who: a name, text.
    pub name: String,
    /// How much.
    pub sum: Sum,
    /// Text, never markup; at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Money, as a room has it.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Default)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Money {
    /// Whether no real money flows.
    pub test: bool,
    /// What may be tipped; absent without payments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<TipRules>,
    /// What a ticket costs; absent: watching is free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Sum>,
    /// What is collected for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// The last tips, oldest first.
    pub tips: Vec<Tip>,
}

/// What happens about money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub enum MoneyHappening {
    /// Somebody tipped.
    Tipped {
        /// What.
        tip: Tip,
    },
    /// The goal is another one, or nearer or farther.
    Goal {
        /// Which; absent: none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        goal: Option<Goal>,
    },
    /// Watching costs this from now on.
    Priced {
        /// Absent: nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ticket: Option<Sum>,
    },
    /// Another show begins.
    Show {
        /// Its number in the room, from 1.
        number: u32,
        /// Its name: text.
        title: String,
    },
    /// Host: the books have changed.
    Booked {
        /// The payment, as it stands now.
        sale: Sale,
    },
}

/// What was bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", rename = "SaleKind"))]
pub enum Kind {
    /// A tip.
    Tip,
    /// A ticket for one show.
    Ticket,
}

/// What becomes of giving a payment back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub enum Refund {
    /// It is wanted, and asked of Stripe until there is an answer.
    Wanted,
    /// Stripe is at it.
    Pending,
    /// Done.
    Done,
    /// It could not be done; the host may ask again.
    Failed {
        /// Why.
        why: RefundTrouble,
    },
}

/// Why a payment was not given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub enum RefundTrouble {
    /// Stripe does not take the key, or it may not refund.
    Key,
    /// Stripe's account has too little money.
    Balance,
    /// The payer contests it at their bank.
    Disputed,
    /// The payer's bank did not take it.
    Bank,
    /// Stripe refused for another reason: its pages say which.
    Refused,
    /// Stripe could not be reached for a day.
    Unreachable,
}

/// A payment, for the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Sale {
    /// Which.
    pub id: PaymentId,
    /// Of what.
    pub kind: Kind,
    /// Of which show, from 1.
    pub show: u32,
    /// When it was paid, in milliseconds since 1970 UTC.
    pub at_ms: u64,
    /// Who tipped: a name, text; absent for tickets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How much.
    pub sum: Sum,
    /// A tip's words: text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How much was given back.
    pub refunded: u64,
    /// What becomes of giving it back; absent: nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<Refund>,
    /// Whether the payer contests it at their bank.
    pub disputed: bool,
}

/// What one show brought in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Revenue {
    /// Which currency, three letters; all sums are in its smallest unit.
    #[cfg_attr(test, ts(type = "string"))]
    pub currency: Currency,
    /// Digits behind the decimal point.
    pub digits: u8,
    /// Tips that were paid.
    pub tips: u64,
    /// How many.
    pub tip_count: u32,
    /// Tickets that were paid.
    pub tickets: u64,
    /// How many.
    pub ticket_count: u32,
    /// What was given back of both.
    pub refunds: u64,
    /// The platform's part of what was not given back.
    pub fee: u64,
    /// What is left: tips and tickets without refunds and fee. Stripe's own fees are not in it.
    pub net: u64,
}

/// One show of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct ShowRevenue {
    /// Its number in the room, from 1.
    pub number: u32,
    /// Its name: text; empty if it has none.
    pub title: String,
    /// By currency.
    pub revenue: Vec<Revenue>,
}

/// What the host asks of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(
    test,
    derive(Serialize, ts_rs::TS),
    ts(export, export_to = "chat/", optional_fields)
)]
pub enum MoneyQuestion {
    /// What the last shows brought.
    Revenue,
    /// What was paid in a show, newest first, 100 at a time.
    Sales {
        /// Which show.
        show: u32,
        /// Older than this, in milliseconds since 1970 UTC.
        #[serde(default)]
        before_ms: Option<u64>,
    },
}

/// What the books say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "of", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub enum MoneyAnswer {
    /// What the last 20 shows brought.
    Revenue {
        /// Newest first; the first is the one on sale now.
        shows: Vec<ShowRevenue>,
        /// The platform's part, in hundredths of a percent.
        fee_basis_points: u16,
    },
    /// What was paid.
    Sales {
        /// Newest first.
        sales: Vec<Sale>,
        /// Whether there are older ones.
        more: bool,
    },
}
