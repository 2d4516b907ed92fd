//! Taking a payment that names no order of ours for the payment of one, because an admin knows that it is.

use domain::{Currency, EventId, OrderId, PaymentState, Provider};
use sqlx::PgConnection;

use super::receive::apply_contents;
use super::{Content, Fact, PaymentFacts, Received};
use crate::audit::{self, About, Change, Origin, Reason, What};
use crate::orders::channel;
use crate::people::fresh::Fresh;
use crate::people::roles::Admin;
use crate::{Context, Error, Refusal, Result, plans};

/// The reason for which an event is in quarantine that can be linked.
pub const LINKABLE: &str = "unknown_order";

/// The payment counts as made through the order's own checkout, by the same settling as any other.
///
/// Errors: [`Error::NotFound`] for either; [`Refusal::EventIsSettled`] when it is not in quarantine (any more);
/// [`Refusal::EventIsForgotten`]; [`Refusal::NothingToLink`], [`Refusal::PaymentIsNotOurs`], [`Refusal::PaymentNamesAnOrder`],
/// [`Refusal::OrderHadNoCheckout`], [`Refusal::PaymentDoesNotFit`]. Nothing is changed then.
pub async fn link(
    ctx: &Context,
    admin: &Admin,
    _: &Fresh,
    origin: &Origin,
    event: EventId,
    order: OrderId,
    why: &Reason,
) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let (provider, facts) = unlinked(ctx, &mut tx, event).await?;
    let checkout = checkout_that_fits(&mut tx, provider, &facts, order).await?;
    let payment = facts.payment_id.clone();
    let facts = PaymentFacts { checkout_id: Some(checkout), order_hint: None, ..facts };
    let applied = apply_contents(ctx, &mut tx, provider, &[&Content::Fact(Fact::Payment(facts))]).await?;
    if applied.outcomes != [(Received::Applied, Some(order))] {
        return Err(Refusal::PaymentDoesNotFit.into());
    }
    // What the provider says of it later names no order either.
    sqlx::query!(
        "update payments set linked = true where provider = $1 and payment_id = $2",
        provider as Provider,
        payment,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "update provider_events set state = 'applied', reason = null, order_id = $2, decided_at = $3, attempts = attempts + 1
        where id = $1",
        event as EventId,
        order as OrderId,
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    let (by, id) = (admin.by(origin), event.to_string());
    let change = Change::none().noted("order", order.to_string()).noted("payment", payment);
    let deed = by.did(What::EventLinked, About::Thing { kind: "event", id: &id });
    audit::record(&mut tx, &deed.with(change).because(why.as_str())).await?;
    tx.commit().await?;
    channel::tell(ctx, &applied.changed);
    Ok(())
}

/// The payment that the event tells of, if it is one that went through, to our account, and that names no order of ours.
async fn unlinked(ctx: &Context, tx: &mut PgConnection, event: EventId) -> Result<(Provider, PaymentFacts)> {
    let row = sqlx::query!(
        r#"select provider as "provider: Provider", state, reason, body from provider_events where id = $1 for update"#,
        event as EventId,
    )
    .fetch_optional(tx)
    .await?
    .ok_or(Error::NotFound)?;
    if row.state != "quarantined" {
        return Err(Refusal::EventIsSettled.into());
    }
    if row.body.is_empty() {
        return Err(Refusal::EventIsForgotten.into());
    }
    let adapter = ctx.providers.get(row.provider).ok_or_else(|| Error::unavailable("the provider is not set up"))?;
    let Some(Content::Fact(Fact::Payment(facts))) = adapter.read_event(&row.body).ok().map(|read| read.content) else {
        return Err(Refusal::NothingToLink.into());
    };
    if facts.account.as_deref() != Some(adapter.account()) {
        return Err(Refusal::PaymentIsNotOurs.into());
    }
    if row.reason.as_deref() != Some(LINKABLE) || facts.state != PaymentState::Succeeded {
        return Err(Refusal::NothingToLink.into());
    }
    Ok((row.provider, facts))
}

/// The order's checkout, if it was sold for just what was paid, at the same provider, and the payment doesn't name another one.
async fn checkout_that_fits(
    tx: &mut PgConnection,
    provider: Provider,
    facts: &PaymentFacts,
    order: OrderId,
) -> Result<String> {
    let row = sqlx::query!(
        r#"select provider as "provider: Provider", checkout_id, price_minor, currency as "currency: Currency",
            exists (select from credit_orders named where named.id = $2 and named.id <> $1) as "names_another!"
        from credit_orders where id = $1"#,
        order as OrderId,
        facts.order_hint as Option<OrderId>,
    )
    .fetch_optional(tx)
    .await?
    .ok_or(Error::NotFound)?;
    if row.names_another {
        return Err(Refusal::PaymentNamesAnOrder.into());
    }
    let checkout = row.checkout_id.filter(|_| row.provider == provider).ok_or(Refusal::OrderHadNoCheckout)?;
    match (plans::catalogue::price(row.price_minor, row.currency), facts.paid) {
        (domain::Price::Fixed(price), Some(paid)) if price == paid => Ok(checkout),
        _ => Err(Refusal::PaymentDoesNotFit.into()),
    }
}
