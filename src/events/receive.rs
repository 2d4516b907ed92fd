//! Receiving one authentic webhook: kept and applied in one transaction, exactly once.

use domain::{EventId, OrderId, Provider};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use super::{Content, ReadEvent};
use crate::orders::decide::Misfit;
use crate::orders::settle::{self, Settled};
use crate::providers::verify::VerifiedDelivery;
use crate::{Context, Error, Result, ids, tasks};

/// One authentic delivery with what it says.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub provider: Provider,
    pub verified: VerifiedDelivery,
    pub event: ReadEvent,
}

impl Delivery {
    /// The provider's id of the message, the same each time it is delivered.
    fn id(&self) -> &str {
        self.verified.id()
    }

    fn body_hash(&self) -> Vec<u8> {
        Sha256::digest(self.verified.body()).to_vec()
    }
}

/// What became of a delivery. Each of them is stored for good, so each is answered with 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// The order is up to date with it.
    Applied,
    /// Seen before; nothing was done.
    Duplicate,
    /// Of no concern to us.
    Ignored,
    /// Authentic, but it doesn't fit: a person has to look. No credits moved.
    Quarantined(&'static str),
    /// It failed on our side for a reason that a repetition won't heal: kept, to be replayed.
    Parked,
}

/// Keeps and applies a delivery, to the end even if the sender hangs up.
///
/// Errors: [`Error::Unavailable`] when it could not be stored; the sender has to send it again.
pub async fn receive(ctx: &Context, delivery: Delivery) -> Result<Received> {
    let ctx = ctx.clone();
    tasks::run_to_end(async move {
        match receive_once(&ctx, &delivery).await {
            Err(Error::Unavailable(cause)) => Err(Error::Unavailable(cause)),
            Err(error) => park(&ctx, &delivery, error).await,
            Ok(received) => Ok(received),
        }
    })
    .await
}

async fn receive_once(ctx: &Context, delivery: &Delivery) -> Result<Received> {
    let mut tx = ctx.db.begin().await?;
    let Some(event) = insert(&mut tx, delivery).await? else {
        report_collision(&mut tx, delivery).await?;
        return Ok(Received::Duplicate);
    };
    let (received, order) = apply(ctx, &mut tx, delivery.provider, &delivery.event.content).await?;
    mark(&mut tx, event, &received, order, ctx.now()).await?;
    tx.commit().await?;
    if let Received::Quarantined(reason) = &received {
        tracing::error!(event.id = %delivery.id(), event.kind = %delivery.event.kind, reason, "webhook quarantined");
    }
    Ok(received)
}

/// Stores the event; none when it is there already.
async fn insert(tx: &mut PgConnection, delivery: &Delivery) -> Result<Option<EventId>> {
    Ok(sqlx::query_scalar!(
        r#"insert into provider_events (id, provider, event_id, kind, object_id, state, body, body_hash, secret)
        values ($1, $2, $3, $4, $5, 'received', $6, $7, $8)
        on conflict on constraint provider_events_once do nothing
        returning id as "id: EventId""#,
        ids::fresh(),
        delivery.provider as Provider,
        delivery.id(),
        delivery.event.kind,
        delivery.event.object_id,
        delivery.verified.body(),
        delivery.body_hash(),
        delivery.verified.secret_used().as_str(),
    )
    .fetch_optional(tx)
    .await?)
}

/// The same id with another body is not a repetition. The first one stands, and somebody should know.
async fn report_collision(tx: &mut PgConnection, delivery: &Delivery) -> Result<()> {
    let same = sqlx::query_scalar!(
        r#"select body_hash = $3 as "same!" from provider_events where provider = $1 and event_id = $2"#,
        delivery.provider as Provider,
        delivery.id(),
        delivery.body_hash(),
    )
    .fetch_optional(tx)
    .await?;
    if same == Some(false) {
        tracing::error!(event.id = %delivery.id(), "a webhook came again with another body; the first one stands");
    }
    Ok(())
}

/// Applies what an event says; also for replays.
pub(super) async fn apply(
    ctx: &Context,
    tx: &mut PgConnection,
    provider: Provider,
    content: &Content,
) -> Result<(Received, Option<OrderId>)> {
    let facts = match content {
        Content::Payment(facts) => facts,
        Content::Other => return Ok((Received::Ignored, None)),
        Content::Unreadable(reason) => return Ok((Received::Quarantined(reason), None)),
    };
    let adapter =
        ctx.providers.get(provider).ok_or_else(|| Error::broken("an event of a provider that is not set up"))?;
    if facts.account.as_deref() != Some(adapter.account()) {
        return Ok((Received::Quarantined(Misfit::ForeignAccount.as_str()), None));
    }
    let order = match &facts.checkout_id {
        Some(checkout) => settle::lock(ctx, tx, provider, checkout).await?,
        None => None,
    };
    let Some(order) = order else { return Ok((Received::Quarantined("unknown_order"), None)) };
    let received = match settle::settle(ctx, tx, &order, facts, adapter.account()).await? {
        Settled::UpToDate(_) => Received::Applied,
        Settled::Misfit(misfit) => Received::Quarantined(misfit.as_str()),
    };
    Ok((received, Some(order.id())))
}

/// Notes the verdict on the event.
pub(super) async fn mark(
    tx: &mut PgConnection,
    event: EventId,
    received: &Received,
    order: Option<OrderId>,
    now: time::OffsetDateTime,
) -> Result<()> {
    let (state, reason) = match received {
        Received::Applied | Received::Duplicate => ("applied", None),
        Received::Ignored => ("ignored", None),
        Received::Quarantined(reason) => ("quarantined", Some(*reason)),
        Received::Parked => ("parked", Some("failed")),
    };
    sqlx::query!(
        "update provider_events set state = $2, reason = $3, order_id = coalesce($4, order_id), decided_at = $5 where id = $1",
        event as EventId,
        state,
        reason,
        order as Option<OrderId>,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Keeps an event that can't be applied, so that a person can look and replay it once the cause is mended.
async fn park(ctx: &Context, delivery: &Delivery, error: Error) -> Result<Received> {
    tracing::error!(event.id = %delivery.id(), error = ?error, "a webhook could not be applied and is parked");
    let mut tx = ctx.db.begin().await?;
    let Some(event) = insert(&mut tx, delivery).await? else { return Ok(Received::Duplicate) };
    mark(&mut tx, event, &Received::Parked, None, ctx.now()).await?;
    tx.commit().await?;
    Ok(Received::Parked)
}
