//! The second word on a refund that one person may not decide alone.

use domain::{Currency, Money, OrderId, PersonId, RefundRequestId, RefundRequestState};
use sqlx::PgConnection;

use super::{Asked, told_at_once};
use crate::audit::{self, About, Change, Origin, Reason, What};
use crate::people::fresh::Fresh;
use crate::people::roles::{Admin, Finance};
use crate::{Context, Error, Refusal, Result};

/// A request that waits, locked.
struct Waiting {
    order: OrderId,
    amount: Money,
    asked_by: PersonId,
    reason: String,
}

/// Confirms what somebody else asked for; the provider is told at once.
///
/// Errors: [`Error::NotFound`]; [`Refusal::DecidedMeanwhile`]; [`Refusal::OwnWish`].
pub async fn confirm(ctx: &Context, admin: &Admin, _: &Fresh, origin: &Origin, id: RefundRequestId) -> Result<Asked> {
    let mut tx = ctx.db.begin().await?;
    let waiting = lock(&mut tx, id).await?;
    second_of(&waiting, admin)?;
    sqlx::query!(
        "update refund_requests set state = 'wanted', decided_by = $2, decided_at = $3, next_try_at = $3, changed_at = $3
        where id = $1",
        id as RefundRequestId,
        admin.person().id() as PersonId,
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    let by = admin.by(origin);
    let deed = by.did(What::RefundConfirmed, About::Order(waiting.order)).with(told(&waiting));
    audit::record(&mut tx, &deed.because(&waiting.reason)).await?;
    tx.commit().await?;
    told_at_once(ctx, Asked { id, state: RefundRequestState::Wanted }).await
}

/// Says no to what somebody else asked for, and why.
///
/// Errors: as [`confirm`].
pub async fn decline(
    ctx: &Context,
    admin: &Admin,
    _: &Fresh,
    origin: &Origin,
    id: RefundRequestId,
    why: &Reason,
) -> Result<OrderId> {
    let mut tx = ctx.db.begin().await?;
    let waiting = lock(&mut tx, id).await?;
    second_of(&waiting, admin)?;
    sqlx::query!(
        "update refund_requests set state = 'declined', decided_by = $2, decided_at = $3, refusal = $4, changed_at = $3
        where id = $1",
        id as RefundRequestId,
        admin.person().id() as PersonId,
        ctx.now(),
        why.as_str(),
    )
    .execute(&mut *tx)
    .await?;
    let by = admin.by(origin);
    let deed = by.did(What::RefundDeclined, About::Order(waiting.order)).with(told(&waiting));
    audit::record(&mut tx, &deed.because(why.as_str())).await?;
    tx.commit().await?;
    Ok(waiting.order)
}

/// Takes back what one asked for oneself, as long as it waits.
///
/// Errors: as [`confirm`]; [`Error::NotFound`] for what somebody else asked for.
pub async fn withdraw(ctx: &Context, finance: &Finance, origin: &Origin, id: RefundRequestId) -> Result<OrderId> {
    let mut tx = ctx.db.begin().await?;
    let waiting = lock(&mut tx, id).await?;
    if waiting.asked_by != finance.person().id() {
        return Err(Error::NotFound);
    }
    sqlx::query!(
        "update refund_requests set state = 'withdrawn', changed_at = $2 where id = $1",
        id as RefundRequestId,
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    let by = finance.by(origin);
    audit::record(&mut tx, &by.did(What::RefundWithdrawn, About::Order(waiting.order)).with(told(&waiting))).await?;
    tx.commit().await?;
    Ok(waiting.order)
}

async fn lock(tx: &mut PgConnection, id: RefundRequestId) -> Result<Waiting> {
    let row = sqlx::query!(
        r#"select order_id as "order: OrderId", amount_minor, currency as "currency: Currency", reason,
            asked_by as "asked_by: PersonId", state as "state: RefundRequestState"
        from refund_requests where id = $1 for no key update"#,
        id as RefundRequestId,
    )
    .fetch_optional(tx)
    .await?
    .ok_or(Error::NotFound)?;
    if row.state != RefundRequestState::Waiting {
        return Err(Refusal::DecidedMeanwhile.into());
    }
    let amount = Money::new(row.amount_minor, row.currency);
    Ok(Waiting { order: row.order, amount, asked_by: row.asked_by, reason: row.reason })
}

fn second_of(waiting: &Waiting, admin: &Admin) -> Result<()> {
    if waiting.asked_by == admin.person().id() { Err(Refusal::OwnWish.into()) } else { Ok(()) }
}

fn told(waiting: &Waiting) -> Change {
    Change::none().noted("amount", waiting.amount.to_string()).noted("asked_by", waiting.asked_by.to_string())
}
