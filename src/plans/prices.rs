//! What a plan costs in further currencies, beside its main price: as it is typed, kept and read.

use domain::{Currency, FieldErrors, Money, PlanVersionId, Price};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::terms::{amount, currency};
use crate::Result;

/// Nobody sells in more currencies than the main one and these.
pub const OTHERS_MAX: usize = 10;

/// A row of the form, as it was typed. Empty in both halves: there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TypedPrice {
    /// Major units: `6.90`.
    pub price: String,
    /// Three letters, small or large.
    pub currency: String,
}

impl TypedPrice {
    pub fn is_empty(&self) -> bool {
        self.price.trim().is_empty() && self.currency.trim().is_empty()
    }
}

/// Under which names the two halves of a row are spoken of; the first row is 1.
pub fn price_field(row: usize) -> String {
    format!("other-price-{row}")
}

pub fn currency_field(row: usize) -> String {
    format!("other-currency-{row}")
}

/// All prices as a person writes them down: `6.90 EUR, 1150 JPY`.
pub fn written(prices: &[Money]) -> String {
    let each: Vec<String> =
        prices.iter().map(|price| format!("{} {}", price.to_decimal(), price.currency.code())).collect();
    each.join(", ")
}

/// Reads the rows, sorted by currency; what is wrong goes to `wrong`, at each row's own fields. `main`: the main price, where it
/// could be read.
pub(super) fn others(wrong: &mut FieldErrors, rows: &[TypedPrice], main: Option<Price>) -> Option<Vec<Money>> {
    let mut read = Vec::new();
    let filled: Vec<_> = (1..).zip(rows).filter(|(_, row)| !row.is_empty()).take(OTHERS_MAX + 1).collect();
    for (number, row) in filled.iter().take(OTHERS_MAX) {
        match other(row, main, &read) {
            Ok(price) => read.push(price),
            Err(Wrong::Price(message)) => wrong.add(&price_field(*number), message),
            Err(Wrong::Currency(message)) => wrong.add(&currency_field(*number), message),
        }
    }
    if filled.len() > OTHERS_MAX {
        wrong.add(&price_field(OTHERS_MAX), format!("Name at most {OTHERS_MAX} other currencies."));
    }
    read.sort_by_key(|price| price.currency.code());
    (read.len() == filled.len()).then_some(read)
}

/// Which half of a row is wrong.
enum Wrong {
    Price(String),
    Currency(String),
}

fn other(row: &TypedPrice, main: Option<Price>, above: &[Money]) -> Result<Money, Wrong> {
    if main == Some(Price::ByAgreement) {
        let message = "By agreement there is no price. Leave this row empty, or choose that it is paid once.";
        return Err(Wrong::Price(message.to_owned()));
    }
    let currency = currency(&row.currency).map_err(Wrong::Currency)?;
    if matches!(main, Some(Price::Fixed(main)) if main.currency == currency) {
        let message = format!("The price above is in {} already. Choose another currency.", currency.code());
        return Err(Wrong::Currency(message));
    }
    if above.iter().any(|price| price.currency == currency) {
        return Err(Wrong::Currency(format!("{} stands in a row above already.", currency.code())));
    }
    if row.price.trim().is_empty() {
        return Err(Wrong::Price(format!("Enter the price in {}, or leave both empty.", currency.code())));
    }
    amount(row.price.trim(), currency).map_err(Wrong::Price)
}

/// Two columns of a query, one price of each pair.
pub(super) fn paired(currencies: Vec<Currency>, minors: Vec<i64>) -> Vec<Money> {
    minors.into_iter().zip(currencies).map(|(minor, currency)| Money::new(minor, currency)).collect()
}

/// Writes them beside the version that the same transaction made.
pub(super) async fn add(tx: &mut PgConnection, version: PlanVersionId, prices: &[Money]) -> Result<()> {
    if prices.is_empty() {
        return Ok(());
    }
    let (currencies, minors): (Vec<Currency>, Vec<i64>) =
        prices.iter().map(|price| (price.currency, price.minor)).unzip();
    sqlx::query!(
        "insert into plan_version_prices (version_id, currency, price_minor)
        select $1, other.currency, other.minor from unnest($2::text[], $3::bigint[]) as other (currency, minor)",
        version as PlanVersionId,
        &currencies as &[Currency],
        &minors,
    )
    .execute(tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    const MAIN: Option<Price> = Some(Price::Fixed(Money::usd(750)));

    fn rows(rows: &[(&str, &str)]) -> Vec<TypedPrice> {
        let row =
            |(price, currency): &(&str, &str)| TypedPrice { price: (*price).into(), currency: (*currency).into() };
        rows.iter().map(row).collect()
    }

    fn read(typed: &[(&str, &str)], main: Option<Price>) -> Result<Vec<Money>, FieldErrors> {
        let mut wrong = FieldErrors::default();
        others(&mut wrong, &rows(typed), main).ok_or(wrong)
    }

    #[test]
    fn rows_are_read_sorted_and_empty_ones_passed_over() {
        let typed = [("", ""), ("1150", " jpy "), (" ", ""), ("6.90", "EUR"), ("", "")];
        assert_eq!(written(&read(&typed, MAIN).unwrap()), "6.90 EUR, 1150 JPY");
        assert_eq!(read(&[], Some(Price::ByAgreement)), Ok(vec![]));
        assert_eq!(read(&[("", " ")], Some(Price::ByAgreement)), Ok(vec![]));
    }

    #[test]
    fn each_bad_row_is_refused_at_the_half_that_is_wrong() {
        for (typed, field, reason) in [
            ([("", ""), ("1150.5", "JPY")], "other-price-2", "JPY has no decimals"),
            ([("6.905", "EUR"), ("", "")], "other-price-1", "2 decimals"),
            ([("-6.90", "EUR"), ("", "")], "other-price-1", "negative"),
            ([("0", "EUR"), ("", "")], "other-price-1", "zero"),
            ([("0.50", "EUR"), ("", "")], "other-price-1", "less than €1.00"),
            ([("99999999999999999999", "EUR"), ("", "")], "other-price-1", "at most"),
            ([("six", "EUR"), ("", "")], "other-price-1", "in digits"),
            ([("", "EUR"), ("", "")], "other-price-1", "Enter the price in EUR"),
            ([("6.90", ""), ("", "")], "other-currency-1", "three letters"),
            ([("6.90", "XYZ"), ("", "")], "other-currency-1", "three letters"),
            ([("6.90", "usd"), ("", "")], "other-currency-1", "in USD already"),
            ([("6.90", "EUR"), ("7", "eur")], "other-currency-2", "in a row above"),
        ] {
            let wrong = read(&typed, MAIN).unwrap_err();
            let said = wrong.of(field).unwrap_or_else(|| panic!("{typed:?}: {wrong:?}"));
            assert!(said.contains(reason), "{typed:?}: {said}");
        }
        let wrong = read(&[("6.90", "EUR")], Some(Price::ByAgreement)).unwrap_err();
        assert!(wrong.of("other-price-1").unwrap().contains("By agreement"));
    }

    #[test]
    fn an_eleventh_currency_is_refused_and_a_thousand_rows_say_no_more_than_ten_do() {
        let codes = ["eur", "jpy", "gbp", "chf", "sek", "nok", "dkk", "pln", "czk", "huf", "ron"];
        let typed: Vec<_> = codes.iter().map(|code| ("7", *code)).collect();
        assert_eq!(read(&typed[..10], MAIN).unwrap().len(), 10);
        assert!(read(&typed, MAIN).unwrap_err().of("other-price-10").unwrap().contains("at most 10"));
        let many = vec![("x", "y"); 1_000];
        assert_eq!(read(&many, MAIN).unwrap_err().iter().count(), 11);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(typed in prop::collection::vec(("\\PC{0,20}|[0-9]{1,20}(\\.[0-9]{0,4})?", "\\PC{0,4}|[a-z]{3}"), 0..14)) {
            let typed: Vec<(&str, &str)> = typed.iter().map(|(price, code)| (price.as_str(), code.as_str())).collect();
            if let Ok(read) = read(&typed, MAIN) {
                prop_assert!(read.len() <= OTHERS_MAX);
                for (place, price) in read.iter().enumerate() {
                    prop_assert!(price.minor >= 1 && price.minor <= 1_000_000_000_000 && price.currency.is_sold_in());
                    prop_assert!(price.currency != Currency::USD && read[..place].iter().all(|other| other.currency != price.currency));
                }
            }
        }
    }
}
