//! Writing the books back: what changed, set-based, in the order of the foreign keys, and the credits that move with it.

mod reversals;

use domain::ledger::LotSource;
use domain::{Credits, TransactionId};
use domain::{
    Currency, DisputeState, FailureReason, OrderId, OrderState, PaymentState, PersonId, Provider, RefundState,
};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use self::reversals::{write_disputes, write_refunds};
use super::super::books::{Books, Order, Payment};
use super::load::missing;
use crate::ledger::grant::{Grant, PaymentKey, grant_batch};
use crate::ledger::take_back::{TakeBack, take_back_batch};
use crate::ledger::{Key, lock_wallets};
use crate::notify::{News, announce};
use crate::{Context, Error, Result};

pub async fn write(ctx: &Context, tx: &mut PgConnection, books: &Books) -> Result<()> {
    write_refunds(ctx, tx, books).await?;
    write_disputes(ctx, tx, books).await?;
    write_payments(ctx, tx, books).await?;
    if !books.changed.granted.is_empty() && !books.changed.taken_back.is_empty() {
        lock_wallets(tx, &buyers(books)?).await?;
    }
    grant_credits(ctx, tx, books).await?;
    take_credits_back(tx, books).await?;
    write_orders(ctx, tx, books).await?;
    end_waiting(ctx, tx, books).await?;
    announce(ctx, tx, &news(books)).await
}

/// What people hear of it. Announcing again what was announced before does nothing.
fn news(books: &Books) -> Vec<News> {
    let mut news = Vec::new();
    for id in &books.changed.payments {
        let Some(payment) = books.payments.get(id) else { continue };
        let order = payment.order;
        if books.changed.granted.contains(id) {
            news.push(News::Receipt { order, payment: id.clone() });
        }
        if payment.state == PaymentState::Failed {
            news.push(News::PaymentFailed { order, payment: id.clone() });
            news.push(News::AdminPaymentFailed { order, payment: id.clone() });
        }
        let succeeded = books.refunds.iter().filter(|(_, refund)| {
            refund.payment_id == *id && refund.state == RefundState::Succeeded && payment.granted.is_some()
        });
        news.extend(succeeded.map(|(refund, _)| News::Refunded { order, refund: refund.clone() }));
    }
    news
}

/// The changed payments, each with its order.
fn changed_payments(books: &Books) -> Result<Vec<(&str, &Payment, &Order)>> {
    books.changed.payments.iter().map(|id| payment(books, id)).collect()
}

fn payment<'a>(books: &'a Books, id: &'a str) -> Result<(&'a str, &'a Payment, &'a Order)> {
    let payment = books.payments.get(id).ok_or_else(|| missing("payment", id))?;
    let order = books.orders.get(&payment.order).ok_or_else(|| missing("order", payment.order))?;
    Ok((id, payment, order))
}

async fn write_payments(ctx: &Context, tx: &mut PgConnection, books: &Books) -> Result<()> {
    let changed = changed_payments(books)?;
    if changed.is_empty() {
        return Ok(());
    }
    macro_rules! column {
        ($row:ident => $value:expr) => {
            &changed.iter().map(|$row| $value).collect::<Vec<_>>()
        };
    }
    let written = sqlx::query!(
        "insert into payments (provider, payment_id, order_id, buyer_id, state, amount_minor, charged_minor, currency,
            refunded_minor, refunded_said_minor, dispute_said, failure, failure_message, method, paid_at, granted_by,
            taken_credits, frozen_credits, created_at, changed_at)
        select $1, told.*, $19, $19
        from unnest($2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::bigint[],
            $10::bigint[], $11::boolean[], $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::uuid[],
            $17::bigint[], $18::bigint[]) as told
        on conflict (provider, payment_id) do update set
            state = excluded.state, amount_minor = excluded.amount_minor, charged_minor = excluded.charged_minor,
            currency = excluded.currency, refunded_minor = excluded.refunded_minor,
            refunded_said_minor = excluded.refunded_said_minor, dispute_said = excluded.dispute_said,
            failure = excluded.failure, failure_message = excluded.failure_message, method = excluded.method,
            paid_at = excluded.paid_at, granted_by = excluded.granted_by, taken_credits = excluded.taken_credits,
            frozen_credits = excluded.frozen_credits, changed_at = excluded.changed_at
        where payments.order_id = excluded.order_id",
        books.provider as Provider,
        column!(row => row.0.to_owned()),
        column!(row => row.1.order) as &[OrderId],
        column!(row => row.2.buyer) as &[PersonId],
        column!(row => row.1.state) as &[PaymentState],
        column!(row => row.1.amount.map(|amount| amount.paid.minor)) as &[Option<i64>],
        column!(row => row.1.amount.map(|amount| amount.charged)) as &[Option<i64>],
        column!(row => row.1.amount.map(|amount| amount.paid.currency)) as &[Option<Currency>],
        column!(row => row.1.refunded),
        column!(row => row.1.refunded_said),
        column!(row => row.1.dispute_said),
        column!(row => row.1.failure.as_ref().map(|failure| failure.reason)) as &[Option<FailureReason>],
        column!(row => row.1.failure.as_ref().and_then(|failure| failure.message.clone())) as &[Option<String>],
        column!(row => row.1.method.clone()) as &[Option<String>],
        column!(row => row.1.paid_at) as &[Option<OffsetDateTime>],
        column!(row => row.1.granted) as &[Option<TransactionId>],
        column!(row => row.1.taken_back.taken) as &[Credits],
        column!(row => row.1.taken_back.frozen) as &[Credits],
        ctx.now(),
    )
    .execute(tx)
    .await?;
    if written.rows_affected() == changed.len() as u64 {
        Ok(())
    } else {
        Err(Error::broken("a payment belongs to another order than the books say"))
    }
}

/// Whose credits move: where two calls of the kernel follow, all their wallets are locked at once, in its order.
fn buyers(books: &Books) -> Result<Vec<PersonId>> {
    let moved = books.changed.granted.iter().chain(books.changed.taken_back.keys());
    moved.map(|id| payment(books, id).map(|(_, _, order)| order.buyer)).collect()
}

async fn grant_credits(ctx: &Context, tx: &mut PgConnection, books: &Books) -> Result<()> {
    let mut grants = Vec::new();
    for id in &books.changed.granted {
        let (id, payment, order) = payment(books, id)?;
        let paid = payment.amount.ok_or_else(|| missing("the amount of payment", id))?.paid;
        grants.push(Grant {
            transaction: payment.granted,
            key: Key::new(format!("{}:payment", books.provider), id),
            to: order.buyer,
            credits: order.credits,
            counter: match books.provider {
                Provider::Whop => "sales:whop",
                Provider::Stripe => "sales:stripe",
                Provider::Manual => "manual",
            },
            source: LotSource::Purchase,
            // From now on, and not from when it was paid: who was told late loses no day.
            expires_at: order.expires_after_days.map(|days| ctx.now() + Duration::days(days.into())),
            order: Some(order.id),
            paid: Some((PaymentKey { provider: books.provider, id: id.to_owned() }, paid)),
            actor: books.provider.to_string(),
            description: format!("Bought {}", order.plan_name),
        });
    }
    if grants.is_empty() {
        return Ok(());
    }
    for (moved, grant) in grant_batch(tx, &grants).await?.into_iter().zip(&grants) {
        // The payment's row says which transaction granted it; another one under this key is a mistake of ours.
        let moved = moved.map_err(Error::broken)?;
        if Some(moved.transaction) != grant.transaction {
            return Err(Error::broken(format!("{} was granted before, by {}", grant.key.key, moved.transaction)));
        }
        tracing::info!(order.id = ?grant.order, payment.id = %grant.key.key, credits = grant.credits.get(), "credits granted");
    }
    Ok(())
}

async fn take_credits_back(tx: &mut PgConnection, books: &Books) -> Result<()> {
    let mut wanted = Vec::new();
    for (id, before) in &books.changed.taken_back {
        let (id, payment, order) = payment(books, id)?;
        let lost = books.disputes_of(id).any(|dispute| dispute.state == DisputeState::Lost);
        wanted.push(TakeBack {
            payment: PaymentKey { provider: books.provider, id: id.to_owned() },
            taken: payment.taken_back.taken,
            frozen: payment.taken_back.frozen,
            actor: books.provider.to_string(),
            description: if payment.taken_back.taken < *before {
                format!("Refund of {} came back", order.plan_name)
            } else if lost {
                format!("Lost dispute over {}", order.plan_name)
            } else {
                format!("Refund of {}", order.plan_name)
            },
        });
    }
    if wanted.is_empty() {
        return Ok(());
    }
    for (moved, wanted) in take_back_batch(tx, &wanted).await?.into_iter().zip(&wanted) {
        let moved = moved.map_err(Error::broken)?;
        tracing::info!(payment.id = %wanted.payment.id, credits = moved.net.get(), debt = moved.debt_change.get(), "credits taken back or returned");
    }
    Ok(())
}

async fn write_orders(ctx: &Context, tx: &mut PgConnection, books: &Books) -> Result<()> {
    let changed: Vec<&Order> = books.changed.orders.iter().filter_map(|id| books.orders.get(id)).collect();
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update credit_orders o set state = told.state, failure = told.failure, failure_message = told.message,
            settled_at = case when told.state = 'paid' then coalesce(o.settled_at, $5) else o.settled_at end,
            changed_at = $5
        from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as told (id, state, failure, message)
        where o.id = told.id",
        &changed.iter().map(|order| order.id).collect::<Vec<_>>() as &[OrderId],
        &changed.iter().map(|order| order.state).collect::<Vec<_>>() as &[OrderState],
        &changed.iter().map(|order| order.failure.as_ref().map(|failure| failure.reason)).collect::<Vec<_>>()
            as &[Option<FailureReason>],
        &changed
            .iter()
            .map(|order| order.failure.as_ref().and_then(|failure| failure.message.clone()))
            .collect::<Vec<_>>() as &[Option<String>],
        ctx.now(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Events that were told before their payment count from now on. Each left a refund or a dispute behind.
async fn end_waiting(ctx: &Context, tx: &mut PgConnection, books: &Books) -> Result<()> {
    let was_told_of = |id: &&String| books.refunds_of(id).next().is_some() || books.disputes_of(id).next().is_some();
    let landed = books.changed.landed.iter().filter(was_told_of);
    let landed = landed.filter_map(|id| Some((id.clone(), books.payments.get(id)?.order)));
    let (payments, orders): (Vec<String>, Vec<OrderId>) = landed.unzip();
    if payments.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update provider_events event set state = 'applied', reason = null, order_id = landed.order_id, decided_at = $4
        from unnest($2::text[], $3::uuid[]) as landed (payment_id, order_id)
        where event.provider = $1 and event.payment_id = landed.payment_id and event.state = 'waiting'",
        books.provider as Provider,
        &payments,
        &orders as &[OrderId],
        ctx.now(),
    )
    .execute(tx)
    .await?;
    Ok(())
}
