//! Asking the provider ourselves, when its webhook is late or lost.

use std::collections::HashSet;

use domain::{OrderId, OrderState, Provider};
use time::Duration;

use super::super::channel;
use super::super::decide::Verdict;
use super::settle;
use crate::events::{Fact, PaymentFacts};
use crate::providers::{PaymentProvider, PaymentQuery, ProviderError};
use crate::{Context, Error, Result, tasks};

/// However many pages ask, the provider is asked about an order at most this often.
pub const ASK_EVERY: Duration = Duration::seconds(3);
/// Our clock and the provider's may differ by this much.
const SKEW: Duration = Duration::minutes(10);

/// Brings an order up to date with what its provider says now. Does nothing for an order that needs no asking, or that
/// was asked about a moment ago. `payment_hint`: a payment id from the browser, only a place to look.
///
/// Errors: [`Error::Unavailable`] when the provider can't be reached; the order is as it was.
pub async fn ask(ctx: &Context, order: OrderId, payment_hint: Option<String>) -> Result<()> {
    let Some((provider, query)) = claim(ctx, order, payment_hint).await? else { return Ok(()) };
    let ctx = ctx.clone();
    tasks::run_to_end(async move {
        let adapter = ctx.providers.get(provider).ok_or_else(|| Error::unavailable("the provider is not set up"))?;
        let facts = match said_of(&ctx, adapter, &query).await? {
            Ok(facts) => facts,
            Err(ProviderError::NotFound) => return Ok(()),
            Err(error @ ProviderError::Unreachable(_)) => return Err(Error::unavailable(error)),
            Err(error) => return Err(Error::broken(error)),
        };
        take_in(&ctx, adapter, &facts).await
    })
    .await
}

/// Brings orders up to date with what a provider answered.
pub(crate) async fn take_in(ctx: &Context, adapter: &dyn PaymentProvider, facts: &[Fact]) -> Result<()> {
    let facts: Vec<&Fact> = facts.iter().collect();
    let mut tx = ctx.db.begin().await?;
    let settled = settle(ctx, &mut tx, adapter.name(), adapter.account(), &facts).await?;
    tx.commit().await?;
    channel::tell(ctx, &settled.changed);
    for (verdict, fact) in settled.verdicts.into_iter().zip(facts) {
        if let Verdict::Quarantined(misfit, order) = verdict {
            tracing::error!(order.id = ?order, payment.id = %fact.payment_id(), reason = misfit.as_str(), "what the provider answered does not fit");
        }
    }
    Ok(())
}

/// The payments of a checkout, and what takes them back.
async fn said_of(
    ctx: &Context,
    adapter: &dyn PaymentProvider,
    query: &PaymentQuery,
) -> Result<Result<Vec<Fact>, ProviderError>> {
    let mut payments = match adapter.payments_of(query).await {
        Ok(payments) => payments,
        Err(error) => return Ok(Err(error)),
    };
    payments.retain(|payment| payment.checkout_id.as_deref() == Some(&query.checkout_id));
    with_reversals(ctx, adapter, payments).await
}

/// Payments, and what takes them back. Asked about is what the payment itself says is refunded or disputed, and what we
/// have heard of: a refund that was called off shows in no payment, but here it would go on holding credits.
pub(crate) async fn with_reversals(
    ctx: &Context,
    adapter: &dyn PaymentProvider,
    payments: Vec<PaymentFacts>,
) -> Result<Result<Vec<Fact>, ProviderError>> {
    let heard_of = heard_of(ctx, adapter.name(), &payments).await?;
    let mut facts = Vec::new();
    for payment in payments {
        let disputed = payment.disputed || heard_of.contains(&payment.payment_id);
        if disputed || payment.refunded.is_some() {
            match adapter.reversals_of(&PaymentFacts { disputed, ..payment.clone() }).await {
                Ok(reversals) => facts.extend(reversals),
                Err(error) => return Ok(Err(error)),
            }
        }
        facts.push(Fact::Payment(payment));
    }
    Ok(Ok(facts))
}

/// Those of the payments that have a refund or a dispute here.
async fn heard_of(ctx: &Context, provider: Provider, payments: &[PaymentFacts]) -> Result<HashSet<String>> {
    let ids: Vec<&str> = payments.iter().map(|payment| payment.payment_id.as_str()).collect();
    let rows = sqlx::query_scalar!(
        r#"select payment_id as "payment_id!" from refunds where provider = $1 and payment_id = any($2)
        union select payment_id from disputes where provider = $1 and payment_id = any($2)"#,
        provider as Provider,
        &ids as &[&str],
    )
    .fetch_all(&ctx.db)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Takes the turn to ask, if it is due.
async fn claim(
    ctx: &Context,
    order: OrderId,
    payment_hint: Option<String>,
) -> Result<Option<(Provider, PaymentQuery)>> {
    let now = ctx.now();
    let row = sqlx::query!(
        r#"update credit_orders set asked_at = $2
        where id = $1 and checkout_id is not null and state in ('opened', 'processing', 'failed', 'expired')
            and (asked_at is null or asked_at <= $3)
        returning provider as "provider: Provider", checkout_id as "checkout_id!", provider_plan_id, created_at,
            state as "state: OrderState""#,
        order as OrderId,
        now,
        now - ASK_EVERY,
    )
    .fetch_optional(&ctx.db)
    .await?;
    Ok(row.map(|row| {
        let query = PaymentQuery {
            checkout_id: row.checkout_id,
            plan_id: row.provider_plan_id,
            created_after: row.created_at - SKEW,
            payment_hint,
        };
        (row.provider, query)
    }))
}
