//! A plan's terms: what an admin types, read into what a version stores. Everything that is wrong is said at once, field by
//! field.

#[cfg(test)]
mod tests;

use domain::money::MoneyError;
use domain::{Credits, Currency, FieldErrors, Money, PlanVisibility, Price};

use super::Bonus;
use super::prices::{self, TypedPrice};

const NAME_CHARS_MAX: usize = 80;
const DESCRIPTION_CHARS_MAX: usize = 500;
/// Ten years.
const DAYS_MAX: i32 = 3_650;
/// In the minor unit, whatever the currency.
const PRICE_MINOR_MAX: i64 = 1_000_000_000_000;

/// What one version says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    pub name: String,
    /// May be empty.
    pub description: String,
    pub credits: Credits,
    pub price: Price,
    /// In further currencies, by their codes; none by agreement.
    pub other_prices: Vec<Money>,
    /// Days from the arrival of the credits to their end, 1 to 3650; none: they have no end.
    pub expires_after_days: Option<i32>,
    pub bonus: Option<Bonus>,
    pub visibility: PlanVisibility,
}

/// Terms as they were typed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Typed<'a> {
    pub name: &'a str,
    pub description: &'a str,
    pub credits: &'a str,
    /// `once` or `agreement`.
    pub sold: &'a str,
    /// Major units: `7.50`. Empty where it is by agreement.
    pub price: &'a str,
    /// Three letters, small or large.
    pub currency: &'a str,
    /// In further currencies, as rows of which some may be empty.
    pub other_prices: &'a [TypedPrice],
    /// A number, or empty for never.
    pub expires_after_days: &'a str,
    /// A number, or empty for none.
    pub bonus_credits: &'a str,
    /// A number, or empty for as long as the credits.
    pub bonus_expires_after_days: &'a str,
    /// `listed` or `unlisted`.
    pub visibility: &'a str,
}

impl Terms {
    /// Errors: what is wrong with each field, under the field's name.
    pub fn parse(typed: &Typed<'_>) -> Result<Self, FieldErrors> {
        let mut wrong = FieldErrors::default();
        let name = kept(&mut wrong, "name", name(typed.name));
        let description = kept(&mut wrong, "description", description(typed.description));
        let credits = Credits::parse_typed(typed.credits)
            .ok_or_else(|| "Enter a whole number of credits, from 1 to 1,000,000,000,000.".to_owned());
        let credits = kept(&mut wrong, "credits", credits);
        let price = match typed.sold {
            "once" => fixed(&mut wrong, typed.price, typed.currency),
            "agreement" => kept(&mut wrong, "price", no_price(typed.price)),
            _ => kept(&mut wrong, "sold", Err("Choose how it is sold.".to_owned())),
        };
        let other_prices = prices::others(&mut wrong, typed.other_prices, price);
        let expires = kept(&mut wrong, "expires_after_days", days(typed.expires_after_days));
        let bonus = kept(&mut wrong, "bonus_credits", bonus_credits(typed.bonus_credits));
        let ends = bonus_days(bonus, typed.bonus_expires_after_days);
        let bonus_days = kept(&mut wrong, "bonus_expires_after_days", ends);
        let visibility = typed.visibility.parse::<PlanVisibility>().map_err(|_| "Choose who sees it.".to_owned());
        let visibility = kept(&mut wrong, "visibility", visibility);
        let bonus = bonus.zip(bonus_days).map(|(credits, days)| Bonus::stored(credits, days));
        let (Some(name), Some(description), Some(credits), Some(price)) = (name, description, credits, price) else {
            return Err(wrong);
        };
        let (Some(other_prices), Some(expires_after_days), Some(bonus), Some(visibility)) =
            (other_prices, expires, bonus, visibility)
        else {
            return Err(wrong);
        };
        Ok(Self { name, description, credits, price, other_prices, expires_after_days, bonus, visibility })
    }

    /// Both columns of the price, or neither.
    pub(super) const fn price_columns(&self) -> (Option<i64>, Option<Currency>) {
        match self.price {
            Price::Fixed(money) => (Some(money.minor), Some(money.currency)),
            Price::ByAgreement => (None, None),
        }
    }
}

fn kept<T>(wrong: &mut FieldErrors, field: &str, read: Result<T, String>) -> Option<T> {
    read.map_err(|message| wrong.add(field, message)).ok()
}

fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() {
        return Err("Give it a name.".to_owned());
    }
    line(name, NAME_CHARS_MAX, "name")
}

fn description(text: &str) -> Result<String, String> {
    line(text.trim(), DESCRIPTION_CHARS_MAX, "description")
}

/// One line of any script. What would turn other text around, or can't be seen or kept, is refused.
fn line(text: &str, chars_max: usize, what: &str) -> Result<String, String> {
    if text.chars().count() > chars_max {
        return Err(format!("Shorten the {what} to {chars_max} characters."));
    }
    let turns = |letter| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.chars().any(|letter| letter.is_control() || turns(letter)) {
        return Err(format!("Write the {what} on one line, without control characters."));
    }
    Ok(text.to_owned())
}

fn days(text: &str) -> Result<Option<i32>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let days = text.parse().ok().filter(|days| plain && (1..=DAYS_MAX).contains(days));
    days.map(Some).ok_or_else(|| format!("Enter a number of days from 1 to {DAYS_MAX}, or nothing if they never end."))
}

/// Nothing typed is no bonus.
fn bonus_credits(text: &str) -> Result<Credits, String> {
    match text.trim() {
        "" | "0" => Ok(Credits::ZERO),
        typed => Credits::parse_typed(typed).ok_or_else(|| {
            "Enter a whole number of credits, up to 1,000,000,000,000, or nothing for no bonus.".to_owned()
        }),
    }
}

/// `bonus`: none where its credits can't be read.
fn bonus_days(bonus: Option<Credits>, text: &str) -> Result<Option<i32>, String> {
    if bonus == Some(Credits::ZERO) && !text.trim().is_empty() {
        return Err("There is no bonus that could end. Leave it empty, or enter bonus credits.".to_owned());
    }
    days(text)
}

fn no_price(text: &str) -> Result<Price, String> {
    if text.trim().is_empty() {
        Ok(Price::ByAgreement)
    } else {
        Err("By agreement there is no price. Leave it empty, or choose that it is paid once.".to_owned())
    }
}

fn fixed(wrong: &mut FieldErrors, price: &str, code: &str) -> Option<Price> {
    let currency = kept(wrong, "currency", currency(code))?;
    kept(wrong, "price", amount(price.trim(), currency)).map(Price::Fixed)
}

pub(super) fn currency(code: &str) -> Result<Currency, String> {
    let known = code.trim().parse().ok().filter(|currency: &Currency| currency.is_sold_in());
    known
        .ok_or_else(|| "Enter the three letters of a currency that can be paid in, such as USD, EUR or JPY.".to_owned())
}

pub(super) fn amount(text: &str, currency: Currency) -> Result<Money, String> {
    let (code, unit) = (currency.code(), 10_i64.pow(currency.decimals()));
    let most = Money::new(PRICE_MINOR_MAX, currency);
    if text.starts_with('-') || text.starts_with('−') {
        return Err("A price can’t be negative.".to_owned());
    }
    // People who write an exponent did not mean it.
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let read = if plain { Money::parse_decimal(text, currency) } else { Err(MoneyError::NotADecimal) };
    match read {
        Ok(price) if price.minor == 0 => Err("A price can’t be zero.".to_owned()),
        // Whop charges nothing below one whole unit (Whop API, money).
        Ok(price) if price.minor < unit => Err(format!("No checkout takes less than {}.", Money::new(unit, currency))),
        Ok(price) if price.minor <= PRICE_MINOR_MAX => Ok(price),
        Ok(_) | Err(MoneyError::TooLarge) => Err(format!("That is too much. Enter at most {most}.")),
        Err(MoneyError::TooPrecise) => Err(match currency.decimals() {
            0 => format!("{code} has no decimals. Enter whole units."),
            decimals => format!(
                "{code} has {decimals} decimals, not more. Enter, for example, {}.",
                Money::new(unit * 15 / 2, currency).to_decimal()
            ),
        }),
        Err(MoneyError::NotADecimal | MoneyError::NotACurrency) => {
            Err("Enter the price in digits, with a point before the decimals: 7.50.".to_owned())
        }
    }
}
