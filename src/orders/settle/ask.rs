//! Asking the provider ourselves, when its webhook is late or lost.

use domain::{OrderId, OrderState, Provider};
use time::Duration;

use super::{Settled, lock, settle};
use crate::providers::{PaymentQuery, ProviderError};
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
        let payments = match adapter.payments_of(&query).await {
            Ok(payments) => payments,
            Err(ProviderError::NotFound) => return Ok(()),
            Err(error @ ProviderError::Unreachable(_)) => return Err(Error::unavailable(error)),
            Err(error) => return Err(Error::broken(error)),
        };
        for facts in &payments {
            let mut tx = ctx.db.begin().await?;
            let Some(locked) = lock(&ctx, &mut tx, provider, &query.checkout_id).await? else { continue };
            match settle(&ctx, &mut tx, &locked, facts, adapter.account()).await? {
                Settled::UpToDate(granted) => {
                    if granted.is_some() {
                        tracing::info!(order.id = %order, payment.id = %facts.payment_id, "settled by asking the provider");
                    }
                }
                Settled::Misfit(misfit) => {
                    tracing::error!(order.id = %order, payment.id = %facts.payment_id, reason = misfit.as_str(), "a payment does not fit its order");
                }
            }
            tx.commit().await?;
        }
        Ok(())
    })
    .await
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
