//! The money of an order: its payments, and what took them back.

use domain::{Credits, Currency, DisputeState, Money, OrderId, PaymentState, RefundState};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Result;

#[derive(Debug, Clone)]
pub struct Payment {
    pub id: String,
    pub state: PaymentState,
    /// For the goods; none while nothing was collected.
    pub amount: Option<Money>,
    pub refunded: Option<Money>,
    pub method: Option<String>,
    pub failure_message: Option<String>,
    pub paid_at: Option<OffsetDateTime>,
    pub granted: bool,
    /// Credits taken back for it so far, and those that wait for a decision.
    pub taken: Credits,
    pub frozen: Credits,
    /// Of the bonus, the same two.
    pub taken_bonus: Credits,
    pub frozen_bonus: Credits,
}

#[derive(Debug, Clone)]
pub struct Refund {
    pub id: String,
    pub payment: String,
    pub amount: Money,
    pub state: RefundState,
    /// Why it came back, in the provider's words.
    pub failure: Option<String>,
    pub created_at: OffsetDateTime,
}

#[derive(Debug, Clone)]
pub struct Dispute {
    pub id: String,
    pub payment: String,
    /// None: over all that was charged.
    pub amount: Option<Money>,
    pub state: DisputeState,
    pub respond_by: Option<OffsetDateTime>,
}

pub(super) async fn payments(db: &mut PgConnection, order: OrderId) -> Result<Vec<Payment>> {
    let rows = sqlx::query!(
        r#"select payment_id, state as "state: PaymentState", amount_minor, currency as "currency: Currency", refunded_minor,
            method, failure_message, paid_at, granted_by is not null as "granted!", taken_credits as "taken: Credits",
            frozen_credits as "frozen: Credits", taken_bonus as "taken_bonus: Credits", frozen_bonus as "frozen_bonus: Credits"
        from payments where order_id = $1 order by created_at, payment_id"#,
        order as OrderId,
    )
    .fetch_all(db)
    .await?;
    let payments = rows.into_iter().map(|row| {
        let money = |minor: i64| row.currency.map(|currency| Money::new(minor, currency));
        Payment {
            amount: row.amount_minor.and_then(money),
            refunded: Some(row.refunded_minor).filter(|minor| *minor > 0).and_then(money),
            id: row.payment_id,
            state: row.state,
            method: row.method,
            failure_message: row.failure_message,
            paid_at: row.paid_at,
            granted: row.granted,
            taken: row.taken,
            frozen: row.frozen,
            taken_bonus: row.taken_bonus,
            frozen_bonus: row.frozen_bonus,
        }
    });
    Ok(payments.collect())
}

pub(super) async fn refunds(db: &mut PgConnection, order: OrderId) -> Result<Vec<Refund>> {
    let rows = sqlx::query!(
        r#"select r.refund_id, r.payment_id, r.amount_minor, r.currency as "currency: Currency", r.state as "state: RefundState",
            r.failure, r.created_at
        from refunds r join payments p using (provider, payment_id)
        where p.order_id = $1 order by r.created_at, r.refund_id"#,
        order as OrderId,
    )
    .fetch_all(db)
    .await?;
    let refunds = rows.into_iter().map(|row| Refund {
        id: row.refund_id,
        payment: row.payment_id,
        amount: Money::new(row.amount_minor, row.currency),
        state: row.state,
        failure: row.failure,
        created_at: row.created_at,
    });
    Ok(refunds.collect())
}

pub(super) async fn disputes(db: &mut PgConnection, order: OrderId) -> Result<Vec<Dispute>> {
    let rows = sqlx::query!(
        r#"select d.dispute_id, d.payment_id, d.amount_minor, d.currency as "currency: Currency", d.state as "state: DisputeState",
            d.respond_by
        from disputes d join payments p using (provider, payment_id)
        where p.order_id = $1 order by d.created_at, d.dispute_id"#,
        order as OrderId,
    )
    .fetch_all(db)
    .await?;
    let disputes = rows.into_iter().map(|row| Dispute {
        id: row.dispute_id,
        payment: row.payment_id,
        amount: row.amount_minor.zip(row.currency).map(|(minor, currency)| Money::new(minor, currency)),
        state: row.state,
        respond_by: row.respond_by,
    });
    Ok(disputes.collect())
}
