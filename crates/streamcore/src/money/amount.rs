//! Sums of money: whole numbers of a currency's smallest unit, never floats.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most that one payment may be: Stripe takes eight digits.
pub const MOST_MINOR: u64 = 99_999_999;

/// Currencies whose smallest unit is the whole one, for Stripe.
const WITHOUT_DECIMALS: [&str; 15] = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
];
/// Currencies that Stripe counts in a way of its own (three decimals, or decimals that must be nought). A sum in them
/// would have to be rounded.
const UNTAKEN: [&str; 7] = ["BHD", "JOD", "KWD", "OMR", "TND", "ISK", "UGX"];

/// A currency by its code of three letters (ISO 4217), in capitals.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(String);

/// Not a currency that can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "take the currency: it is no code of three letters, or Stripe counts it in thousandths or without its decimals"
)]
pub struct UnknownCurrency;

impl Currency {
    /// Its code, in capitals.
    pub fn code(&self) -> &str {
        &self.0
    }

    /// Digits behind the decimal point of the smallest unit.
    pub fn digits(&self) -> u8 {
        if WITHOUT_DECIMALS.contains(&self.0.as_str()) {
            0
        } else {
            2
        }
    }

    /// A sum in it.
    pub fn sum(&self, minor: u64) -> Sum {
        Sum {
            minor,
            digits: self.digits(),
            currency: self.clone(),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = UnknownCurrency;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let code = text.to_ascii_uppercase();
        let letters = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        if !letters || UNTAKEN.contains(&code.as_str()) {
            return Err(UnknownCurrency);
        }
        Ok(Self(code))
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

/// An amount of a currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Sum {
    /// In the currency's smallest unit.
    pub minor: u64,
    /// Which: three capitals (ISO 4217).
    #[cfg_attr(test, ts(type = "string"))]
    pub currency: Currency,
    /// Digits behind the decimal point.
    pub digits: u8,
}

/// The platform's part of a payment, in hundredths of a percent (basis points), rounded to the nearest unit; a half goes
/// up.
pub fn fee(minor: u64, basis_points: u16) -> u64 {
    let exact = u128::from(minor) * u128::from(basis_points);
    u64::try_from((exact + 5_000) / 10_000).map_or(minor, |fee| fee.min(minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Result<Currency, UnknownCurrency> {
        code.to_owned().try_into()
    }

    #[test]
    fn currencies_are_three_letters_that_can_be_counted() {
        assert_eq!(
            currency("eur").map(|c| (c.code().to_owned(), c.digits())),
            Ok(("EUR".into(), 2))
        );
        assert_eq!(currency("JPY").map(|c| c.digits()), Ok(0));
        for none in ["", "EU", "EURO", "€", "e r", "TND", "ISK"] {
            assert_eq!(currency(none), Err(UnknownCurrency), "{none}");
        }
    }

    #[test]
    fn the_fee_is_rounded_to_the_nearest_unit_and_never_more_than_the_sum() {
        assert_eq!(fee(2000, 500), 100);
        assert_eq!(fee(150, 500), 8, "7.5 goes up");
        assert_eq!(fee(149, 500), 7, "7.45 does not");
        assert_eq!(fee(1, 500), 0);
        assert_eq!(fee(MOST_MINOR, 10_000), MOST_MINOR);
        assert_eq!(fee(u64::MAX, u16::MAX), u64::MAX, "no overflow");
    }
}
