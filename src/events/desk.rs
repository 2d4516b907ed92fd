//! The inbox as those who look after it see it: what the provider told us, a page at a time, and one event whole.

use domain::{EventId, OrderId, Provider};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::people::roles::Support;
use crate::{Error, Result};

pub const PAGE_EVENTS: usize = 50;

/// What became of an event. Waiting: for the payment that it is about.
pub const STATES: [&str; 6] = ["received", "waiting", "applied", "ignored", "quarantined", "parked"];

/// One event, without its body.
#[derive(Debug, Clone)]
pub struct Listed {
    pub id: EventId,
    pub provider: Provider,
    pub kind: String,
    pub object_id: Option<String>,
    pub state: String,
    pub reason: Option<String>,
    pub received_at: OffsetDateTime,
}

#[derive(Debug, Clone)]
pub struct Page {
    pub events: Vec<Listed>,
    /// None at the end.
    pub older: Option<EventId>,
}

/// One event, with what was signed.
#[derive(Debug, Clone)]
pub struct Whole {
    pub listed: Listed,
    /// The provider's id of the message.
    pub event_id: String,
    pub order: Option<OrderId>,
    pub attempts: i32,
    pub decided_at: Option<OffsetDateTime>,
    /// Which of our secrets had signed it: current or previous.
    pub secret: String,
    /// The `webhook-timestamp` that it came with; none: it came before these were kept.
    pub signed_at: Option<OffsetDateTime>,
    /// Empty once it is forgotten, 13 months after it came.
    pub body: Vec<u8>,
}

/// The newest events first. Ids are in the order of coming, so a page begins after one (index `provider_events_pkey`).
pub async fn page(db: impl PgExecutor<'_>, _: &Support, state: Option<&str>, before: Option<EventId>) -> Result<Page> {
    let mut events = sqlx::query_as!(
        Listed,
        r#"select id as "id: EventId", provider as "provider: Provider", kind, object_id, state, reason, received_at
        from provider_events
        where ($1::text is null or state = $1) and ($2::uuid is null or id < $2)
        order by id desc limit $3"#,
        state,
        before as Option<EventId>,
        i64::try_from(PAGE_EVENTS).unwrap_or(i64::MAX) + 1,
    )
    .fetch_all(db)
    .await?;
    let more = events.len() > PAGE_EVENTS;
    events.truncate(PAGE_EVENTS);
    let older = events.last().filter(|_| more).map(|event| event.id);
    Ok(Page { events, older })
}

/// How many events somebody has to look at: those in quarantine, and those that were parked.
pub async fn to_look_at(db: impl PgExecutor<'_>, _: &Support) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from provider_events where state in ('quarantined', 'parked')"#
    )
    .fetch_one(db)
    .await?)
}

/// Errors: [`Error::NotFound`].
pub async fn open(db: impl PgExecutor<'_>, _: &Support, id: EventId) -> Result<Whole> {
    let row = sqlx::query!(
        r#"select provider as "provider: Provider", kind, object_id, state, reason, received_at, event_id,
            order_id as "order: OrderId", attempts, decided_at, secret, signed_at, body
        from provider_events where id = $1"#,
        id as EventId,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::NotFound)?;
    Ok(Whole {
        listed: Listed {
            id,
            provider: row.provider,
            kind: row.kind,
            object_id: row.object_id,
            state: row.state,
            reason: row.reason,
            received_at: row.received_at,
        },
        event_id: row.event_id,
        order: row.order,
        attempts: row.attempts,
        decided_at: row.decided_at,
        secret: row.secret,
        signed_at: row.signed_at,
        body: row.body,
    })
}
