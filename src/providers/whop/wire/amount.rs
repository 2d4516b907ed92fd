//! Money on Whop's wire, exactly: in requests a JSON number in major units, in answers an object with a decimal text,
//! or a bare number or text in older shapes. No binary float comes near it.

use domain::money::MoneyError;
use domain::{Currency, Money};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

/// A price to send: written as the literal number, `7.50`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price(pub Money);

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = RawValue::from_string(self.0.to_decimal()).map_err(serde::ser::Error::custom)?;
        number.serialize(serializer)
    }
}

/// An amount as Whop wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// Major units, digit by digit as they came.
    pub decimal: String,
    /// Said only by money objects.
    pub currency: Option<String>,
}

impl Amount {
    /// Reads it exactly. `currency` is what the thing that holds the amount says; the two must not disagree.
    pub fn money(&self, currency: Option<&str>) -> Result<Money, MoneyError> {
        let code = self.currency.as_deref().or(currency).ok_or(MoneyError::NotACurrency)?;
        if currency.is_some_and(|outer| !outer.eq_ignore_ascii_case(code)) {
            return Err(MoneyError::NotACurrency);
        }
        Money::parse_decimal(&self.decimal, code.parse::<Currency>()?)
    }
}

#[derive(Deserialize)]
struct MoneyObject {
    amount: Box<RawValue>,
    #[serde(default)]
    currency: Option<String>,
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('{') {
            let object: MoneyObject = serde_json::from_str(raw.get()).map_err(de::Error::custom)?;
            Ok(Self { decimal: decimal(&object.amount)?, currency: object.currency })
        } else {
            Ok(Self { decimal: decimal(&raw)?, currency: None })
        }
    }
}

fn decimal<E: de::Error>(raw: &RawValue) -> Result<String, E> {
    match raw.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw.get()).map_err(E::custom),
        Some(b'-' | b'0'..=b'9') => Ok(raw.get().to_owned()),
        _ => Err(E::custom("not an amount of money")),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str, currency: Option<&str>) -> Option<Money> {
        serde_json::from_str::<Amount>(json).ok()?.money(currency).ok()
    }

    #[test]
    fn every_form_of_an_amount_reads_the_same() {
        let seven_fifty = Some(Money::usd(750));
        assert_eq!(read(r#"{"amount":"7.50","currency":"usd","decimals":2}"#, Some("usd")), seven_fifty);
        assert_eq!(read(r#"{"amount":7.5,"currency":"USD"}"#, Some("usd")), seven_fifty);
        assert_eq!(read("7.5", Some("usd")), seven_fifty);
        assert_eq!(read(r#""7.50""#, Some("usd")), seven_fifty);
        assert_eq!(read("19.99", Some("usd")), Some(Money::usd(1_999)));
    }

    #[test]
    fn what_is_not_exact_is_no_amount() {
        for json in [
            "7.505",
            "1e999",
            "12345678901234567890123456789012345678901",
            "null",
            "true",
            "[7.5]",
            r#""""#,
            r#"{"amount":null,"currency":"usd"}"#,
            r#"{"amount":"7.50","currency":"usdt"}"#,
            r#"{"currency":"usd"}"#,
            r#"{"amount":"7.50","amount":"9.50","currency":"usd"}"#,
        ] {
            assert_eq!(read(json, Some("usd")), None, "{json}");
        }
        assert_eq!(read("7.5", None), None);
        assert_eq!(read(r#"{"amount":"7.50","currency":"eur"}"#, Some("usd")), None);
    }

    proptest! {
        #[test]
        fn what_we_send_is_what_we_would_read(minor in 0_i64..=1_000_000_000_000) {
            for code in ["usd", "jpy", "kwd"] {
                let money = Money::new(minor, code.parse().unwrap());
                let sent = serde_json::to_string(&Price(money)).unwrap();
                prop_assert_eq!(&sent, &money.to_decimal());
                prop_assert_eq!(read(&sent, Some(code)), Some(money));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}") {
            let _ = read(&text, Some("usd"));
        }
    }
}
