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
    let newest = sqlx::query!(
        r#"select version, name, description, credits as "credits: Credits", price_minor, currency as "currency: Currency",
            expires_after_days, bonus_credits as "bonus_credits: Credits", bonus_expires_after_days,
            visibility as "visibility: PlanVisibility",
            array(select price.currency from plan_version_prices price
                where price.version_id = newest.id order by price.currency) as "currencies!: Vec<Currency>",
            array(select price.price_minor from plan_version_prices price
                where price.version_id = newest.id order by price.currency) as "minors!"
        from plan_versions newest where plan_id = $1 order by version desc limit 1"#,
        plan as PlanId,
    )
    .fetch_one(tx)
    .await?;
    Ok(Locked {
        slug: stands.slug,
        on_sale: stands.on_sale,
        retired_at: stands.retired_at,
        revision: newest.version,
        terms: Terms {
            name: newest.name,
            description: newest.description,
            credits: newest.credits,
            price: price(newest.price_minor, newest.currency),
            other_prices: paired(newest.currencies, newest.minors),
            expires_after_days: newest.expires_after_days,
            bonus: Bonus::stored(newest.bonus_credits, newest.bonus_expires_after_days),
            visibility: newest.visibility,
        },
    })
}
