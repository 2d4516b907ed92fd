//! Bringing an order up to date with a payment: one path for webhooks, for asking the provider, and for replays.

pub mod ask;

use domain::ledger::LotSource;
use domain::{Credits, Currency, OrderId, OrderState, PaymentState, PersonId, Provider, TransactionId};
use sqlx::PgConnection;

use super::decide::{Change, Decision, Known, Misfit, Ordered, decide};
use super::expire::is_out_of_time;
use crate::events::PaymentFacts;
use crate::ledger::grant::{Grant, PaymentKey, grant};
use crate::ledger::{Key, Moved};
use crate::{Context, Error, Result, plans};

/// PostgreSQL channel on which the id of every order that changed is sent.
pub const CHANNEL: &str = "atlas_orders";

/// What became of the facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The order and the payment are up to date. Some: credits were granted just now.
    UpToDate(Option<TransactionId>),
    /// Kept for a person; no credits moved.
    Misfit(Misfit),
}

/// An order whose row this transaction has locked, with its payments.
pub struct LockedOrder {
    id: OrderId,
    buyer: PersonId,
    plan_name: String,
    credits: Credits,
    rule: Ordered,
    payments: Vec<Known>,
}

impl LockedOrder {
    pub const fn id(&self) -> OrderId {
        self.id
    }
}

/// Finds the order by the provider's checkout id, the only tie that the browser can't bend, and locks it.
pub async fn lock(
    ctx: &Context,
    tx: &mut PgConnection,
    provider: Provider,
    checkout_id: &str,
) -> Result<Option<LockedOrder>> {
    let row = sqlx::query!(
        r#"select id as "id: OrderId", buyer_id as "buyer: PersonId", plan_name, credits as "credits: Credits",
            price_minor, currency as "currency: Currency", state as "state: OrderState", created_at
        from credit_orders where provider = $1 and checkout_id = $2 for no key update"#,
        provider as Provider,
        checkout_id,
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let payments = sqlx::query!(
        r#"select payment_id, state as "state: PaymentState", granted_by is not null as "granted!"
        from payments where order_id = $1"#,
        row.id as OrderId,
    )
    .fetch_all(&mut *tx)
    .await?;
    let price = match plans::catalogue::price(row.price_minor, row.currency) {
        domain::Price::Fixed(price) => Some(price),
        domain::Price::ByAgreement => None,
    };
    Ok(Some(LockedOrder {
        id: row.id,
        buyer: row.buyer,
        plan_name: row.plan_name,
        credits: row.credits,
        rule: Ordered {
            provider,
            checkout_id: Some(checkout_id.to_owned()),
            price,
            state: row.state,
            out_of_time: row.state == OrderState::Expired || is_out_of_time(row.created_at, ctx.now()),
        },
        payments: payments
            .into_iter()
            .map(|payment| Known { payment_id: payment.payment_id, state: payment.state, granted: payment.granted })
            .collect(),
    }))
}

/// Decides and writes, in the caller's transaction. Doing it again changes nothing.
pub async fn settle(
    ctx: &Context,
    tx: &mut PgConnection,
    order: &LockedOrder,
    facts: &PaymentFacts,
    our_account: &str,
) -> Result<Settled> {
    if facts.order_hint.is_some_and(|hint| hint != order.id) {
        return Ok(Settled::Misfit(Misfit::ForeignOrder));
    }
    let change = match decide(&order.rule, &order.payments, facts, our_account) {
        Decision::Quarantine(misfit) => return Ok(Settled::Misfit(misfit)),
        Decision::Change(change) => change,
    };
    write_payment(ctx, tx, order, facts, &change).await?;
    let granted = if change.grant { Some(grant_credits(tx, order, facts).await?.transaction) } else { None };
    write_order(ctx, tx, order, facts, &change).await?;
    Ok(match change.misfit {
        Some(misfit) => Settled::Misfit(misfit),
        None => Settled::UpToDate(granted),
    })
}

async fn write_payment(
    ctx: &Context,
    tx: &mut PgConnection,
    order: &LockedOrder,
    facts: &PaymentFacts,
    change: &Change,
) -> Result<()> {
    let (failure, message) = failure_of(facts, change.payment);
    // Facts about an earlier state, arriving late, say nothing about the present one. And once credits were granted for
    // it, what was paid stands.
    let is_news = facts.state == change.payment;
    let written = sqlx::query!(
        "insert into payments (provider, payment_id, order_id, buyer_id, state, amount_minor, currency, failure,
            failure_message, method, paid_at, created_at, changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
        on conflict (provider, payment_id) do update set
            state = excluded.state,
            amount_minor = case when payments.granted_by is null and $13 and excluded.amount_minor is not null
                then excluded.amount_minor else payments.amount_minor end,
            currency = case when payments.granted_by is null and $13 and excluded.amount_minor is not null
                then excluded.currency else payments.currency end,
            failure = case when excluded.state not in ('failed', 'canceled') then null
                when $13 and excluded.failure is not null then excluded.failure else payments.failure end,
            failure_message = case when excluded.state not in ('failed', 'canceled') then null
                when $13 and excluded.failure is not null then excluded.failure_message else payments.failure_message end,
            method = coalesce(excluded.method, payments.method),
            paid_at = coalesce(payments.paid_at, excluded.paid_at),
            changed_at = excluded.changed_at
        where payments.order_id = excluded.order_id",
        facts.provider as Provider,
        facts.payment_id,
        order.id as OrderId,
        order.buyer as PersonId,
        change.payment as PaymentState,
        facts.paid.map(|paid| paid.minor),
        facts.paid.map(|paid| paid.currency) as Option<Currency>,
        failure,
        message,
        facts.method,
        facts.paid_at,
        ctx.now(),
        is_news,
    )
    .execute(tx)
    .await?;
    if written.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::broken(format!("payment {} belongs to another order than {}", facts.payment_id, order.id)))
    }
}

async fn grant_credits(tx: &mut PgConnection, order: &LockedOrder, facts: &PaymentFacts) -> Result<Moved> {
    let paid = facts.paid.ok_or_else(|| Error::broken("a grant without an amount"))?;
    let moved = grant(
        tx,
        &Grant {
            key: Key::new(format!("{}:payment", facts.provider), facts.payment_id.clone()),
            to: order.buyer,
            credits: order.credits,
            counter: match facts.provider {
                Provider::Whop => "sales:whop",
                Provider::Stripe => "sales:stripe",
                Provider::Manual => "manual",
            },
            source: LotSource::Purchase,
            expires_at: None,
            order: Some(order.id),
            paid: Some((PaymentKey { provider: facts.provider, id: facts.payment_id.clone() }, paid)),
            actor: facts.provider.to_string(),
            description: format!("Bought {}", order.plan_name),
        },
    )
    .await?;
    sqlx::query!(
        "update payments set granted_by = $3 where provider = $1 and payment_id = $2 and granted_by is null",
        facts.provider as Provider,
        facts.payment_id,
        moved.transaction as TransactionId,
    )
    .execute(tx)
    .await?;
    tracing::info!(order.id = %order.id, payment.id = %facts.payment_id, credits = order.credits.get(), "credits granted");
    Ok(moved)
}

async fn write_order(
    ctx: &Context,
    tx: &mut PgConnection,
    order: &LockedOrder,
    facts: &PaymentFacts,
    change: &Change,
) -> Result<()> {
    let is_news = facts.state == change.payment;
    let (failure, message) = if is_news { failure_of(facts, change.payment) } else { (None, None) };
    sqlx::query!(
        "update credit_orders set state = $2,
            failure = case when $2 = 'failed' then coalesce($3, failure, 'declined') end,
            failure_message = case when $2 = 'failed' then case when $3 is null then failure_message else $4 end end,
            settled_at = case when $2 = 'paid' then coalesce(settled_at, $5) else settled_at end,
            changed_at = $5
        where id = $1",
        order.id as OrderId,
        change.order.as_str(),
        failure,
        message,
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("select pg_notify($1, $2)", CHANNEL, order.id.to_string()).fetch_one(tx).await?;
    Ok(())
}

/// The failure to show, if the state is one that has a reason.
fn failure_of(facts: &PaymentFacts, state: PaymentState) -> (Option<&'static str>, Option<&str>) {
    let has_reason = matches!(state, PaymentState::Failed | PaymentState::Canceled);
    match &facts.failure {
        Some(failure) if has_reason => (Some(failure.reason.as_str()), failure.message.as_deref()),
        _ => (None, None),
    }
}
