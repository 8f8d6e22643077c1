//! Products in the protocol of [`crate::chat::wire`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the host's shop calls a product: 1 to 64 characters without spaces at the ends.
pub type ProductId = String;

/// One product of the show.
///
/// What a client says is looked at before anything else happens to it: texts lose what hides or turns around, too long
/// ones are refused by the name of their field. What viewers are told has the show in its link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Product {
    /// Which; once in a list.
    pub id: ProductId,
    /// What it is called: 1 to 120 characters of text.
    pub title: String,
    /// What it costs; absent: not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// A line about it, at most 200 characters of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What to type in the shop, at most 40 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promo_code: Option<String>,
    /// When code and reduced price are over, in milliseconds since 1970 UTC by the server's clock. Pages then show
    /// neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at_ms: Option<u64>,
    /// SHA-256, in 64 small hexadecimal digits, of an image that was put into the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Where it is bought, at most 2000 characters: https, or http on this machine. The server puts the show into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// How many there are.
    #[serde(default)]
    #[cfg_attr(test, ts(optional = false))]
    pub stock: Stock,
}

/// What a product costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Price {
    /// In the currency's smallest unit, below 2^53: 3230 is 32.30 EUR.
    pub minor: u64,
    /// Three capital letters (ISO 4217).
    pub currency: String,
    /// Digits of the smallest unit behind the point, 0 to 4.
    pub digits: u8,
    /// The regular price, where this one is lower; what is not higher is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_minor: Option<u64>,
}

/// How many there are of a product.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub enum Stock {
    /// Enough.
    #[default]
    #[serde(rename = "in_stock")]
    Enough,
    /// Few.
    Low {
        /// How many.
        left: u32,
    },
    /// None. A featured product stays featured and says so.
    SoldOut,
}

/// What a viewer does with a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub enum Visit {
    /// Looks at it in the shop.
    Opened,
    /// Wants it: goes to the shop by "add to cart".
    Carted,
}

/// How much viewers want a product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Interest {
    /// Which.
    pub product: ProductId,
    /// How often it was looked at.
    pub opened: u64,
    /// How often it was wanted.
    pub carted: u64,
}

/// What viewers did with one product in one minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Figure {
    /// When the minute began, in milliseconds since 1970 UTC.
    pub minute_ms: u64,
    /// Which.
    pub product: ProductId,
    /// How many looked at it.
    pub opened: u64,
    /// How many wanted it.
    pub carted: u64,
}
