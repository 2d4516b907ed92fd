//! Looking into the inbox.

use domain::{EventId, OrderId, Provider};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::Result;

/// One event, without its body.
#[derive(Debug, Clone)]
pub struct Kept {
    pub id: EventId,
    pub provider: Provider,
    pub event_id: String,
    pub kind: String,
    pub object_id: Option<String>,
    pub state: String,
    pub reason: Option<String>,
    pub order: Option<OrderId>,
    pub received_at: OffsetDateTime,
}

/// The newest events first; `state` narrows to one of received, applied, ignored, quarantined, parked.
pub async fn newest(db: impl PgExecutor<'_>, state: Option<&str>, limit: i64) -> Result<Vec<Kept>> {
    let rows = sqlx::query!(
        r#"select id as "id: EventId", provider as "provider: Provider", event_id, kind, object_id, state, reason,
            order_id as "order_id: OrderId", received_at
        from provider_events where $1::text is null or state = $1
        order by id desc limit $2"#,
        state,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Kept {
            id: row.id,
            provider: row.provider,
            event_id: row.event_id,
            kind: row.kind,
            object_id: row.object_id,
            state: row.state,
            reason: row.reason,
            order: row.order_id,
            received_at: row.received_at,
        })
        .collect())
}
