//! Amounts of money, exact: whole minor units and a currency. Decimals live only in text, as they came over the wire.

pub mod currency;
pub mod decimal;

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

pub use currency::Currency;
pub use decimal::{Decimal, MoneyError};

/// Money in the smallest unit of its currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Amount {
    pub minor: i64,
    pub currency: Currency,
}

impl Amount {
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    pub fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Adds an amount of the same currency.
    #[must_use]
    pub fn plus(self, minor: i64) -> Self {
        Self::new(self.minor.saturating_add(minor), self.currency)
    }

    /// What the seller keeps: Whop's card fee is taken as 2.9 % and 30 minor units, rounded half up, never below zero.
    #[must_use]
    pub fn after_fees(self) -> Self {
        if self.minor == 0 {
            return self;
        }
        let fee = (i128::from(self.minor) * 29 + 500) / 1000 + 30;
        let kept = i128::from(self.minor) - fee;
        Self::new(i64::try_from(kept.max(0)).unwrap_or(0), self.currency)
    }

    /// Major units as exact decimal text with all decimals of the currency: `7.50`.
    pub fn text(self) -> String {
        let decimals = self.currency.decimals();
        if decimals == 0 {
            return self.minor.to_string();
        }
        let unit = 10_u64.pow(decimals);
        let (sign, size) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        format!("{sign}{}.{:0width$}", size / unit, size % unit, width = decimals as usize)
    }

    /// The object that most answers carry (Whop API, money).
    pub fn object(self) -> MoneyObject {
        MoneyObject {
            amount: self.text(),
            currency: self.currency,
            decimals: self.currency.decimals(),
            display_decimals: self.currency.display_decimals(),
        }
    }

    /// The JSON number that plans and older shapes carry: `7.5`.
    pub fn number(self) -> JsonNumber {
        JsonNumber(self)
    }
}

impl fmt::Display for Amount {
    /// For people: `$7.50`, `7.50 EUR`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.currency.as_str() {
            "usd" if self.minor < 0 => write!(f, "-${}", Self::new(-self.minor, self.currency).text()),
            "usd" => write!(f, "${}", self.text()),
            code => write!(f, "{} {}", self.text(), code.to_uppercase()),
        }
    }
}

/// Money as an object: `{"amount":"7.50","currency":"usd","decimals":2,"display_decimals":2}`.
#[derive(Clone, Debug, Serialize)]
pub struct MoneyObject {
    amount: String,
    currency: Currency,
    decimals: u32,
    display_decimals: u32,
}

/// Money as a JSON number in major units, written digit by digit without a binary float in between.
#[derive(Clone, Copy, Debug)]
pub struct JsonNumber(Amount);

impl Serialize for JsonNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.text();
        let digits = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text.as_str() };
        RawValue::from_string(digits.to_owned()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn amount(minor: i64, code: &str) -> Amount {
        Amount::new(minor, Currency::find(code).unwrap())
    }

    #[test]
    fn money_is_written_exactly() {
        for (minor, code, text, number) in [
            (750, "usd", "7.50", "7.5"),
            (0, "usd", "0.00", "0"),
            (5, "usd", "0.05", "0.05"),
            (-205, "usd", "-2.05", "-2.05"),
            (1000, "usd", "10.00", "10"),
            (1000, "jpy", "1000", "1000"),
            (1234, "kwd", "1.234", "1.234"),
            (i64::MAX, "usd", "92233720368547758.07", "92233720368547758.07"),
        ] {
            assert_eq!(amount(minor, code).text(), text);
            assert_eq!(serde_json::to_string(&amount(minor, code).number()).unwrap(), number);
        }
    }

    #[test]
    fn the_money_object_names_its_decimals() {
        let json = serde_json::to_string(&amount(750, "usd").object()).unwrap();
        assert_eq!(json, r#"{"amount":"7.50","currency":"usd","decimals":2,"display_decimals":2}"#);
        let json = serde_json::to_string(&amount(500_000, "cop").object()).unwrap();
        assert_eq!(json, r#"{"amount":"5000.00","currency":"cop","decimals":2,"display_decimals":0}"#);
    }

    #[test]
    fn fees_leave_what_the_example_says() {
        assert_eq!(amount(750, "usd").after_fees().text(), "6.98");
        assert_eq!(amount(0, "usd").after_fees().text(), "0.00");
        assert_eq!(amount(20, "usd").after_fees().text(), "0.00");
    }
}
