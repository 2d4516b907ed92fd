//! The second word on what one admin may not do to somebody's credits alone.

use domain::{CreditDeedId, CreditDeedKind, CreditDeedState, Credits, OrderId, PersonId};
use sqlx::PgConnection;

use super::{Deed, Done, carry_out, note};
use crate::audit::{Origin, Reason};
use crate::ledger::lock_wallets;
use crate::orders::{answer, channel};
use crate::people::fresh::Fresh;
use crate::people::roles::Admin;
use crate::{Context, Error, Refusal, Result};

/// A deed that waits, locked.
struct Waiting {
    kind: CreditDeedKind,
    person: PersonId,
    order: Option<OrderId>,
    credits: Credits,
    description: String,
    reason: String,
    asked_by: PersonId,
}

impl Waiting {
    fn deed(&self, id: CreditDeedId) -> Deed<'_> {
        Deed {
            id,
            kind: self.kind,
            person: self.person,
            order: self.order,
            credits: self.credits,
            description: &self.description,
            by: self.asked_by,
        }
    }
}

/// Confirms what another admin asked for, and does it.
///
/// Errors: [`Error::NotFound`]; [`Refusal::DecidedMeanwhile`], also when the request was answered otherwise;
/// [`Refusal::OwnWish`]; what the deed itself is refused for.
pub async fn confirm(ctx: &Context, admin: &Admin, _: &Fresh, origin: &Origin, id: CreditDeedId) -> Result<Done> {
    let mut tx = ctx.db.begin().await?;
    let waiting = lock(&mut tx, id).await?;
    second_of(&waiting, admin)?;
    if let Some(order) = waiting.order {
        let said = answer::Confirmed { credits: waiting.credits, by: waiting.asked_by, reason: &waiting.reason };
        answer::approve_confirmed(ctx, &mut tx, order, &said).await?;
    } else {
        lock_wallets(&mut tx, &[waiting.person]).await?;
        carry_out(ctx, &mut tx, &waiting.deed(id)).await?;
    }
    decide(ctx, &mut tx, id, admin, CreditDeedState::Done, None).await?;
    note(&mut tx, &admin.by(origin), &waiting.deed(id), CreditDeedState::Done, &waiting.reason).await?;
    tx.commit().await?;
    channel::tell(ctx, waiting.order.as_slice());
    Ok(Done { id, state: CreditDeedState::Done })
}

/// Says no to what another admin asked for, and why. A request stays, to be answered otherwise.
///
/// Errors: as [`confirm`].
pub async fn decline(
    ctx: &Context,
    admin: &Admin,
    _: &Fresh,
    origin: &Origin,
    id: CreditDeedId,
    why: &Reason,
) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let waiting = lock(&mut tx, id).await?;
    second_of(&waiting, admin)?;
    decide(ctx, &mut tx, id, admin, CreditDeedState::Declined, Some(why.as_str())).await?;
    note(&mut tx, &admin.by(origin), &waiting.deed(id), CreditDeedState::Declined, why.as_str()).await?;
    Ok(tx.commit().await?)
}

/// Takes back what one asked for oneself, as long as it waits.
///
/// Errors: as [`confirm`]; [`Error::NotFound`] for what somebody else asked for.
pub async fn withdraw(ctx: &Context, admin: &Admin, origin: &Origin, id: CreditDeedId) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let waiting = lock(&mut tx, id).await?;
    if waiting.asked_by != admin.person().id() {
        return Err(Error::NotFound);
    }
    sqlx::query!(
        "update credit_deeds set state = 'withdrawn', changed_at = $2 where id = $1",
        id as CreditDeedId,
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    note(&mut tx, &admin.by(origin), &waiting.deed(id), CreditDeedState::Withdrawn, &waiting.reason).await?;
    Ok(tx.commit().await?)
}

/// The order before the deed, as whoever answers requests locks them.
async fn lock(tx: &mut PgConnection, id: CreditDeedId) -> Result<Waiting> {
    sqlx::query!(
        "select 1 as one from credit_orders where id = (select order_id from credit_deeds where id = $1) for update",
        id as CreditDeedId,
    )
    .fetch_optional(&mut *tx)
    .await?;
    let row = sqlx::query!(
        r#"select kind as "kind: CreditDeedKind", person_id as "person: PersonId", order_id as "order: OrderId",
            credits as "credits: Credits", description, reason, asked_by as "asked_by: PersonId",
            state as "state: CreditDeedState"
        from credit_deeds where id = $1 for no key update"#,
        id as CreditDeedId,
    )
    .fetch_optional(tx)
    .await?
    .ok_or(Error::NotFound)?;
    if row.state != CreditDeedState::Waiting {
        return Err(Refusal::DecidedMeanwhile.into());
    }
    Ok(Waiting {
        kind: row.kind,
        person: row.person,
        order: row.order,
        credits: row.credits,
        description: row.description,
        reason: row.reason,
        asked_by: row.asked_by,
    })
}

fn second_of(waiting: &Waiting, admin: &Admin) -> Result<()> {
    if waiting.asked_by == admin.person().id() { Err(Refusal::OwnWish.into()) } else { Ok(()) }
}

async fn decide(
    ctx: &Context,
    tx: &mut PgConnection,
    id: CreditDeedId,
    admin: &Admin,
    state: CreditDeedState,
    refusal: Option<&str>,
) -> Result<()> {
    sqlx::query!(
        "update credit_deeds set state = $2, decided_by = $3, decided_at = $4, refusal = $5, changed_at = $4 where id = $1",
        id as CreditDeedId,
        state as CreditDeedState,
        admin.person().id() as PersonId,
        ctx.now(),
        refusal,
    )
    .execute(tx)
    .await?;
    Ok(())
}
