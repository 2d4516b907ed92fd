//! The plans as admins see them: on sale or not, retired ones too, with how often each was sold and how its counterpart at
//! Whop stands.

use domain::{Credits, Currency, MirrorState, PlanId, PlanVisibility, Provider};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use super::catalogue::price;
use super::prices::paired;
use super::{Bonus, Terms};
use crate::people::roles::{Admin, ReadsPlans};
use crate::{Error, Result};

/// Nobody chooses among more.
const PLANS_MAX: i64 = 500;
/// The newest so many are shown.
const VERSIONS_MAX: i64 = 100;

/// A plan in its newest version.
#[derive(Debug, Clone)]
pub struct Plan {
    pub id: PlanId,
    pub slug: String,
    pub standing: Standing,
    /// The number of its newest version; whoever edits says which one they saw.
    pub revision: i32,
    pub terms: Terms,
    /// Orders that were paid or approved: what `figures::sales` counted, and what was settled since.
    pub sold: i64,
    /// Whether anybody has ever ordered it, paid or not.
    pub ordered: bool,
    /// None: it has no counterpart, and none is to be made.
    pub mirror: Option<Mirror>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    OnSale,
    OffSale,
    Retired,
}

/// A plan's counterpart at Whop.
#[derive(Debug, Clone)]
pub struct Mirror {
    pub state: MirrorState,
    /// None: it is still to be made.
    pub plan_id: Option<String>,
    /// None for one that was adopted.
    pub product_id: Option<String>,
    /// The version that it shows, once it showed one.
    pub version: Option<i32>,
    /// What differs or went wrong, a sentence.
    pub note: Option<String>,
    pub checked_at: Option<OffsetDateTime>,
}

/// One version of a plan's terms.
#[derive(Debug, Clone)]
pub struct Version {
    pub number: i32,
    pub terms: Terms,
    /// Who made it, by their address; none: the program or an operator.
    pub by: Option<String>,
    pub at: OffsetDateTime,
    pub sold: i64,
}

/// All but the deleted ones: in the order of the page, retired ones last.
pub async fn list(db: impl PgExecutor<'_>, _: &dyn ReadsPlans) -> Result<Vec<Plan>> {
    plans(db, None).await
}

/// Errors: [`Error::NotFound`], also for a plan that was deleted.
pub async fn open(db: impl PgExecutor<'_>, _: &dyn ReadsPlans, plan: PlanId) -> Result<Plan> {
    plans(db, Some(plan)).await?.pop().ok_or(Error::NotFound)
}

async fn plans(db: impl PgExecutor<'_>, only: Option<PlanId>) -> Result<Vec<Plan>> {
    let rows = sqlx::query!(
        r#"select plan.id as "id: PlanId", plan.slug, plan.on_sale, plan.retired_at is not null as "retired!",
            newest.version, newest.name, newest.description, newest.credits as "credits: Credits", newest.price_minor,
            newest.currency as "currency: Currency", newest.expires_after_days, newest.visibility as "visibility: PlanVisibility",
            newest.bonus_credits as "bonus_credits: Credits", newest.bonus_expires_after_days,
            newest.currencies as "currencies!: Vec<Currency>", newest.minors as "minors!",
            orders.sold as "sold!", orders.ordered as "ordered!",
            mirror.state as "state?: MirrorState", mirror.whop_plan_id, mirror.product_id, mirror.version as "shown?",
            mirror.note, mirror.checked_at
        from plans plan
        join lateral (
            select version.version, version.name, version.description, version.credits, version.price_minor,
                version.currency, version.expires_after_days, version.bonus_credits, version.bonus_expires_after_days,
                version.visibility,
                array(select price.currency from plan_version_prices price
                    where price.version_id = version.id order by price.currency) as currencies,
                array(select price.price_minor from plan_version_prices price
                    where price.version_id = version.id order by price.currency) as minors
            from plan_versions version where version.plan_id = plan.id order by version.version desc limit 1
        ) newest on true
        cross join lateral (
            select sum(coalesce(counted.sold, 0) + (
                    select count(*) from credit_orders o
                    where o.plan_version_id = version.id and o.provider = any($3) and o.state in ('paid', 'approved')
                        and o.settled_at >= coalesce(counted.counted_to, '-infinity')
                ))::bigint as sold,
                bool_or((select o.state from credit_orders o where o.plan_version_id = version.id order by o.state limit 1)
                    is not null) as ordered
            from plan_versions version left join figure_sales counted on counted.plan_version_id = version.id
            where version.plan_id = plan.id
        ) orders
        left join whop_plans mirror on mirror.plan_id = plan.id
        where plan.deleted_at is null and ($1::uuid is null or plan.id = $1)
        order by plan.retired_at is not null, plan.position, plan.slug limit $2"#,
        only as Option<PlanId>,
        PLANS_MAX,
        &providers() as &[&str],
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Plan {
            id: row.id,
            slug: row.slug,
            standing: match (row.on_sale, row.retired) {
                (_, true) => Standing::Retired,
                (true, false) => Standing::OnSale,
                (false, false) => Standing::OffSale,
            },
            revision: row.version,
            terms: Terms {
                name: row.name,
                description: row.description,
                credits: row.credits,
                price: price(row.price_minor, row.currency),
                other_prices: paired(row.currencies, row.minors),
                expires_after_days: row.expires_after_days,
                bonus: Bonus::stored(row.bonus_credits, row.bonus_expires_after_days),
                visibility: row.visibility,
            },
            sold: row.sold,
            ordered: row.ordered,
            mirror: row.state.map(|state| Mirror {
                state,
                plan_id: row.whop_plan_id,
                product_id: row.product_id,
                version: row.shown,
                note: row.note,
                checked_at: row.checked_at,
            }),
        })
        .collect())
}

/// Each of them is looked up in the index `credit_orders_settled_of_version`.
fn providers() -> Vec<&'static str> {
    Provider::ALL.iter().map(|provider| provider.as_str()).collect()
}

/// The newest versions of a plan, each with how often it was sold.
pub async fn versions(db: impl PgExecutor<'_>, _: &Admin, plan: PlanId) -> Result<Vec<Version>> {
    let rows = sqlx::query!(
        r#"select version.version, version.name, version.description, version.credits as "credits: Credits",
            version.price_minor, version.currency as "currency: Currency", version.expires_after_days,
            version.bonus_credits as "bonus_credits: Credits", version.bonus_expires_after_days,
            version.visibility as "visibility: PlanVisibility", version.created_at, person.known_as as "by?",
            array(select price.currency from plan_version_prices price
                where price.version_id = version.id order by price.currency) as "currencies!: Vec<Currency>",
            array(select price.price_minor from plan_version_prices price
                where price.version_id = version.id order by price.currency) as "minors!",
            coalesce(counted.sold, 0) + (
                select count(*) from credit_orders o
                where o.plan_version_id = version.id and o.provider = any($3) and o.state in ('paid', 'approved')
                    and o.settled_at >= coalesce(counted.counted_to, '-infinity')
            ) as "sold!"
        from plan_versions version left join user_profiles person on person.id = version.created_by
        left join figure_sales counted on counted.plan_version_id = version.id
        where version.plan_id = $1 order by version.version desc limit $2"#,
        plan as PlanId,
        VERSIONS_MAX,
        &providers() as &[&str],
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Version {
            number: row.version,
            terms: Terms {
                name: row.name,
                description: row.description,
                credits: row.credits,
                price: price(row.price_minor, row.currency),
                other_prices: paired(row.currencies, row.minors),
                expires_after_days: row.expires_after_days,
                bonus: Bonus::stored(row.bonus_credits, row.bonus_expires_after_days),
                visibility: row.visibility,
            },
            by: row.by,
            at: row.created_at,
            sold: row.sold,
        })
        .collect())
}
