//! What admins type, and what is said about it.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

const TYPED: Typed<'static> = Typed {
    name: " Starter ",
    description: "For trying things out.",
    credits: "5,000",
    sold: "once",
    price: "7.50",
    currency: "USD",
    other_prices: &[],
    expires_after_days: "",
    bonus_credits: "",
    bonus_expires_after_days: "",
    visibility: "listed",
};

fn said(typed: &Typed<'_>, field: &str) -> String {
    Terms::parse(typed).unwrap_err().of(field).unwrap().to_owned()
}

#[test]
fn what_is_typed_well_is_read_exactly() {
    let terms = Terms::parse(&TYPED).unwrap();
    assert_eq!((terms.name.as_str(), terms.credits), ("Starter", Credits::new(5_000)));
    assert_eq!(terms.price, Price::Fixed(Money::usd(750)));
    let by_agreement = Typed { sold: "agreement", price: " ", currency: "", ..TYPED };
    assert_eq!(Terms::parse(&by_agreement).unwrap().price, Price::ByAgreement);
    for name in ["<b>Starter</b>", "🚀 Rocket 👩‍🚀", "חבילה בסיסית", "=1+1", "Robert'); drop table plans;--"]
    {
        assert_eq!(Terms::parse(&Typed { name, ..TYPED }).unwrap().name, name);
    }
}

#[test]
fn each_bad_price_is_refused_with_its_reason() {
    for (price, currency, reason) in [
        ("7.505", "usd", "2 decimals"),
        ("7.5", "jpy", "no decimals"),
        ("7.5055", "kwd", "3 decimals"),
        ("-7.50", "usd", "negative"),
        ("−1", "usd", "negative"),
        ("0", "usd", "zero"),
        ("0.00", "usd", "zero"),
        ("0.99", "usd", "less than $1.00"),
        ("10000000000.01", "usd", "at most $10,000,000,000.00"),
        ("99999999999999999999999999", "usd", "at most"),
        ("", "usd", "in digits"),
        ("1e3", "usd", "in digits"),
        ("1,000.00", "usd", "in digits"),
        ("7,50", "eur", "in digits"),
        ("free", "usd", "in digits"),
        ("٧", "usd", "in digits"),
    ] {
        let message = said(&Typed { price, currency, ..TYPED }, "price");
        assert!(message.contains(reason), "{price} {currency}: {message}");
    }
    for currency in ["", "us", "dollars", "xyz", "btc", "$", "ус"] {
        assert!(said(&Typed { currency, ..TYPED }, "currency").contains("three letters"), "{currency}");
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    let long = "x".repeat(10_000);
    let typed = Typed {
        name: &long,
        description: "a\nb",
        credits: "0",
        sold: "once",
        price: "x",
        currency: "usd",
        other_prices: &[],
        expires_after_days: "soon",
        bonus_credits: "-1",
        bonus_expires_after_days: "0",
        visibility: "everybody",
    };
    let wrong = Terms::parse(&typed).unwrap_err();
    let fields: Vec<_> = wrong.iter().map(|(field, _)| field).collect();
    let bonus = ["bonus_credits", "bonus_expires_after_days"];
    assert_eq!(fields[..5], ["name", "description", "credits", "price", "expires_after_days"]);
    assert_eq!((&fields[5..7], fields[7]), (&bonus[..], "visibility"));
    for name in ["", " ", "a\u{0}b", "a\u{202e}b"] {
        said(&Typed { name, ..TYPED }, "name");
    }
    for expires_after_days in ["0", "-1", "1.5", "+7", "3651", "99999999999", "١"] {
        said(&Typed { expires_after_days, ..TYPED }, "expires_after_days");
    }
    assert_eq!(Terms::parse(&Typed { expires_after_days: " 365 ", ..TYPED }).unwrap().expires_after_days, Some(365));
    said(&Typed { sold: "monthly", ..TYPED }, "sold");
    said(&Typed { sold: "agreement", ..TYPED }, "price");
}

#[test]
fn a_bonus_is_a_number_and_ends_only_where_it_is() {
    let read = |bonus_credits, bonus_expires_after_days| {
        Terms::parse(&Typed { bonus_credits, bonus_expires_after_days, ..TYPED })
    };
    for none in ["", " ", "0"] {
        assert_eq!(read(none, "").unwrap().bonus, None, "{none}");
        assert!(read(none, "30").unwrap_err().of("bonus_expires_after_days").unwrap().contains("no bonus"));
    }
    let bonus = |days| Some(Bonus { credits: Credits::new(2_500), expires_after_days: days });
    assert_eq!(read("2,500", "").unwrap().bonus, bonus(None));
    assert_eq!(read(" 2500 ", " 30 ").unwrap().bonus, bonus(Some(30)));
    for bonus_credits in ["-1", "1.5", "1e3", "1000000000001", "99999999999999999999", "ten", "٣"] {
        said(&Typed { bonus_credits, ..TYPED }, "bonus_credits");
    }
    for bonus_expires_after_days in ["0", "-1", "3651", "soon"] {
        said(&Typed { bonus_credits: "5", bonus_expires_after_days, ..TYPED }, "bonus_expires_after_days");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}", currency in "[a-zA-Z]{0,4}") {
        let typed = Typed { name: &text, credits: &text, price: &text, currency: &currency, ..TYPED };
        if let Ok(Terms { price: Price::Fixed(price), credits, .. }) = Terms::parse(&typed) {
            prop_assert!(price.minor >= 1 && price.minor <= PRICE_MINOR_MAX && credits.get() >= 1);
        }
    }
}
