//! Letters to the admins: what happened since the last one, gathered into one.

use domain::{Currency, EventId, FailureReason, Money, OrderId};

use super::Kind;
use super::buyer::{moment, why};
use super::letter::Letter;
use crate::{Context, Result};

/// More than so many are only counted.
const SHOWN_MAX: usize = 20;

/// One mail about all of `subjects`, the ids that stand in the outbox. None: none of them is there (any more).
pub(super) async fn digest(ctx: &Context, kind: Kind, subjects: &[String]) -> Result<Option<Letter>> {
    let (singular, plural, items, hint) = match kind {
        Kind::AdminPaymentFailed => (
            "payment failed",
            "payments failed",
            failed_payments(ctx, subjects).await?,
            "No money moved. The buyers were told what to do. Many at once may be somebody trying out cards.",
        ),
        Kind::Quarantined => (
            "webhook is in quarantine",
            "webhooks are in quarantine",
            quarantined(ctx, subjects).await?,
            "Each is authentic, but doesn't fit what we know, so it moved no credits. Look at it with `atlas event list --state quarantined`; once its cause is mended, `atlas event replay ID` applies it.",
        ),
        Kind::Break => (
            "thing does not add up",
            "things do not add up",
            breaks(ctx, subjects).await?,
            "The provider's payments, ours and the ledger were compared. `atlas reconcile` proposes what is missing and applies it.",
        ),
        Kind::Receipt
        | Kind::PaymentFailed
        | Kind::Refunded
        | Kind::RequestApproved
        | Kind::RequestRejected
        | Kind::CreditsGranted
        | Kind::CreditsTaken
        | Kind::DebtForgiven
        | Kind::Account(_) => return Ok(None),
    };
    if items.is_empty() {
        return Ok(None);
    }
    let count = items.len();
    let more = count.saturating_sub(SHOWN_MAX);
    let mut shown: Vec<String> = items.into_iter().take(SHOWN_MAX).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    let what = if count == 1 { singular } else { plural };
    Ok(Some(Letter::new(format!("Atlas Credits: {count} {what}")).items(shown).sentence(hint)))
}

async fn failed_payments(ctx: &Context, subjects: &[String]) -> Result<Vec<String>> {
    let rows = sqlx::query!(
        r#"select p.payment_id, p.changed_at, p.failure as "failure: FailureReason", o.id as "order: OrderId", o.plan_name,
            o.price_minor, o.currency as "currency: Currency"
        from payments p join credit_orders o on o.id = p.order_id
        where p.payment_id = any($1) order by p.changed_at desc, p.payment_id"#,
        subjects,
    )
    .fetch_all(&ctx.db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let price = row.price_minor.zip(row.currency).map(|(minor, currency)| Money::new(minor, currency));
            let price = price.map(|price| format!(" for {price}")).unwrap_or_default();
            format!(
                "{}: {}{price}. {} Order {}, payment {}",
                moment(row.changed_at),
                row.plan_name,
                why(row.failure),
                row.order,
                row.payment_id
            )
        })
        .collect())
}

async fn quarantined(ctx: &Context, subjects: &[String]) -> Result<Vec<String>> {
    let rows = sqlx::query!(
        r#"select id as "id: EventId", kind, reason, object_id, received_at from provider_events
        where id = any($1::text[]::uuid[]) and state = 'quarantined' order by received_at desc, id"#,
        subjects,
    )
    .fetch_all(&ctx.db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let about = row.object_id.map(|object| format!(" about {object}")).unwrap_or_default();
            let reason = row.reason.unwrap_or_default();
            format!("{}: {}{about}: {reason}. Event {}", moment(row.received_at), row.kind, row.id)
        })
        .collect())
}

async fn breaks(ctx: &Context, subjects: &[String]) -> Result<Vec<String>> {
    let rows = sqlx::query!(
        "select kind, subject, detail, first_seen from reconciliation_breaks
        where id = any($1::text[]::bigint[]) and resolved_at is null order by first_seen, id",
        subjects,
    )
    .fetch_all(&ctx.db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| format!("{}: {} ({}), first seen {}", row.kind, row.subject, row.detail, moment(row.first_seen)))
        .collect())
}
