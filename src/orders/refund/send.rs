//! Telling the provider, once and again under the same key until it answers. Its answer is booked like a webhook's.

use domain::{Currency, Money, OrderId, Provider, RefundRequestId};
use time::OffsetDateTime;

use crate::audit::{self, About, By, Change, Origin, What, Who};
use crate::events::{Fact, PaymentFacts};
use crate::orders::{channel, settle};
use crate::providers::{PaymentProvider, ProviderError, REFUND_KEY_LASTS, RefundOrder, Refunding};
use crate::{Context, Error, Result};

/// Told in one run of the job.
const AT_ONCE: i64 = 20;

/// A request whose turn it is.
struct Due {
    order: OrderId,
    provider: Provider,
    told: RefundOrder,
    first_tried_at: OffsetDateTime,
}

/// Tells the provider of every request that is due.
pub async fn send_due(ctx: &Context) -> Result<()> {
    let due = sqlx::query_scalar!(
        r#"select id as "id: RefundRequestId" from refund_requests
        where state = 'wanted' and next_try_at <= $1 order by next_try_at limit $2"#,
        ctx.now(),
        AT_ONCE,
    )
    .fetch_all(&ctx.db)
    .await?;
    for id in due {
        // One that fails has its next turn; it must not keep the others from theirs.
        if let Err(error) = send(ctx, id).await {
            tracing::warn!(refund_request.id = %id, error = ?error, "the provider could not be told of a refund");
        }
    }
    Ok(())
}

/// Tells the provider of one request, if it is due. Nothing is known after an error, and its next turn comes.
pub async fn send(ctx: &Context, id: RefundRequestId) -> Result<()> {
    let Some(due) = claim(ctx, id).await? else { return Ok(()) };
    let adapter = ctx.providers.get(due.provider).ok_or_else(|| Error::unavailable("the provider is not set up"))?;
    if ctx.now() - due.first_tried_at >= REFUND_KEY_LASTS {
        return look(ctx, adapter, &due).await;
    }
    match adapter.refund(&due.told).await {
        Ok(Refunding::Taken(facts)) => book(ctx, adapter, id, &facts).await,
        Ok(Refunding::Refused(why)) => refuse(ctx, &due, &why).await,
        Err(error @ (ProviderError::Unreachable(_) | ProviderError::Unreadable(_))) => Err(Error::unavailable(error)),
        Err(error) => {
            tracing::error!(refund_request.id = %id, %error, "the provider takes no refunds from us");
            let why = "The provider refused our key or our request, so nothing was paid back. Once its settings are right, ask anew.";
            refuse(ctx, &due, why).await
        }
    }
}

/// Takes the turn. The next one comes after one minute, two, four, at last half an hour, in which no other process tries.
async fn claim(ctx: &Context, id: RefundRequestId) -> Result<Option<Due>> {
    let row = sqlx::query!(
        r#"update refund_requests set tries = tries + 1, first_tried_at = coalesce(first_tried_at, $2::timestamptz),
            next_try_at = $2::timestamptz + least(power(2, least(tries, 10)) * interval '1 minute', interval '30 minutes')
        where id = $1 and state = 'wanted' and next_try_at <= $2
        returning order_id as "order: OrderId", provider as "provider: Provider", payment_id, amount_minor,
            currency as "currency: Currency", first_tried_at as "first_tried_at!""#,
        id as RefundRequestId,
        ctx.now(),
    )
    .fetch_optional(&ctx.db)
    .await?;
    Ok(row.map(|row| Due {
        order: row.order,
        provider: row.provider,
        told: RefundOrder {
            request: id,
            payment_id: row.payment_id,
            amount: Money::new(row.amount_minor, row.currency),
        },
        first_tried_at: row.first_tried_at,
    }))
}

/// After a day the provider knows the key no more, and would pay again. By then it lists what it did.
async fn look(ctx: &Context, adapter: &dyn PaymentProvider, due: &Due) -> Result<()> {
    let facts = adapter.reversals_of(&named(adapter, &due.told.payment_id)).await.map_err(Error::unavailable)?;
    let is_it = |fact: &Fact| matches!(fact, Fact::Refund(refund) if refund.request == Some(due.told.request));
    if facts.iter().any(is_it) {
        return book(ctx, adapter, due.told.request, &facts).await;
    }
    refuse(ctx, due, "The provider gave no answer for a day, and lists no such refund. Nothing was paid back.").await
}

/// A payment of which only the id matters.
fn named(adapter: &dyn PaymentProvider, payment_id: &str) -> PaymentFacts {
    PaymentFacts {
        provider: adapter.name(),
        payment_id: payment_id.to_owned(),
        account: Some(adapter.account().to_owned()),
        checkout_id: None,
        order_hint: None,
        state: domain::PaymentState::Succeeded,
        paid: None,
        charged: None,
        paid_at: None,
        method: None,
        failure: None,
        refunded: None,
        disputed: false,
    }
}

async fn book(ctx: &Context, adapter: &dyn PaymentProvider, id: RefundRequestId, facts: &[Fact]) -> Result<()> {
    let facts: Vec<&Fact> = facts.iter().collect();
    let mut tx = ctx.db.begin().await?;
    let settled = settle::settle(ctx, &mut tx, adapter.name(), adapter.account(), &facts).await?;
    // None: a webhook was faster.
    sqlx::query!(
        "update refund_requests set state = 'sent', next_try_at = null, changed_at = $2 where id = $1 and state = 'wanted'",
        id as RefundRequestId,
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    channel::tell(ctx, &settled.changed);
    Ok(())
}

async fn refuse(ctx: &Context, due: &Due, why: &str) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let refused = sqlx::query!(
        "update refund_requests set state = 'refused', refusal = $2, next_try_at = null, changed_at = $3
        where id = $1 and state = 'wanted'",
        due.told.request as RefundRequestId,
        why,
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    if refused.rows_affected() == 1 {
        let by = By { who: Who::System("refunds"), origin: &Origin::NONE };
        let change = Change::none().noted("amount", due.told.amount.to_string());
        audit::record(&mut tx, &by.did(What::RefundRefused, About::Order(due.order)).with(change).because(why)).await?;
    }
    Ok(tx.commit().await?)
}
