//! Setting one person apart from all others: whose checkout they get, and how much they may buy.

use domain::{Credits, FieldErrors, PersonId, Provider};

use super::roles::Admin;
use crate::audit::{self, About, Change, Origin, Reason, What};
use crate::{Context, Error, Result};

/// The greatest limit that can be set.
pub const LIMIT_MAX: i64 = 1_000_000_000_000;

/// A limit as it is typed: a whole number of credits, grouped or not; nothing for none.
pub fn parse_limit(field: &str, text: &str) -> Result<Option<Credits>, FieldErrors> {
    let digits: String = text.chars().filter(|c| !matches!(c, ',' | ' ' | '\u{a0}' | '\u{202f}')).collect();
    if digits.is_empty() {
        return Ok(None);
    }
    let number = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None };
    match number {
        Some(number @ 1..=LIMIT_MAX) => Ok(Some(Credits::new(number))),
        _ => Err(FieldErrors::one(field, "Give a whole number of credits, or nothing for no limit.")),
    }
}

/// From now on their new orders take this path; none: the one that everybody takes. Orders that exist keep theirs.
///
/// Errors: [`Error::NotFound`], also for somebody who has left.
pub async fn set_payment_path(
    ctx: &Context,
    admin: &Admin,
    origin: &Origin,
    person: PersonId,
    path: Option<Provider>,
    why: &Reason,
) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let before = sqlx::query_scalar!(
        "select payment_path from user_profiles where id = $1 and deleted_at is null for no key update",
        person as PersonId,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotFound)?;
    sqlx::query!(
        "update user_profiles set payment_path = $2 where id = $1",
        person as PersonId,
        path as Option<Provider>,
    )
    .execute(&mut *tx)
    .await?;
    let change = Change::none().from_to("path", before, path.map(Provider::as_str));
    let by = admin.by(origin);
    let deed = by.did(What::PaymentPathSet, About::Person(person)).with(change).because(why.as_str());
    audit::record(&mut tx, &deed).await?;
    Ok(tx.commit().await?)
}

/// At most so many credits in orders of any 24 hours from now on; none: no limit.
///
/// Errors: [`Error::NotFound`], also for somebody who has left.
pub async fn set_daily_limit(
    ctx: &Context,
    admin: &Admin,
    origin: &Origin,
    person: PersonId,
    limit: Option<Credits>,
    why: &Reason,
) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let before = sqlx::query_scalar!(
        "select daily_credits_max from user_profiles where id = $1 and deleted_at is null for no key update",
        person as PersonId,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotFound)?;
    sqlx::query!(
        "update user_profiles set daily_credits_max = $2 where id = $1",
        person as PersonId,
        limit as Option<Credits>,
    )
    .execute(&mut *tx)
    .await?;
    let change = Change::none().from_to("credits_in_24_hours", before, limit.map(Credits::get));
    let by = admin.by(origin);
    let deed = by.did(What::PurchaseLimitSet, About::Person(person)).with(change).because(why.as_str());
    audit::record(&mut tx, &deed).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_whole_number_or_nothing() {
        for (text, limit) in [("", None), (" ", None), ("5,000", Some(5_000)), ("1", Some(1)), ("12 000", Some(12_000))]
        {
            assert_eq!(parse_limit("limit", text), Ok(limit.map(Credits::new)), "{text}");
        }
        for bad in ["0", "-5", "1.5", "five", "1000000000001", "99999999999999999999", "٣"] {
            assert!(parse_limit("limit", bad).is_err(), "{bad}");
        }
    }
}
