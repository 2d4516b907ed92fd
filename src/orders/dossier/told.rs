//! What was said about an order: by the provider to us, and by us to people.

use domain::{EventId, OrderId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Result;
use crate::notify::Kind;

/// One message of the provider's.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: EventId,
    /// In the provider's words: `payment.succeeded`.
    pub kind: String,
    /// What it is about.
    pub object: Option<String>,
    pub state: String,
    pub reason: Option<String>,
    /// How often it came.
    pub attempts: i32,
    pub received_at: OffsetDateTime,
}

/// One mail of ours.
#[derive(Debug, Clone)]
pub struct Mail {
    pub kind: String,
    pub state: String,
    pub created_at: OffsetDateTime,
    pub sent_at: Option<OffsetDateTime>,
    pub error: Option<String>,
}

pub(super) async fn events(db: &mut PgConnection, order: OrderId) -> Result<Vec<Event>> {
    Ok(sqlx::query_as!(
        Event,
        r#"select id as "id: EventId", kind, object_id as object, state, reason, attempts, received_at
        from provider_events where order_id = $1 order by received_at desc, id desc"#,
        order as OrderId,
    )
    .fetch_all(db)
    .await?)
}

/// They are found by what they are about, for their table has no index by order: each grant writes into it.
pub(super) async fn mails(db: &mut PgConnection, order: OrderId) -> Result<Vec<Mail>> {
    let kinds: Vec<&str> = Kind::LETTERS.into_iter().chain(Kind::DIGESTS).map(Kind::as_str).collect();
    Ok(sqlx::query_as!(
        Mail,
        r#"with subjects as (
            select payment_id as subject from payments where order_id = $1
            union select r.refund_id from refunds r join payments p using (provider, payment_id) where p.order_id = $1
            union select $1::text
        )
        select kind, state, created_at, sent_at, error from mails
        where kind = any($2) and subject = any(array(select subject from subjects)) and order_id = $1 order by id"#,
        order as OrderId,
        &kinds as &[&str],
    )
    .fetch_all(db)
    .await?)
}
