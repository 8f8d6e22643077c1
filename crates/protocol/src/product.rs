//! Products: the catalogue's, and those that the show has chosen.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{ProductId, RangeError, ShopId};

/// Text of somebody else (a shop, a spreadsheet) with a length: at most `MOST` characters, none of them a control
/// character. Longer text does not parse.
#[derive(Debug, Clone, PartialEq, Eq, Default, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(as = "String")]
pub struct Text<const MOST: usize>(String);

impl<const MOST: usize> Text<MOST> {
    /// As much of a text as fits, without control characters and without spaces at its ends.
    pub fn cut(text: &str) -> Self {
        let kept = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        let text: String = kept.collect::<String>().trim().chars().take(MOST).collect();
        Self(text.trim_end().to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// No character at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<const MOST: usize> TryFrom<String> for Text<MOST> {
    type Error = RangeError;
    fn try_from(text: String) -> Result<Self, RangeError> {
        if text.chars().count() > MOST || text.chars().any(char::is_control) {
            return Err(RangeError {
                least: 0.0,
                most: MOST as f64,
            });
        }
        Ok(Self(text.trim().to_owned()))
    }
}

impl<const MOST: usize> From<Text<MOST>> for String {
    fn from(text: Text<MOST>) -> String {
        text.0
    }
}

/// An amount of money in the smallest unit that is used of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(try_from = "RawPrice", into = "RawPrice")]
#[ts(export)]
pub struct Price {
    /// What it costs: cents, yen, fils.
    #[ts(type = "number")]
    pub minor: u64,
    /// ISO 4217, three capital letters.
    pub currency: String,
    /// So many of `minor`'s digits stand behind the decimal point, 0 to 4.
    pub digits: u8,
    /// What it cost before, more than `minor`; `None` when it is not reduced.
    #[ts(type = "number | null")]
    pub was_minor: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrice {
    minor: u64,
    currency: String,
    digits: u8,
    was_minor: Option<u64>,
}

impl Price {
    /// The largest amount: what TypeScript's numbers hold exactly.
    pub const MOST: u64 = (1 << 53) - 1;
}

impl TryFrom<RawPrice> for Price {
    type Error = RangeError;
    fn try_from(raw: RawPrice) -> Result<Self, RangeError> {
        let letters = raw.currency.len() == 3 && raw.currency.bytes().all(|b| b.is_ascii_uppercase());
        if !letters
            || raw.digits > 4
            || raw.minor > Self::MOST
            || raw.was_minor.is_some_and(|was| was > Self::MOST)
        {
            return Err(RangeError {
                least: 0.0,
                most: Self::MOST as f64,
            });
        }
        Ok(Self {
            minor: raw.minor,
            currency: raw.currency,
            digits: raw.digits,
            // A price that rose is no reduction.
            was_minor: raw.was_minor.filter(|was| *was > raw.minor),
        })
    }
}

impl From<Price> for RawPrice {
    fn from(price: Price) -> Self {
        Self {
            minor: price.minor,
            currency: price.currency,
            digits: price.digits,
            was_minor: price.was_minor,
        }
    }
}

/// Whether a product can be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "stock", rename_all = "snake_case")]
#[ts(export)]
pub enum Stock {
    /// It can, and nobody counts, or there are plenty.
    InStock {
        /// So many, where they are counted.
        left: Option<u32>,
    },
    /// It can, but not for long.
    Low {
        /// So many.
        left: u32,
    },
    /// It cannot.
    SoldOut,
}

impl Stock {
    /// From here on a viewer is told how many are left.
    const FEW: u32 = 20;

    /// Of a number that is counted; `None` counts nothing.
    pub fn of(left: Option<u32>) -> Self {
        match left {
            Some(0) => Self::SoldOut,
            Some(left) if left <= Self::FEW => Self::Low { left },
            left => Self::InStock { left },
        }
    }
}

/// One product of the catalogue. Every text is plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Product {
    /// Which.
    pub id: ProductId,
    /// Whose; `None` is the host's own, by hand or from a file.
    pub shop: Option<ShopId>,
    /// What it is called, 1 to 200 characters.
    pub title: Text<200>,
    /// The shop's own number for it; may be empty.
    pub sku: Text<100>,
    /// What it costs; `None` when nobody said.
    pub price: Option<Price>,
    /// Whether it can be bought.
    pub stock: Stock,
    /// Where it can be bought: `https://…`; may be empty.
    pub link: Text<1000>,
    /// Where its picture is; may be empty. A desk gets it at `/product-pictures/ID` of the engine, shop or no shop.
    pub image: Text<1000>,
}

/// A product of the host's own, to be made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct ProductDraft {
    /// What it is called, 1 to 200 characters.
    pub title: Text<200>,
    /// Its number; may be empty.
    pub sku: Text<100>,
    /// What it costs.
    pub price: Option<Price>,
    /// How many there are; `None` counts nothing.
    pub left: Option<u32>,
    /// Where it can be bought, `https://…`; may be empty.
    pub link: Text<1000>,
    /// Where its picture is, `https://…`; may be empty.
    pub image: Text<1000>,
}

/// What the show says about a product beside what the shop says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Offer {
    /// For viewers, under the title.
    pub note: Text<200>,
    /// What to type in the shop.
    pub promo_code: Text<40>,
    /// When it ends: wall clock, milliseconds since 1970; `None` does not.
    #[ts(type = "number | null")]
    pub ends_at_ms: Option<u64>,
}

/// A product that the show has chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ShowProduct {
    /// As the catalogue has it now.
    pub product: Product,
    /// What the show adds.
    pub offer: Offer,
    /// Since when the countdown runs: wall clock, milliseconds since 1970.
    #[ts(type = "number | null")]
    pub counting_since_ms: Option<u64>,
}

/// What the show offers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ShowProducts {
    /// In the host's order.
    pub chosen: Vec<ShowProduct>,
    /// Those that viewers see beside the picture now, at most [`ShowProducts::FEATURED`], in the order of choice.
    pub featured: Vec<ProductId>,
    /// Products in the whole catalogue.
    pub catalogue: u32,
}

impl ShowProducts {
    /// Most products of one show: what a shop answers for in one question.
    pub const CHOSEN: usize = 100;
    /// Most products beside the picture at a time.
    pub const FEATURED: usize = 3;
}

/// What came of reading a file of products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Imported {
    /// Products that are new.
    pub added: u32,
    /// Products that were there and are as the file says now.
    pub changed: u32,
    /// Lines that cannot be used; while there are any, nothing was taken unless that was asked for.
    pub wrong: u32,
    /// The first of them.
    pub wrong_lines: Vec<WrongLine>,
}

/// A line of a file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct WrongLine {
    /// From 1, as an editor counts.
    pub line: u32,
    /// The column's name, as the file has it; empty when it is the whole line.
    pub column: String,
    /// Why.
    pub reason: WrongLineReason,
}

/// Why a line cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum WrongLineReason {
    /// A product without a title.
    NoTitle,
    /// The text is longer than the field.
    TooLong,
    /// Not an amount.
    Amount,
    /// Not a currency, or none at all.
    Currency,
    /// Not a number of pieces.
    Count,
    /// Not an address that starts with `https://`.
    Address,
    /// More or fewer columns than the first line, or a quote that never ends.
    Shape,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_speaks_up_when_there_are_few() {
        assert_eq!(Stock::of(None), Stock::InStock { left: None });
        assert_eq!(Stock::of(Some(40)), Stock::InStock { left: Some(40) });
        assert_eq!(Stock::of(Some(18)), Stock::Low { left: 18 });
        assert_eq!(Stock::of(Some(0)), Stock::SoldOut);
    }

    #[test]
    fn a_price_is_a_whole_number_with_a_currency() {
        let read = |text: &str| serde_json::from_str::<Price>(text);
        let price = read(r#"{"minor":3230,"currency":"EUR","digits":2,"was_minor":3800}"#).unwrap();
        assert_eq!((price.minor, price.was_minor), (3230, Some(3800)));
        let risen = read(r#"{"minor":3230,"currency":"EUR","digits":2,"was_minor":3000}"#).unwrap();
        assert_eq!(risen.was_minor, None, "a price that rose is no reduction");
        for bad in [
            r#"{"minor":1.5,"currency":"EUR","digits":2,"was_minor":null}"#,
            r#"{"minor":1,"currency":"eur","digits":2,"was_minor":null}"#,
            r#"{"minor":1,"currency":"EUR","digits":9,"was_minor":null}"#,
            r#"{"minor":9007199254740992,"currency":"EUR","digits":2,"was_minor":null}"#,
        ] {
            assert!(read(bad).is_err(), "{bad} must not parse");
        }
    }

    #[test]
    fn text_of_others_has_a_length_and_no_control_characters() {
        assert_eq!(Text::<4>::cut(" a\nbcdef").as_str(), "a bc");
        assert!(serde_json::from_str::<Text<3>>("\"abcd\"").is_err());
        assert!(serde_json::from_str::<Text<3>>("\"a\\u0000\"").is_err());
    }
}
