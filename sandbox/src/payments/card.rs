//! Cards, and what Whop's test cards do (Whop documentation, sandbox).

use serde::{Deserialize, Serialize};

use super::{Decline, Verdict};

/// A test card and its effect.
pub struct TestCard {
    pub number: &'static str,
    pub effect: &'static str,
    kind: Effect,
}

#[derive(Clone, Copy)]
enum Effect {
    Success,
    Declined,
    Challenge,
}

/// The cards that are known to do something. All of them take any future date and any code.
pub const TEST_CARDS: [TestCard; 4] = [
    TestCard { number: "4242 4242 4242 4242", effect: "Succeeds", kind: Effect::Success },
    TestCard { number: "4000 0000 0000 0002", effect: "Is declined", kind: Effect::Declined },
    TestCard {
        number: "4000 0000 0000 0341",
        effect: "Is declined here; could be saved, then fails later",
        kind: Effect::Declined,
    },
    TestCard {
        number: "5385 3083 6013 5181",
        effect: "Asks for 3-D Secure, password Checkout1!",
        kind: Effect::Challenge,
    },
];

/// Password of the 3-D Secure challenge.
pub const CHALLENGE_PASSWORD: &str = "Checkout1!";

/// What a payment remembers of a card: never the whole number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Card {
    pub brand: String,
    pub first6: String,
    pub last4: String,
    pub exp_month: u8,
    pub exp_year: u16,
}

/// What the bank makes of a card.
pub enum CardAnswer {
    Decided(Verdict),
    /// The buyer must pass 3-D Secure first.
    Challenge,
}

/// The card of a number, with its answer. `Err` is a sentence for the field: such a number never reaches a bank.
pub fn read(number: &str, exp_month: u8, exp_year: u16) -> Result<(Card, CardAnswer), &'static str> {
    let digits: String = number.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').collect();
    if !(13..=19).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) || !luhn(&digits) {
        return Err("This card number is not valid. Check it for typing mistakes.");
    }
    let card = Card {
        brand: brand(&digits).to_owned(),
        first6: digits.get(..6).unwrap_or_default().to_owned(),
        last4: digits.get(digits.len() - 4..).unwrap_or_default().to_owned(),
        exp_month,
        exp_year,
    };
    let known = TEST_CARDS.iter().find(|known| known.number.replace(' ', "") == digits);
    let answer = match known.map(|known| known.kind) {
        Some(Effect::Success) => CardAnswer::Decided(Verdict::Succeeds),
        Some(Effect::Declined) => CardAnswer::Decided(Verdict::Declines(Decline::new("generic_decline"))),
        Some(Effect::Challenge) => CardAnswer::Challenge,
        None => CardAnswer::Decided(Verdict::Declines(Decline::new("test_mode_decline"))),
    };
    Ok((card, answer))
}

/// The usual test card, where only the outcome matters.
pub fn usual() -> Card {
    let (brand, first6, last4) = ("visa".to_owned(), "424242".to_owned(), "4242".to_owned());
    Card { brand, first6, last4, exp_month: 12, exp_year: 2034 }
}

impl Decline {
    /// A decline by its code, with a sentence for the buyer.
    pub fn new(code: &str) -> Self {
        let message = match code {
            "generic_decline" => "Your card was declined.",
            "card_declined_by_issuer" => "Your bank declined this payment. Try another card, or ask your bank why.",
            "insufficient_funds" => "Your card has insufficient funds.",
            "expired_card" => "Your card has expired.",
            "test_mode_decline" => "Your card was declined: real cards do not work in the sandbox, only test cards do.",
            "three_d_secure_failed" => "Your bank could not confirm that it is you. Try again, or use another card.",
            "bank_insufficient_funds" => "The bank account has insufficient funds.",
            _ => "The payment was declined.",
        };
        Self { code: code.to_owned(), message: message.to_owned() }
    }
}

fn brand(digits: &str) -> &'static str {
    match digits.as_bytes() {
        [b'4', ..] => "visa",
        [b'5', b'1'..=b'5', ..] | [b'2', b'2'..=b'7', ..] => "mastercard",
        [b'3', b'4' | b'7', ..] => "amex",
        [b'6', ..] => "discover",
        _ => "unknown",
    }
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            match digit * 2 {
                _ if place % 2 == 0 => digit,
                double if double > 9 => double - 9,
                double => double,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_cards_do_what_they_say() {
        let answer = |number| read(number, 12, 2034).map(|(_, answer)| answer);
        assert!(matches!(answer("4242424242424242"), Ok(CardAnswer::Decided(Verdict::Succeeds))));
        assert!(matches!(answer("5385 3083 6013 5181"), Ok(CardAnswer::Challenge)));
        for number in ["4000000000000002", "4000-0000-0000-0341"] {
            let Ok(CardAnswer::Decided(Verdict::Declines(decline))) = answer(number) else { panic!("{number}") };
            assert_eq!(decline.code, "generic_decline");
        }
        let Ok(CardAnswer::Decided(Verdict::Declines(decline))) = answer("5555555555554444") else { panic!() };
        assert_eq!(decline.code, "test_mode_decline");
    }

    #[test]
    fn a_mistyped_number_never_reaches_a_bank() {
        for number in ["4242 4242 4242 4241", "", "4242", "abcd efgh ijkl mnop", "42424242424242424242424242"] {
            assert!(read(number, 12, 2034).is_err(), "{number}");
        }
    }
}
