//! A plan as it stands, locked until the transaction ends: who changes one waits here for whoever was faster.

use domain::{Credits, Currency, PlanId, PlanVisibility};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::catalogue::price;
use super::prices::paired;
use super::{Bonus, Terms};
use crate::{Error, Refusal, Result};

pub struct Locked {
    pub slug: String,
    pub on_sale: bool,
    retired_at: Option<OffsetDateTime>,
    /// The number of its newest version.
    pub revision: i32,
    pub terms: Terms,
}

impl Locked {
    /// Errors: [`Refusal::PlanIsRetired`].
    pub fn unless_retired(self) -> Result<Self> {
        if self.retired_at.is_none() { Ok(self) } else { Err(Refusal::PlanIsRetired.into()) }
    }
}

/// Errors: [`Error::NotFound`], also for a plan that was deleted.
pub async fn lock(tx: &mut PgConnection, plan: PlanId) -> Result<Locked> {
    let stands = sqlx::query!(
        "select slug, on_sale, retired_at from plans where id = $1 and deleted_at is null for update",
        plan as PlanId,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotFound)?;
    // After the lock, and so with what the one before wrote.
    let (revision, terms) = version(tx, plan, None).await?;
    Ok(Locked { slug: stands.slug, on_sale: stands.on_sale, retired_at: stands.retired_at, revision, terms })
}

/// What a plan says in one of its versions, with the version's number; none: in the newest.
pub async fn version(db: &mut PgConnection, plan: PlanId, number: Option<i32>) -> Result<(i32, Terms)> {
    let row = sqlx::query!(
        r#"select version, name, description, credits as "credits: Credits", price_minor, currency as "currency: Currency",
            expires_after_days, bonus_credits as "bonus_credits: Credits", bonus_expires_after_days,
            visibility as "visibility: PlanVisibility",
            array(select price.currency from plan_version_prices price
                where price.version_id = said.id order by price.currency) as "currencies!: Vec<Currency>",
            array(select price.price_minor from plan_version_prices price
                where price.version_id = said.id order by price.currency) as "minors!"
        from plan_versions said where plan_id = $1 and version = coalesce($2, version) order by version desc limit 1"#,
        plan as PlanId,
        number,
    )
    .fetch_one(db)
    .await?;
    let terms = Terms {
        name: row.name,
        description: row.description,
        credits: row.credits,
        price: price(row.price_minor, row.currency),
        other_prices: paired(row.currencies, row.minors),
        expires_after_days: row.expires_after_days,
        bonus: Bonus::stored(row.bonus_credits, row.bonus_expires_after_days),
        visibility: row.visibility,
    };
    Ok((row.version, terms))
}
