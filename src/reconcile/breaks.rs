//! Breaks, level by level: what is seen again keeps its age, what is gone is resolved, what comes back is new.

use domain::OrderId;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

use super::Finding;
use crate::Result;

/// One break as it stands.
#[derive(Debug, Clone)]
pub struct Break {
    pub id: i64,
    pub kind: String,
    pub subject: String,
    pub detail: String,
    pub first_seen: OffsetDateTime,
    pub last_seen: OffsetDateTime,
    /// None: it still stands.
    pub resolved_at: Option<OffsetDateTime>,
}

/// Takes in what a look at `examined` subjects found. Returns the ids of breaks that were not known.
pub(super) async fn record(
    tx: &mut PgConnection,
    now: OffsetDateTime,
    examined: &[String],
    findings: &[Finding],
) -> Result<Vec<i64>> {
    let kinds: Vec<&str> = findings.iter().map(|finding| finding.kind.as_str()).collect();
    let subjects: Vec<&str> = findings.iter().map(|finding| finding.subject.as_str()).collect();
    let details: Vec<&str> = findings.iter().map(|finding| finding.detail.as_str()).collect();
    let rows = sqlx::query!(
        r#"insert into reconciliation_breaks as known (kind, subject, detail, first_seen, last_seen)
        select distinct on (kind, subject) kind, subject, left(detail, 1000), $4::timestamptz, $4
        from unnest($1::text[], $2::text[], $3::text[]) as found (kind, subject, detail)
        order by kind, subject
        on conflict (kind, subject) where resolved_at is null
            do update set last_seen = greatest(known.last_seen, excluded.last_seen), detail = excluded.detail
        returning id, xmax = 0 as "is_new!""#,
        &kinds as &[&str],
        &subjects as &[&str],
        &details as &[&str],
        now,
    )
    .fetch_all(&mut *tx)
    .await?;
    let standing: Vec<i64> = rows.iter().map(|row| row.id).collect();
    sqlx::query!(
        "update reconciliation_breaks set resolved_at = greatest(last_seen, $3)
        where resolved_at is null and subject = any($1) and not id = any($2)",
        examined,
        &standing,
        now,
    )
    .execute(tx)
    .await?;
    Ok(rows.into_iter().filter(|row| row.is_new).map(|row| row.id).collect())
}

/// Breaks that stand, the oldest first.
pub async fn list(db: impl PgExecutor<'_>, which: Which, limit: i64) -> Result<Vec<Break>> {
    Ok(sqlx::query_as!(
        Break,
        "select id, kind, subject, detail, first_seen, last_seen, resolved_at from reconciliation_breaks
        where $1 or resolved_at is null order by resolved_at nulls first, first_seen, id limit $2",
        which == Which::All,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// Which breaks to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Standing,
    All,
}

/// Orders that wait for longer than they should: a person has to look, or a provider to answer.
pub(super) async fn stuck_orders(db: impl PgExecutor<'_>, now: OffsetDateTime) -> Result<Vec<(OrderId, String)>> {
    let rows = sqlx::query!(
        r#"select id as "id: OrderId", state, changed_at from credit_orders
        where (state = 'under_review' and changed_at < $1::timestamptz - interval '1 day')
            or (state = 'processing' and changed_at < $1 - interval '10 days')
        order by changed_at limit 1000"#,
        now,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, format!("{} since {}", row.state, row.changed_at))).collect())
}
