//! The plans on sale, each in its newest version.

use domain::{Credits, Currency, Money, PlanId, PlanVersionId, Price};
use sqlx::PgExecutor;

use crate::{Error, Result};

/// One plan as it is offered now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub plan: PlanId,
    pub version: PlanVersionId,
    pub slug: String,
    pub name: String,
    pub description: String,
    pub credits: Credits,
    pub price: Price,
}

/// Every plan on sale, in the order of the page.
pub async fn catalogue(db: impl PgExecutor<'_>) -> Result<Vec<Offer>> {
    offers(db, None).await
}

/// One plan, if it is on sale.
pub async fn find(db: impl PgExecutor<'_>, plan: PlanId) -> Result<Option<Offer>> {
    Ok(offers(db, Some(plan)).await?.pop())
}

async fn offers(db: impl PgExecutor<'_>, only: Option<PlanId>) -> Result<Vec<Offer>> {
    let rows = sqlx::query!(
        r#"select plan.id as "plan: PlanId", plan.slug, newest.id as "version: PlanVersionId", newest.name,
            newest.description, newest.credits as "credits: Credits", newest.price_minor,
            newest.currency as "currency: Currency"
        from plans plan
        join lateral (
            select version.id, version.name, version.description, version.credits, version.price_minor, version.currency
            from plan_versions version where version.plan_id = plan.id order by version.version desc limit 1
        ) newest on true
        where plan.on_sale and ($1::uuid is null or plan.id = $1)
        order by plan.position, plan.slug"#,
        only as Option<PlanId>,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Offer {
            plan: row.plan,
            version: row.version,
            slug: row.slug,
            name: row.name,
            description: row.description,
            credits: row.credits,
            price: price(row.price_minor, row.currency),
        })
        .collect())
}

/// A stored price: both columns, or neither for a price by agreement (a constraint keeps them together).
pub(crate) fn price(minor: Option<i64>, currency: Option<Currency>) -> Price {
    match (minor, currency) {
        (Some(minor), Some(currency)) => Price::Fixed(Money::new(minor, currency)),
        _ => Price::ByAgreement,
    }
}

/// Puts a plan on sale or takes it off; orders that were already made keep what they were sold.
pub async fn set_on_sale(db: impl PgExecutor<'_>, plan: PlanId, on_sale: OnSale) -> Result<()> {
    let on_sale = matches!(on_sale, OnSale::Yes);
    let changed =
        sqlx::query!("update plans set on_sale = $2 where id = $1", plan as PlanId, on_sale).execute(db).await?;
    if changed.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSale {
    Yes,
    No,
}
