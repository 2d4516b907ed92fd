//! The plans on sale, each in its newest version.

use domain::{Credits, Currency, Money, PlanId, PlanVersionId, Price};
use sqlx::PgExecutor;

use super::Bonus;
use super::prices::paired;
use crate::Result;

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
    /// In further currencies, by their codes.
    pub other_prices: Vec<Money>,
    /// Days from the arrival of the credits to their end; none: they have no end.
    pub expires_after_days: Option<i32>,
    pub bonus: Option<Bonus>,
}

impl Offer {
    /// All its prices, the main one first; none by agreement.
    pub fn prices(&self) -> impl Iterator<Item = Money> {
        let main = match self.price {
            Price::Fixed(price) => Some(price),
            Price::ByAgreement => None,
        };
        main.into_iter().chain(self.other_prices.iter().copied())
    }

    /// None: it is not sold in this currency.
    pub fn price_in(&self, currency: Currency) -> Option<Money> {
        self.prices().find(|price| price.currency == currency)
    }
}

/// Among which currencies a buyer of these plans chooses: the main ones first. None where each plan has one at most.
pub fn currencies(offers: &[Offer]) -> Vec<Currency> {
    let mut found: Vec<Currency> = Vec::new();
    if offers.iter().all(|offer| offer.other_prices.is_empty()) {
        return found;
    }
    let mut others: Vec<Currency> =
        offers.iter().flat_map(|offer| &offer.other_prices).map(|price| price.currency).collect();
    others.sort_by_key(|currency| currency.code());
    let mains = offers.iter().filter_map(|offer| offer.prices().next()).map(|price| price.currency);
    for currency in mains.chain(others) {
        if !found.contains(&currency) {
            found.push(currency);
        }
    }
    found
}

/// Every plan on sale that is listed, in the order of the page.
pub async fn catalogue(db: impl PgExecutor<'_>) -> Result<Vec<Offer>> {
    offers(db, None).await
}

/// One plan, if it is on sale, listed or not.
pub async fn find(db: impl PgExecutor<'_>, plan: PlanId) -> Result<Option<Offer>> {
    Ok(offers(db, Some(plan)).await?.pop())
}

async fn offers(db: impl PgExecutor<'_>, only: Option<PlanId>) -> Result<Vec<Offer>> {
    let rows = sqlx::query!(
        r#"select plan.id as "plan: PlanId", plan.slug, newest.id as "version: PlanVersionId", newest.name,
            newest.description, newest.credits as "credits: Credits", newest.price_minor,
            newest.currency as "currency: Currency", newest.expires_after_days,
            newest.bonus_credits as "bonus_credits: Credits", newest.bonus_expires_after_days,
            newest.currencies as "currencies!: Vec<Currency>", newest.minors as "minors!"
        from plans plan
        join lateral (
            select version.id, version.name, version.description, version.credits, version.price_minor, version.currency,
                version.visibility, version.expires_after_days, version.bonus_credits, version.bonus_expires_after_days,
                array(select price.currency from plan_version_prices price
                    where price.version_id = version.id order by price.currency) as currencies,
                array(select price.price_minor from plan_version_prices price
                    where price.version_id = version.id order by price.currency) as minors
            from plan_versions version where version.plan_id = plan.id order by version.version desc limit 1
        ) newest on true
        where plan.on_sale and case when $1::uuid is null then newest.visibility = 'listed' else plan.id = $1 end
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
            other_prices: paired(row.currencies, row.minors),
            expires_after_days: row.expires_after_days,
            bonus: Bonus::stored(row.bonus_credits, row.bonus_expires_after_days),
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
