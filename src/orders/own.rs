//! A buyer's own orders, all of them, a page at a time.

use domain::{Credits, Currency, FailureReason, OrderId, OrderState, PersonId, PlanId, Price, Provider};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use super::desk::After;
use crate::people::SignedIn;
use crate::{Error, Result, plans};

/// One order as its buyer may know it.
#[derive(Debug, Clone)]
pub struct Own {
    pub id: OrderId,
    pub plan: PlanId,
    pub plan_name: String,
    /// Those that arrived, where an admin gave other ones than were asked for.
    pub credits: Credits,
    /// Given on top.
    pub bonus: Credits,
    pub price: Price,
    pub provider: Provider,
    pub state: OrderState,
    pub failure: Option<FailureReason>,
    pub note: Option<String>,
    pub answer_reason: Option<String>,
    /// Where it can be paid now.
    pub checkout_url: Option<String>,
    pub created_at: OffsetDateTime,
    pub settled_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone)]
pub struct Page {
    pub orders: Vec<Own>,
    /// Where the next page begins; none at the end.
    pub next: Option<After>,
}

/// The newest first, at most `limit` of them.
pub async fn page(db: impl PgExecutor<'_>, buyer: &SignedIn, after: Option<After>, limit: usize) -> Result<Page> {
    let mut orders = chosen(db, buyer, None, after, limit.saturating_add(1)).await?;
    let more = orders.len() > limit;
    orders.truncate(limit);
    let last = orders.last().filter(|_| more);
    Ok(Page { next: last.map(|last| After { at: last.created_at, id: last.id }), orders })
}

/// Errors: [`Error::NotFound`] for an unknown order and for somebody else's alike.
pub async fn open(db: impl PgExecutor<'_>, buyer: &SignedIn, order: OrderId) -> Result<Own> {
    chosen(db, buyer, Some(order), None, 1).await?.pop().ok_or(Error::NotFound)
}

/// Uses the index `credit_orders_buyer`, whose order is the list's.
async fn chosen(
    db: impl PgExecutor<'_>,
    buyer: &SignedIn,
    only: Option<OrderId>,
    after: Option<After>,
    limit: usize,
) -> Result<Vec<Own>> {
    let rows = sqlx::query!(
        r#"select o.id as "id: OrderId", version.plan_id as "plan: PlanId", o.plan_name,
            coalesce(o.granted_credits, o.credits) as "credits!: Credits", o.bonus_credits as "bonus: Credits", o.price_minor,
            o.currency as "currency: Currency", o.provider as "provider: Provider", o.state as "state: OrderState",
            o.failure as "failure: FailureReason", o.note, o.answer_reason, o.checkout_url, o.created_at, o.settled_at
        from credit_orders o join plan_versions version on version.id = o.plan_version_id
        where o.buyer_id = $1 and ($2::uuid is null or o.id = $2)
            and (o.created_at, o.id) < (coalesce($3, 'infinity'::timestamptz), coalesce($4, '00000000-0000-0000-0000-000000000000'::uuid))
        order by o.created_at desc, o.id desc limit $5"#,
        buyer.id() as PersonId,
        only as Option<OrderId>,
        after.map(|after| after.at),
        after.map(|after| after.id) as Option<OrderId>,
        i64::try_from(limit).unwrap_or(i64::MAX),
    )
    .fetch_all(db)
    .await?;
    let orders = rows.into_iter().map(|row| Own {
        id: row.id,
        plan: row.plan,
        plan_name: row.plan_name,
        credits: row.credits,
        bonus: row.bonus,
        price: plans::catalogue::price(row.price_minor, row.currency),
        provider: row.provider,
        state: row.state,
        failure: row.failure,
        note: row.note,
        answer_reason: row.answer_reason,
        // Once money is on its way, going there again would pay twice.
        checkout_url: row.checkout_url.filter(|_| matches!(row.state, OrderState::Opened | OrderState::Failed)),
        created_at: row.created_at,
        settled_at: row.settled_at,
    });
    Ok(orders.collect())
}
