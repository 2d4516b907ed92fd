//! Refunds that were asked for here, as an order's page shows them, and those that wait for a second admin.

use domain::{Currency, Money, OrderId, PersonId, RefundRequestId, RefundRequestState, RefundState};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::Result;
use crate::people::roles::Admin;

/// More than one page of what waits would be a backlog to speak about.
const WAITING_MAX: i64 = 100;

/// One request, and what the provider made of it.
#[derive(Debug, Clone)]
pub struct Request {
    pub id: RefundRequestId,
    pub payment: String,
    pub amount: Money,
    pub reason: String,
    pub asked_by: String,
    pub asked_by_id: PersonId,
    pub decided_by: Option<String>,
    pub state: RefundRequestState,
    /// Why it was refused or declined.
    pub refusal: Option<String>,
    /// Times that the provider was told.
    pub tries: i32,
    pub next_try_at: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
    /// The provider's refund that answers it, once it is known.
    pub refund: Option<(String, RefundState)>,
}

/// A request that waits for a second admin.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub id: RefundRequestId,
    pub order: OrderId,
    pub buyer_email: String,
    pub plan_name: String,
    pub amount: Money,
    pub reason: String,
    pub asked_by: String,
    pub asked_by_id: PersonId,
    pub created_at: OffsetDateTime,
}

/// The requests of one order, oldest first.
pub async fn of_order(db: impl PgExecutor<'_>, order: OrderId) -> Result<Vec<Request>> {
    let rows = sqlx::query!(
        r#"select q.id as "id: RefundRequestId", q.payment_id, q.amount_minor, q.currency as "currency: Currency", q.reason,
            asker.known_as as "asked_by!", q.asked_by as "asked_by_id: PersonId", decider.known_as as "decided_by?",
            q.state as "state: RefundRequestState", q.refusal, q.tries, q.next_try_at, q.created_at,
            refund.refund_id as "refund_id?", refund.state as "refund_state?: RefundState"
        from refund_requests q
        join user_profiles asker on asker.id = q.asked_by
        left join user_profiles decider on decider.id = q.decided_by
        left join lateral (
            select refund_id, state from refunds r
            where r.request_id = q.id and r.provider = q.provider and r.payment_id = q.payment_id
            order by r.created_at limit 1
        ) refund on true
        where q.order_id = $1 order by q.created_at, q.id"#,
        order as OrderId,
    )
    .fetch_all(db)
    .await?;
    let requests = rows.into_iter().map(|row| Request {
        id: row.id,
        payment: row.payment_id,
        amount: Money::new(row.amount_minor, row.currency),
        reason: row.reason,
        asked_by: row.asked_by,
        asked_by_id: row.asked_by_id,
        decided_by: row.decided_by,
        state: row.state,
        refusal: row.refusal,
        tries: row.tries,
        next_try_at: row.next_try_at,
        created_at: row.created_at,
        refund: row.refund_id.zip(row.refund_state),
    });
    Ok(requests.collect())
}

/// What waits for a second admin, the longest waiting first.
pub async fn waiting(db: impl PgExecutor<'_>, _: &Admin) -> Result<Vec<Waiting>> {
    let rows = sqlx::query!(
        r#"select q.id as "id: RefundRequestId", q.order_id as "order: OrderId", buyer.known_as as "buyer_email!", o.plan_name,
            q.amount_minor, q.currency as "currency: Currency", q.reason, asker.known_as as "asked_by!",
            q.asked_by as "asked_by_id: PersonId", q.created_at
        from refund_requests q
        join credit_orders o on o.id = q.order_id
        join user_profiles buyer on buyer.id = o.buyer_id
        join user_profiles asker on asker.id = q.asked_by
        where q.state = 'waiting' order by q.created_at, q.id limit $1"#,
        WAITING_MAX,
    )
    .fetch_all(db)
    .await?;
    let waiting = rows.into_iter().map(|row| Waiting {
        id: row.id,
        order: row.order,
        buyer_email: row.buyer_email,
        plan_name: row.plan_name,
        amount: Money::new(row.amount_minor, row.currency),
        reason: row.reason,
        asked_by: row.asked_by,
        asked_by_id: row.asked_by_id,
        created_at: row.created_at,
    });
    Ok(waiting.collect())
}
