//! Money: integer minor units and a currency. Decimals exist only as text, at the edge to a provider or a person,
//! and are read and printed exactly.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::credits::group_thousands;

/// Text that is not an exact amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyError {
    /// Not a plain decimal number such as `7.50`.
    NotADecimal,
    /// Finer than the currency's smallest unit, such as `7.505` dollars.
    TooPrecise,
    /// Beyond what we count in (more than 10^15 minor units).
    TooLarge,
    /// Not three letters.
    NotACurrency,
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotADecimal => "not a decimal number",
            Self::TooPrecise => "finer than the currency's smallest unit",
            Self::TooLarge => "too large an amount",
            Self::NotACurrency => "not a currency code",
        })
    }
}

impl std::error::Error for MoneyError {}

const SOLD_IN: &str = "usd sgd inr aud brl cad dkk eur nok gbp sek chf hkd huf jpy mxn myr pln czk nzd aed cop ron thb bgn \
    idr dop php try krw twd vnd pkr clp uyu ars zar dzd tnd mad kes kwd jod all xcd amd bsd bhd bob bam khr crc egp etb gmd ghs \
    gtq gyd ils jmd mop mga mur mdl mnt nad ngn mkd omr pyg pen qar rwf sar rsd lkr tzs ttd uzs rub cny kzt awg xof";

/// An ISO 4217 code, kept in lower case as providers write it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    pub const USD: Self = Self(*b"usd");

    /// Lower case: `usd`.
    pub fn as_str(&self) -> &str {
        // Only ASCII letters get in, so the fallback is never taken.
        std::str::from_utf8(&self.0).unwrap_or("xxx")
    }

    /// Upper case, for people: `USD`.
    pub fn code(self) -> String {
        self.as_str().to_ascii_uppercase()
    }

    /// Whether it is one that prices may be in: what the providers that we know of take (Whop API, appendix A.3), but for
    /// metals and coins.
    pub fn is_sold_in(self) -> bool {
        SOLD_IN.split_ascii_whitespace().any(|code| code == self.as_str())
    }

    /// How many decimals the currency's minor unit has (ISO 4217, table A.1): 2 but for those listed.
    pub const fn decimals(self) -> u32 {
        match &self.0 {
            b"bif" | b"clp" | b"djf" | b"gnf" | b"isk" | b"jpy" | b"kmf" | b"krw" | b"pyg" | b"rwf" | b"ugx"
            | b"vnd" | b"vuv" | b"xaf" | b"xof" | b"xpf" => 0,
            b"bhd" | b"iqd" | b"jod" | b"kwd" | b"lyd" | b"omr" | b"tnd" => 3,
            _ => 2,
        }
    }

    const fn symbol(self) -> Option<&'static str> {
        match &self.0 {
            b"usd" => Some("$"),
            b"eur" => Some("€"),
            b"gbp" => Some("£"),
            b"jpy" => Some("¥"),
            _ => None,
        }
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| MoneyError::NotACurrency)?;
        if code.iter().all(u8::is_ascii_alphabetic) {
            Ok(Self(code.map(|letter| letter.to_ascii_lowercase())))
        } else {
            Err(MoneyError::NotACurrency)
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An exact amount: `minor` units (cents for dollars) of `currency`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

impl Money {
    const MINOR_MAX: i64 = 1_000_000_000_000_000;

    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    pub const fn usd(cents: i64) -> Self {
        Self::new(cents, Currency::USD)
    }

    /// Reads major units written as a decimal (`7.5`, `7.50`, `-0.01`, `1e2`), exactly. JSON numbers may carry an
    /// exponent, so this takes one. Zeros beyond the smallest unit are fine, other digits there are refused.
    pub fn parse_decimal(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| MoneyError::NotADecimal)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let written = whole.bytes().chain(fraction.bytes());
        let has_point_without_digits = mantissa.contains('.') && fraction.is_empty();
        if whole.is_empty() || has_point_without_digits || !written.clone().all(|b| b.is_ascii_digit()) {
            return Err(MoneyError::NotADecimal);
        }
        // `point` counts the written digits that stand left of the minor unit's own end.
        let point = i64::try_from(whole.len()).map_err(|_| MoneyError::TooLarge)?
            + i64::from(exponent)
            + i64::from(currency.decimals());
        let mut minor: i64 = 0;
        let mut places: i64 = 0;
        for digit in written {
            places += 1;
            let digit = i64::from(digit - b'0');
            if places > point {
                if digit != 0 {
                    return Err(MoneyError::TooPrecise);
                }
                continue;
            }
            minor = push_digit(minor, digit)?;
        }
        while places < point && minor != 0 {
            places += 1;
            minor = push_digit(minor, 0)?;
        }
        Ok(Self::new(if negative { -minor } else { minor }, currency))
    }

    /// Major units as an exact decimal without a symbol, with all the currency's decimals: `7.50`.
    pub fn to_decimal(self) -> String {
        let decimals = self.currency.decimals();
        let unit = 10_u64.pow(decimals);
        let sign = if self.minor < 0 { "-" } else { "" };
        let size = self.minor.unsigned_abs();
        if decimals == 0 {
            format!("{sign}{size}")
        } else {
            let width = decimals as usize;
            format!("{sign}{}.{:0width$}", size / unit, size % unit)
        }
    }
}

fn push_digit(minor: i64, digit: i64) -> Result<i64, MoneyError> {
    minor
        .checked_mul(10)
        .and_then(|shifted| shifted.checked_add(digit))
        .filter(|amount| *amount <= Money::MINOR_MAX)
        .ok_or(MoneyError::TooLarge)
}

/// For people: `$7.50`, `−$1,234.00`, `CHF 12.00`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.minor < 0 {
            f.write_str("−")?;
        }
        match self.currency.symbol() {
            Some(symbol) => f.write_str(symbol)?,
            None => write!(f, "{} ", self.currency.code())?,
        }
        let decimals = self.currency.decimals();
        let unit = 10_u64.pow(decimals);
        let size = self.minor.unsigned_abs();
        f.write_str(&group_thousands(size / unit))?;
        if decimals > 0 {
            write!(f, ".{:0width$}", size % unit, width = decimals as usize)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cents(text: &str) -> Result<i64, MoneyError> {
        Money::parse_decimal(text, Currency::USD).map(|money| money.minor)
    }

    #[test]
    fn decimals_are_read_exactly_or_refused() {
        assert_eq!(cents("7.5"), Ok(750));
        assert_eq!(cents("7.50"), Ok(750));
        assert_eq!(cents("10.0000"), Ok(1_000));
        assert_eq!(cents("19.99"), Ok(1_999));
        assert_eq!(cents("-0.01"), Ok(-1));
        assert_eq!(cents("1e2"), Ok(10_000));
        assert_eq!(cents("1.5E-1"), Ok(15));
        assert_eq!(cents("0e999999"), Ok(0));
        assert_eq!(cents("7.505"), Err(MoneyError::TooPrecise));
        assert_eq!(cents("1e-3"), Err(MoneyError::TooPrecise));
        assert_eq!(cents("1e999"), Err(MoneyError::TooLarge));
        assert_eq!(cents("1234567890123456789012345678901234567890"), Err(MoneyError::TooLarge));
        for text in ["", "-", ".5", "5.", "+1", "1,000", "1 000", "NaN", "7.5e", "0x10", "٣", "--1"] {
            assert_eq!(cents(text), Err(MoneyError::NotADecimal), "{text:?}");
        }
    }

    #[test]
    fn currencies_differ_in_decimals() {
        let yen: Currency = "JPY".parse().unwrap();
        let dinar: Currency = "kwd".parse().unwrap();
        assert_eq!(Money::parse_decimal("750", yen).unwrap().to_decimal(), "750");
        assert_eq!(Money::parse_decimal("7.5", yen), Err(MoneyError::TooPrecise));
        assert_eq!(Money::parse_decimal("7.505", dinar).unwrap().to_decimal(), "7.505");
        assert!("us".parse::<Currency>().is_err());
        assert!("us1".parse::<Currency>().is_err());
    }

    #[test]
    fn people_see_a_symbol_or_the_code() {
        assert_eq!(Money::usd(750).to_string(), "$7.50");
        assert_eq!(Money::usd(-123_400).to_string(), "−$1,234.00");
        assert_eq!(Money::new(1_200, "chf".parse().unwrap()).to_string(), "CHF 12.00");
        assert_eq!(Money::new(750, "jpy".parse().unwrap()).to_string(), "¥750");
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_the_same(minor in -Money::MINOR_MAX..=Money::MINOR_MAX) {
            for code in ["usd", "jpy", "kwd"] {
                let money = Money::new(minor, code.parse().unwrap());
                prop_assert_eq!(Money::parse_decimal(&money.to_decimal(), money.currency), Ok(money));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = Money::parse_decimal(&text, Currency::USD);
        }
    }
}
