//! A decimal number as it was written in a request, kept digit by digit until its currency is known.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Amount, Currency};

/// Largest amount we take, in minor units.
const MINOR_MAX: i64 = 1_000_000_000_000;

/// The literal text of a number, read without a binary float: `mantissa / 10^scale`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decimal {
    mantissa: i128,
    scale: u32,
}

/// Text that is not an amount of money.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MoneyError {
    NotANumber,
    /// More decimals than the currency has.
    TooPrecise,
    Negative,
    TooLarge,
}

impl Decimal {
    /// The amount in `currency`; trailing zeros do not count as precision.
    pub fn in_currency(self, currency: Currency) -> Result<Amount, MoneyError> {
        let (mut mantissa, mut scale) = (self.mantissa, self.scale);
        if mantissa < 0 {
            return Err(MoneyError::Negative);
        }
        while scale > currency.decimals() {
            if mantissa % 10 != 0 {
                return Err(MoneyError::TooPrecise);
            }
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        let minor = 10_i128
            .checked_pow(currency.decimals() - scale)
            .and_then(|unit| mantissa.checked_mul(unit))
            .and_then(|minor| i64::try_from(minor).ok())
            .filter(|minor| *minor <= MINOR_MAX)
            .ok_or(MoneyError::TooLarge)?;
        Ok(Amount::new(minor, currency))
    }
}

impl FromStr for Decimal {
    type Err = MoneyError;

    /// Reads what JSON calls a number, exponents included.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().map_err(|_| MoneyError::NotANumber)?),
            None => (text, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let unsigned = whole.strip_prefix('-').unwrap_or(whole);
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if unsigned.is_empty() || !all_digits(unsigned) || !all_digits(fraction) || text.len() > 30 {
            return Err(MoneyError::NotANumber);
        }
        let mantissa: i128 = format!("{whole}{fraction}").parse().map_err(|_| MoneyError::NotANumber)?;
        let scale = i32::try_from(fraction.len()).unwrap_or(i32::MAX).saturating_sub(exponent);
        if !(-18..=18).contains(&scale) {
            return Err(MoneyError::TooLarge);
        }
        match u32::try_from(scale) {
            Ok(scale) => Ok(Self { mantissa, scale }),
            Err(_) => mantissa
                .checked_mul(10_i128.pow(scale.unsigned_abs()))
                .map(|mantissa| Self { mantissa, scale: 0 })
                .ok_or(MoneyError::TooLarge),
        }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    /// Takes a JSON number only: Whop refuses quoted amounts in requests.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        raw.get().parse().map_err(|_| serde::de::Error::custom(format!("expected a number, got {}", raw.get())))
    }
}

/// A decimal that may also be quoted, for the control routes: `2.5` and `"2.50"`.
#[derive(Clone, Copy, Debug)]
pub struct QuotableDecimal(pub Decimal);

impl<'de> Deserialize<'de> for QuotableDecimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        raw.get()
            .trim_matches('"')
            .parse()
            .map(Self)
            .map_err(|_| serde::de::Error::custom(format!("expected an amount, got {}", raw.get())))
    }
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "must be a number",
            Self::TooPrecise => "has more decimals than its currency",
            Self::Negative => "must not be negative",
            Self::TooLarge => "is too large",
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn cents(text: &str) -> Result<i64, MoneyError> {
        text.parse::<Decimal>().and_then(|decimal| decimal.in_currency(Currency::USD)).map(|amount| amount.minor)
    }

    #[test]
    fn numbers_are_read_by_their_digits() {
        for (text, minor) in [
            ("7.5", 750),
            ("7.50", 750),
            ("7.5000", 750),
            ("10", 1000),
            ("0.29", 29),
            ("1.005e3", 100_500),
            ("75e-1", 750),
            ("4.35", 435),
            ("9999999.99", 999_999_999),
        ] {
            assert_eq!(cents(text), Ok(minor), "{text}");
        }
    }

    #[test]
    fn what_is_not_money_is_refused() {
        assert_eq!(cents("7.505"), Err(MoneyError::TooPrecise));
        assert_eq!(cents("-1"), Err(MoneyError::Negative));
        assert_eq!(cents("1e17"), Err(MoneyError::TooLarge));
        for text in ["", "-", ".5", "1,5", "NaN", "0x10", "1e", "\"7.5\"", "99999999999999999999999999999999"] {
            assert_eq!(cents(text), Err(MoneyError::NotANumber), "{text}");
        }
    }

    #[test]
    fn a_request_keeps_the_literal_text() {
        #[derive(Deserialize)]
        struct Body {
            price: Option<Decimal>,
        }
        let body: Body = serde_json::from_str(r#"{"price": 90071992547409.93}"#).unwrap();
        assert_eq!(body.price.unwrap(), Decimal { mantissa: 9_007_199_254_740_993, scale: 2 });
        assert!(serde_json::from_str::<Body>(r#"{"price": "7.5"}"#).is_err());
        assert!(serde_json::from_str::<Body>(r#"{"price": null}"#).unwrap().price.is_none());
    }
}
