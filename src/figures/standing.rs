//! What stands at this moment: breaks between the books, and how it goes with the providers.

use domain::Provider;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use crate::Result;
use crate::people::roles::Support;

/// Breaks that are named; more are counted.
const BREAKS_MAX: i64 = 10;
const LATELY: Duration = Duration::HOUR;

#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Those that stand, the oldest first, at most ten.
    pub breaks: Vec<Break>,
    pub breaks_in_all: i64,
    pub providers: Vec<Health>,
    /// Requests that wait for an answer.
    pub requests: i64,
}

/// Where the provider's books, ours and the ledger don't agree.
#[derive(Debug, Clone)]
pub struct Break {
    pub kind: String,
    /// `whop:pay_…`, or an order's id.
    pub subject: String,
    pub detail: String,
    pub since: OffsetDateTime,
}

#[derive(Debug, Clone)]
pub struct Health {
    pub provider: Provider,
    /// None: it never sent anything.
    pub last_webhook: Option<OffsetDateTime>,
    /// Events that somebody has to look at.
    pub quarantined: i64,
    pub parked: i64,
    /// Of the orders made within the last hour, those that failed, and all.
    pub failed_lately: i64,
    pub orders_lately: i64,
}

pub(super) async fn standing(db: &mut PgConnection, _: &Support, now: OffsetDateTime) -> Result<Standing> {
    let breaks = sqlx::query!(
        r#"select kind, subject, detail, first_seen, count(*) over () as "in_all!"
        from reconciliation_breaks where resolved_at is null order by first_seen, id limit $1"#,
        BREAKS_MAX,
    )
    .fetch_all(&mut *db)
    .await?;
    // Ids are in the order of coming (index `provider_events_pkey`).
    let providers = sqlx::query!(
        r#"select p.name as "provider!: Provider",
            (select received_at from provider_events e where e.provider = p.name order by id desc limit 1) as last_webhook,
            (select count(*) from provider_events e where e.state = 'quarantined' and e.provider = p.name) as "quarantined!",
            (select count(*) from provider_events e where e.state = 'parked' and e.provider = p.name) as "parked!",
            lately.failed as "failed!", lately.orders as "orders!"
        from (values ('whop')) p (name)
        cross join lateral (
            select count(*) filter (where o.state = 'failed') as failed, count(*) as orders
            from credit_orders o where o.provider = p.name and o.created_at > $1
        ) lately"#,
        now - LATELY,
    )
    .fetch_all(&mut *db)
    .await?;
    let requests = sqlx::query_scalar!(r#"select count(*) as "count!" from credit_orders where state = 'requested'"#)
        .fetch_one(&mut *db)
        .await?;
    Ok(Standing {
        breaks_in_all: breaks.first().map_or(0, |row| row.in_all),
        breaks: breaks
            .into_iter()
            .map(|row| Break { kind: row.kind, subject: row.subject, detail: row.detail, since: row.first_seen })
            .collect(),
        providers: providers
            .into_iter()
            .map(|row| Health {
                provider: row.provider,
                last_webhook: row.last_webhook,
                quarantined: row.quarantined,
                parked: row.parked,
                failed_lately: row.failed,
                orders_lately: row.orders,
            })
            .collect(),
        requests,
    })
}
