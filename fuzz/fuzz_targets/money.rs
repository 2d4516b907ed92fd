//! An amount as text and as JSON: exact, within bounds, and written again as the same amount (T23, T31).

#![no_main]

use atlas::providers::whop::wire::amount::Amount;
use domain::{Currency, Money};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for code in ["usd", "jpy", "kwd", "eur"] {
        let currency: Currency = code.parse().expect("a currency");
        if let Ok(money) = Money::parse_decimal(text, currency) {
            let written = money.to_decimal();
            assert_eq!(Money::parse_decimal(&written, currency), Ok(money), "{text} became {written}");
        }
    }
    let _ = text.parse::<Currency>();
    if let Ok(amount) = serde_json::from_str::<Amount>(text) {
        for outer in [None, Some("usd"), Some("jpy")] {
            if let Ok(money) = amount.money(outer) {
                assert_eq!(Money::parse_decimal(&money.to_decimal(), money.currency), Ok(money));
            }
        }
    }
});
