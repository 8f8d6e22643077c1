//! Amounts: from texts to whole numbers of a currency's smallest unit, never by way of a float.

use iso_currency::Currency;
use protocol::Price;

/// A currency and how its amounts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    currency: Currency,
    /// Digits behind the decimal point: 2 for euros, 0 for yen, 3 for dinars.
    pub digits: u8,
}

impl Unit {
    /// By its code in ISO 4217, in any case; `None` for anything else.
    pub fn of(code: &str) -> Option<Self> {
        let currency = Currency::from_code(&code.trim().to_ascii_uppercase())?;
        let digits = u8::try_from(currency.exponent()?).ok()?;
        (digits <= 4).then_some(Self { currency, digits })
    }

    /// What something costs, and what it cost before.
    pub fn price(self, minor: u64, was_minor: Option<u64>) -> Price {
        Price {
            minor,
            currency: self.currency.code().to_owned(),
            digits: self.digits,
            was_minor: was_minor.filter(|was| *was > minor),
        }
    }

    /// An amount as `12.30`; further digits are rounded, half up. `None` when it is none, or over what TypeScript's
    /// numbers hold.
    pub fn minor(self, text: &str) -> Option<u64> {
        let text = text.trim();
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let figures = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && part.is_empty()) || !figures(whole) || !figures(part) || text.len() > 40 {
            return None;
        }
        let digits = usize::from(self.digits);
        let kept: String = part.chars().chain(std::iter::repeat('0')).take(digits).collect();
        let minor: u64 = format!("0{whole}{kept}").parse().ok()?;
        let up = part.as_bytes().get(digits).is_some_and(|next| *next >= b'5');
        minor
            .checked_add(u64::from(up))
            .filter(|minor| *minor <= Price::MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        let minor = |code: &str, text: &str| Unit::of(code).and_then(|unit| unit.minor(text));
        assert_eq!(minor("EUR", "32.30"), Some(3230));
        assert_eq!(minor("eur", "32"), Some(3200));
        assert_eq!(minor("JPY", "1500"), Some(1500));
        assert_eq!(minor("JPY", "1500.00"), Some(1500));
        assert_eq!(minor("KWD", "1.5"), Some(1500));
        assert_eq!(minor("EUR", "0.1"), Some(10));
        assert_eq!(minor("EUR", ".5"), Some(50));
        assert_eq!(minor("EUR", "19.995"), Some(2000), "half a cent goes up");
        for bad in [
            "",
            ".",
            "-1",
            "1,5",
            "1e3",
            "1.2.3",
            "NaN",
            "0x10",
            "99999999999999999999",
            "90071992547409.92",
        ] {
            assert_eq!(minor("EUR", bad), None, "{bad:?}");
        }
        assert_eq!(Unit::of("XXQ"), None);
    }
}
