//! Applying an event again that waits, was quarantined or was parked, once its cause is mended.

use domain::{EventId, OrderId, Provider};
use sqlx::PgConnection;

use super::receive::apply_contents;
use super::{Content, Received};
use crate::orders::channel;
use crate::{Context, Error, Refusal, Result};

/// Reads the kept bytes anew and applies them. Events that were applied or ignored are left alone, so replaying twice
/// is harmless.
///
/// Errors: [`Error::NotFound`]; [`Refusal::EventIsForgotten`].
pub async fn replay(ctx: &Context, event: EventId) -> Result<Received> {
    let mut tx = ctx.db.begin().await?;
    let (received, changed) = replay_within(ctx, &mut tx, event).await?;
    tx.commit().await?;
    channel::tell(ctx, &changed);
    Ok(received)
}

/// The same as part of a larger deed. The orders are those that changed, to be told once it is committed.
pub(super) async fn replay_within(
    ctx: &Context,
    tx: &mut PgConnection,
    event: EventId,
) -> Result<(Received, Vec<OrderId>)> {
    let row = sqlx::query!(
        r#"select provider as "provider: Provider", state, body from provider_events where id = $1 for update"#,
        event as EventId,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotFound)?;
    if matches!(row.state.as_str(), "applied" | "ignored") {
        return Ok((Received::Duplicate, Vec::new()));
    }
    if row.body.is_empty() {
        return Err(Refusal::EventIsForgotten.into());
    }
    let adapter = ctx.providers.get(row.provider).ok_or_else(|| Error::unavailable("the provider is not set up"))?;
    let content = adapter.read_event(&row.body).map_or(Content::Unreadable("not_an_event"), |read| read.content);
    let mut applied = apply_contents(ctx, tx, row.provider, &[&content]).await?;
    let (received, order) = applied.outcomes.pop().ok_or_else(|| Error::broken("no verdict on an event"))?;
    let (state, reason) = received.columns();
    sqlx::query!(
        "update provider_events
        set state = $2, reason = $3, order_id = coalesce($4, order_id), decided_at = $5, attempts = attempts + 1
        where id = $1",
        event as EventId,
        state,
        reason,
        order as Option<OrderId>,
        ctx.now(),
    )
    .execute(tx)
    .await?;
    Ok((received, applied.changed))
}
