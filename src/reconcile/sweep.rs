//! Asking about open orders: the webhook of each may be lost. After 1, 5 and 30 minutes and then hourly for 72 hours.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::OrderId;
use futures::StreamExt;
use time::Duration;

use crate::orders::settle::ask::ask;
use crate::{Context, Error, Result};

/// After an order was made.
pub const FIRST_ASK: Duration = Duration::minutes(1);
/// Orders taken up at once.
const BATCH: i64 = 50;
/// Orders asked about in one sweep: seconds, so that a restart seldom comes in between.
pub const SWEEP_MAX: usize = 200;
/// Questions to a provider at the same time.
const AT_ONCE: usize = 4;
/// What could not be asked is asked again after so long.
const PUT_OFF: Duration = Duration::minutes(1);

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    pub asked: usize,
    /// Paid, as it turned out.
    pub recovered: usize,
    /// Not asked, because a provider is away.
    pub put_off: usize,
    /// Asked, but the answer could not be used; the log says why.
    pub failed: usize,
    /// There may be more whose turn it is.
    pub unfinished: bool,
}

/// Asks about orders whose turn it is, about [`SWEEP_MAX`] of them. When a provider is away, the rest waits for the next
/// sweep.
pub async fn ask_due(ctx: &Context) -> Result<Swept> {
    let mut swept = Swept::default();
    while swept.asked + swept.failed < SWEEP_MAX {
        let due = take_up(ctx).await?;
        if due.is_empty() {
            return Ok(swept);
        }
        let away = ask_all(ctx, &due, &mut swept).await;
        if !away.is_empty() {
            put_off(ctx, &away).await?;
        }
        let recovered = paid_among(ctx, &due).await?;
        for order in &recovered {
            tracing::warn!(order.id = %order, "recon.recovered: paid, and no webhook had said so");
        }
        swept.recovered += recovered.len();
        swept.put_off += away.len();
        if !away.is_empty() {
            tracing::warn!(put_off = away.len(), "a provider can't be asked about open orders; later");
            return Ok(swept);
        }
    }
    Ok(Swept { unfinished: true, ..swept })
}

/// Takes the turn of orders that are due, and sets their next.
async fn take_up(ctx: &Context) -> Result<Vec<OrderId>> {
    Ok(sqlx::query_scalar!(
        r#"with due as (
            select id, coalesce(opened_at, created_at) as since from credit_orders
            where state in ('opened', 'processing', 'failed', 'expired') and checkout_id is not null and next_ask_at <= $1
            order by next_ask_at limit $2 for update skip locked
        ), turn as (
            select due.id, since, case o.asks
                when 0 then greatest(since + interval '5 minutes', $1 + interval '1 minute')
                when 1 then greatest(since + interval '30 minutes', $1 + interval '5 minutes')
                else $1 + interval '1 hour'
            end as next
            from due join credit_orders o on o.id = due.id
        )
        update credit_orders o
        set asks = o.asks + 1, next_ask_at = case when next <= since + interval '72 hours' then next end
        from turn where o.id = turn.id
        returning o.id as "id: OrderId""#,
        ctx.now(),
        BATCH,
    )
    .fetch_all(&ctx.db)
    .await?)
}

/// Returns those that could not be asked because their provider is away. After the first such, no more are asked.
async fn ask_all(ctx: &Context, due: &[OrderId], swept: &mut Swept) -> Vec<OrderId> {
    let away = AtomicBool::new(false);
    let away = &away;
    let answers: Vec<_> = futures::stream::iter(due.to_vec())
        .map(|order| async move {
            if away.load(Ordering::Relaxed) {
                return (order, None);
            }
            let answer = ask(ctx, order, None).await;
            if matches!(answer, Err(Error::Unavailable(_))) {
                away.store(true, Ordering::Relaxed);
            }
            (order, Some(answer))
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut not_asked = Vec::new();
    for (order, answer) in answers {
        match answer {
            Some(Ok(())) => swept.asked += 1,
            None | Some(Err(Error::Unavailable(_))) => not_asked.push(order),
            Some(Err(error)) => {
                swept.failed += 1;
                tracing::error!(order.id = %order, error = ?error, "a provider's answer about an order can't be used");
            }
        }
    }
    not_asked
}

/// Gives the turn back.
async fn put_off(ctx: &Context, orders: &[OrderId]) -> Result<()> {
    sqlx::query!(
        "update credit_orders set asks = greatest(asks - 1, 0), next_ask_at = $2 where id = any($1)",
        orders as &[OrderId],
        ctx.now() + PUT_OFF,
    )
    .execute(&ctx.db)
    .await?;
    Ok(())
}

async fn paid_among(ctx: &Context, orders: &[OrderId]) -> Result<Vec<OrderId>> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: OrderId" from credit_orders where id = any($1) and state = 'paid'"#,
        orders as &[OrderId],
    )
    .fetch_all(&ctx.db)
    .await?)
}
