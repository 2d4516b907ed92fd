//! Writing back what may take a payment back.

use domain::{Currency, DisputeState, Provider, RefundRequestId, RefundState};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::super::super::books::{Books, Refund};
use crate::{Context, Result};

pub(super) async fn write_refunds(ctx: &Context, tx: &mut PgConnection, books: &Books) -> Result<()> {
    let changed = &books.changed.refunds;
    if changed.is_empty() {
        return Ok(());
    }
    let refunds: Vec<_> = changed.iter().filter_map(|id| Some((id.clone(), books.refunds.get(id)?))).collect();
    sqlx::query!(
        "insert into refunds (provider, refund_id, payment_id, amount_minor, currency, state, request_id, failure, created_at,
            changed_at)
        select $1, refund_id, payment_id, amount_minor, currency, state, request_id, failure, $9, $9
        from unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::uuid[], $8::text[])
            as told (refund_id, payment_id, amount_minor, currency, state, request_id, failure)
        on conflict (provider, refund_id) do update
            set amount_minor = excluded.amount_minor, state = excluded.state, request_id = excluded.request_id,
                failure = excluded.failure, changed_at = excluded.changed_at",
        books.provider as Provider,
        &refunds.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(),
        &refunds.iter().map(|(_, refund)| refund.payment_id.clone()).collect::<Vec<_>>(),
        &refunds.iter().map(|(_, refund)| refund.amount.minor).collect::<Vec<_>>(),
        &refunds.iter().map(|(_, refund)| refund.amount.currency).collect::<Vec<_>>() as &[Currency],
        &refunds.iter().map(|(_, refund)| refund.state).collect::<Vec<_>>() as &[RefundState],
        &refunds.iter().map(|(_, refund)| refund.request).collect::<Vec<_>>() as &[Option<RefundRequestId>],
        &refunds.iter().map(|(_, refund)| refund.failure.clone()).collect::<Vec<_>>() as &[Option<String>],
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    end_requests(ctx, tx, books, &refunds).await
}

/// A refund that names a request of ours of the same payment shows that the provider took it, whether its answer to the
/// request came or was lost.
async fn end_requests(
    ctx: &Context,
    tx: &mut PgConnection,
    books: &Books,
    refunds: &[(String, &Refund)],
) -> Result<()> {
    let answering = refunds.iter().filter_map(|(_, refund)| Some((refund.request?, refund.payment_id.clone())));
    let (requests, payments): (Vec<RefundRequestId>, Vec<String>) = answering.unzip();
    if requests.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update refund_requests request set state = 'sent', next_try_at = null, changed_at = $4
        from unnest($2::uuid[], $3::text[]) as told (id, payment_id)
        where request.id = told.id and request.provider = $1 and request.payment_id = told.payment_id
            and request.state = 'wanted'",
        books.provider as Provider,
        &requests as &[RefundRequestId],
        &payments,
        ctx.now(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn write_disputes(ctx: &Context, tx: &mut PgConnection, books: &Books) -> Result<()> {
    let changed = &books.changed.disputes;
    if changed.is_empty() {
        return Ok(());
    }
    let disputes: Vec<_> = changed.iter().filter_map(|id| Some((id.clone(), books.disputes.get(id)?))).collect();
    sqlx::query!(
        "insert into disputes (provider, dispute_id, payment_id, amount_minor, currency, state, respond_by, created_at,
            changed_at)
        select $1, dispute_id, payment_id, amount_minor, currency, state, respond_by, $8, $8
        from unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::timestamptz[])
            as told (dispute_id, payment_id, amount_minor, currency, state, respond_by)
        on conflict (provider, dispute_id) do update
            set amount_minor = excluded.amount_minor, currency = excluded.currency, state = excluded.state,
                respond_by = excluded.respond_by, changed_at = excluded.changed_at",
        books.provider as Provider,
        &disputes.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(),
        &disputes.iter().map(|(_, dispute)| dispute.payment_id.clone()).collect::<Vec<_>>(),
        &disputes.iter().map(|(_, dispute)| dispute.amount.map(|amount| amount.minor)).collect::<Vec<_>>()
            as &[Option<i64>],
        &disputes.iter().map(|(_, dispute)| dispute.amount.map(|amount| amount.currency)).collect::<Vec<_>>()
            as &[Option<Currency>],
        &disputes.iter().map(|(_, dispute)| dispute.state).collect::<Vec<_>>() as &[DisputeState],
        &disputes.iter().map(|(_, dispute)| dispute.respond_by).collect::<Vec<_>>() as &[Option<OffsetDateTime>],
        ctx.now(),
    )
    .execute(tx)
    .await?;
    Ok(())
}
