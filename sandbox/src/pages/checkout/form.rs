//! What the buyer typed, and what is wrong with it.

use serde::Deserialize;

use crate::clock::Moment;
use crate::payments::Means;
use crate::payments::card::{self, Card, CardAnswer, TEST_CARDS};
use crate::payments::pay::{Attempt, Course};

/// The submitted form.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct PayForm {
    /// Which button was pressed; `pay` if none is known.
    pub action: String,
    payment: String,
    pub email: String,
    number: String,
    expiry: String,
    cvc: String,
}

/// The fields as they are shown again, each with its problem.
#[derive(Default)]
pub struct CardFields {
    pub number: String,
    pub expiry: String,
    pub cvc: String,
    pub number_problem: Option<&'static str>,
    pub expiry_problem: Option<&'static str>,
    pub cvc_problem: Option<&'static str>,
    pub email_problem: Option<&'static str>,
}

impl CardFields {
    /// A test card, ready to pay: the one asked for, or the one that succeeds.
    pub fn prefilled(number: Option<&str>) -> Self {
        let digits = |text: &str| text.replace(' ', "");
        let wanted = number.and_then(|number| TEST_CARDS.iter().find(|known| digits(known.number) == digits(number)));
        Self {
            number: wanted.unwrap_or(&TEST_CARDS[0]).number.to_owned(),
            expiry: "12 / 34".to_owned(),
            cvc: "123".to_owned(),
            ..Self::default()
        }
    }

    fn has_problem(&self) -> bool {
        self.number_problem.or(self.expiry_problem).or(self.cvc_problem).is_some()
    }
}

impl PayForm {
    /// An earlier try of the same buyer.
    pub fn payment_id(&self) -> Option<&str> {
        Some(self.payment.as_str()).filter(|id| !id.is_empty())
    }

    /// The fields as typed.
    pub fn typed(&self) -> CardFields {
        CardFields {
            number: self.number.clone(),
            expiry: self.expiry.clone(),
            cvc: self.cvc.clone(),
            ..CardFields::default()
        }
    }

    /// The card and what its bank will say, or the fields with everything that is wrong.
    pub fn card(&self) -> Result<(Card, CardAnswer), Box<CardFields>> {
        let mut fields = self.typed();
        let expiry = expiry(&self.expiry);
        if let Err(problem) = expiry {
            fields.expiry_problem = Some(problem);
        }
        let code = self.cvc.trim();
        if !(3..=4).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            fields.cvc_problem = Some("The security code has three or four digits.");
        }
        let (month, year) = expiry.unwrap_or((1, 2000));
        match card::read(&self.number, month, year) {
            Ok(card) if !fields.has_problem() => Ok(card),
            Ok(_) => Err(Box::new(fields)),
            Err(problem) => Err(Box::new(CardFields { number_problem: Some(problem), ..fields })),
        }
    }

    /// The typed card, or the usual one where the buttons do not need a card.
    pub fn any_card(&self) -> Card {
        self.card().map_or_else(|_| card::usual(), |(card, _)| card)
    }

    /// An address is optional here, but one that is given must look like one.
    pub fn email_problem(&self, refuse_example: bool) -> Option<&'static str> {
        let email = self.email.trim();
        let (name, host) = email.split_once('@').unwrap_or((email, ""));
        if email.is_empty() {
            None
        } else if name.is_empty() || !host.contains('.') || email.contains(char::is_whitespace) || email.len() > 254 {
            Some("This does not look like an e-mail address.")
        } else if refuse_example && host.eq_ignore_ascii_case("example.com") {
            Some("Addresses at example.com are not accepted.")
        } else {
            None
        }
    }

    /// The try that the form asks for.
    pub fn attempt(&self, checkout_id: &str, means: Means, course: Course) -> Attempt {
        Attempt {
            checkout_id: checkout_id.to_owned(),
            payment_id: self.payment_id().map(str::to_owned),
            email: Some(self.email.clone()),
            means,
            course,
        }
    }
}

/// Reads `12 / 34`, `12/2034` or `1234`, and refuses what lies in the past.
fn expiry(text: &str) -> Result<(u8, u16), &'static str> {
    const PROBLEM: &str = "Enter the date as month and year, such as 12 / 34.";
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let (month, year) = digits.split_at_checked(2).ok_or(PROBLEM)?;
    let month: u8 = month.parse().ok().filter(|month| (1..=12).contains(month)).ok_or(PROBLEM)?;
    let year: u16 = match year.len() {
        2 => year.parse::<u16>().map_err(|_| PROBLEM)? + 2000,
        4 => year.parse().map_err(|_| PROBLEM)?,
        _ => return Err(PROBLEM),
    };
    let today = Moment::now().to_string();
    if format!("{year:04}-{month:02}").as_str() < today.get(..7).unwrap_or_default() {
        return Err("This card has expired. Any date ahead of today will do.");
    }
    Ok((month, year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_dates_are_read_as_people_write_them() {
        for text in ["12 / 34", "12/34", "1234", "12/2034", "12-34"] {
            assert_eq!(expiry(text), Ok((12, 2034)), "{text}");
        }
        for text in ["", "1", "13/34", "00/34", "12/3", "12/20345", "ab/cd", "12/19"] {
            assert!(expiry(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_email_address_is_optional_but_not_arbitrary() {
        let problem =
            |email: &str, strict| PayForm { email: email.to_owned(), ..PayForm::default() }.email_problem(strict);
        for good in ["", "  ", "ada@shop.test", "ada@example.com"] {
            assert_eq!(problem(good, false), None, "{good}");
        }
        for bad in ["ada", "@shop.test", "ada@shop", "a da@shop.test"] {
            assert!(problem(bad, false).is_some(), "{bad}");
        }
        assert!(problem("ada@EXAMPLE.com", true).is_some());
    }
}
