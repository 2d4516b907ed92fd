//! Writing the books back: what changed, set-based, in the order of the foreign keys, and the credits that move with it.

mod credits;
mod reversals;

use domain::{
    Credits, Currency, FailureReason, OrderId, OrderState, PaymentState, PersonId, Provider, RefundState, TransactionId,
};
use sqlx::PgConnection;
use time::OffsetDateTime;

use self::credits::{buyers, grant_credits, take_credits_back};
use self::reversals::{write_disputes, write_refunds};
use super::super::books::{Books, Order, Payment};
use super::load::missing;
use crate::ledger::lock_wallets;
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
            taken_credits, frozen_credits, taken_bonus, frozen_bonus, created_at, changed_at)
        select $1, told.*, $21, $21
        from unnest($2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::bigint[],
            $10::bigint[], $11::boolean[], $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::uuid[],
            $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[]) as told
        on conflict (provider, payment_id) do update set
            state = excluded.state, amount_minor = excluded.amount_minor, charged_minor = excluded.charged_minor,
            currency = excluded.currency, refunded_minor = excluded.refunded_minor,
            refunded_said_minor = excluded.refunded_said_minor, dispute_said = excluded.dispute_said,
            failure = excluded.failure, failure_message = excluded.failure_message, method = excluded.method,
            paid_at = excluded.paid_at, granted_by = excluded.granted_by, taken_credits = excluded.taken_credits,
            frozen_credits = excluded.frozen_credits, taken_bonus = excluded.taken_bonus,
            frozen_bonus = excluded.frozen_bonus, changed_at = excluded.changed_at
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
        column!(row => row.1.bonus_back.taken) as &[Credits],
        column!(row => row.1.bonus_back.frozen) as &[Credits],
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
