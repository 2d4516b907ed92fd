//! What an admin does about an event that did not fit or failed: have it applied again, or put it away. Either is written down.

use domain::EventId;

use super::Received;
use super::replay::replay_within;
use crate::audit::{self, About, Change, Origin, Reason, What};
use crate::orders::channel;
use crate::people::roles::Admin;
use crate::{Context, Error, Refusal, Result};

/// Reads the kept bytes anew and applies them. Harmless for what was dealt with before.
///
/// Errors: [`Error::NotFound`]; [`Refusal::EventIsForgotten`].
pub async fn replay_by(ctx: &Context, admin: &Admin, origin: &Origin, event: EventId) -> Result<Received> {
    let mut tx = ctx.db.begin().await?;
    let (received, changed) = replay_within(ctx, &mut tx, event).await?;
    let (state, _) = received.columns();
    let (by, id) = (admin.by(origin), event.to_string());
    let deed = by.did(What::EventReplayed, About::Thing { kind: "event", id: &id });
    audit::record(&mut tx, &deed.with(Change::none().noted("became", state))).await?;
    tx.commit().await?;
    channel::tell(ctx, &changed);
    Ok(received)
}

/// Puts an event away that nobody will ever apply. It moves nothing, and its payment is found by the daily check all the same.
///
/// Errors: [`Error::NotFound`]; [`Refusal::EventIsSettled`] when it is neither in quarantine nor parked any more.
pub async fn dismiss(ctx: &Context, admin: &Admin, origin: &Origin, event: EventId, why: &Reason) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let before = sqlx::query!("select state, reason from provider_events where id = $1 for update", event as EventId)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound)?;
    if !matches!(before.state.as_str(), "quarantined" | "parked") {
        return Err(Refusal::EventIsSettled.into());
    }
    sqlx::query!(
        "update provider_events set state = 'ignored', reason = 'dismissed', decided_at = $2 where id = $1",
        event as EventId,
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    let (by, id) = (admin.by(origin), event.to_string());
    let change = Change::none().from_to("state", before.state, "ignored").noted("reason", before.reason);
    let deed = by.did(What::EventDismissed, About::Thing { kind: "event", id: &id });
    audit::record(&mut tx, &deed.with(change).because(why.as_str())).await?;
    Ok(tx.commit().await?)
}
