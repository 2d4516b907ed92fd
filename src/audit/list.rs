//! Reading the entries.

use domain::PersonId;
use serde::Serialize;
use serde_json::Value;
use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::Result;

/// At most this many at once.
pub const PAGE: i64 = 1_000;

/// One entry, as it may be shown and exported.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    pub number: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// person, operator, system or nobody.
    pub actor: String,
    pub actor_id: Option<PersonId>,
    pub part: Option<String>,
    pub session: Option<String>,
    pub network: Option<String>,
    pub request: Option<String>,
    pub deed: String,
    pub about: String,
    pub about_id: String,
    pub change: Value,
    pub why: Option<String>,
    /// Hexadecimal.
    pub hash: String,
}

/// Which entries.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// What this person did, and what was done about them.
    pub person: Option<PersonId>,
    /// What was tried with this address, as somebody typed it.
    pub address: Option<String>,
    pub deed: Option<String>,
    pub since: Option<OffsetDateTime>,
    pub until: Option<OffsetDateTime>,
}

/// Entries after number `after`, oldest first, at most `limit` and at most [`PAGE`].
pub async fn after(db: impl PgExecutor<'_>, filter: &Filter, after: i64, limit: i64) -> Result<Vec<Entry>> {
    Ok(sqlx::query_as!(
        Entry,
        r#"select number, at, actor, actor_id as "actor_id: PersonId", part, session, network, request, deed, about, about_id,
            change, why, encode(hash, 'hex') as "hash!"
        from audit_entries entry
        where number > $1 and audit_concerns(entry, $2, $3) and ($4::text is null or deed = $4)
            and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
        order by number limit $7"#,
        after,
        filter.person as Option<PersonId>,
        filter.address,
        filter.deed,
        filter.since,
        filter.until,
        limit.min(PAGE),
    )
    .fetch_all(db)
    .await?)
}

/// Entries before number `before`, newest first, at most `limit` and at most [`PAGE`].
pub async fn before(db: impl PgExecutor<'_>, filter: &Filter, before: i64, limit: i64) -> Result<Vec<Entry>> {
    if let Some(deed) = &filter.deed {
        return of_deed(db, filter, deed, before, limit).await;
    }
    Ok(sqlx::query_as!(
        Entry,
        r#"select number, at, actor, actor_id as "actor_id: PersonId", part, session, network, request, deed, about, about_id,
            change, why, encode(hash, 'hex') as "hash!"
        from audit_entries entry
        where number < $1 and audit_concerns(entry, $2, $3)
            and ($4::timestamptz is null or at >= $4) and ($5::timestamptz is null or at < $5)
        order by number desc limit $6"#,
        before,
        filter.person as Option<PersonId>,
        filter.address,
        filter.since,
        filter.until,
        limit.min(PAGE),
    )
    .fetch_all(db)
    .await?)
}

/// The same of one deed. By itself, so that it is found by its index (`audit_entries_deed`) however rare it is.
async fn of_deed(db: impl PgExecutor<'_>, filter: &Filter, deed: &str, before: i64, limit: i64) -> Result<Vec<Entry>> {
    Ok(sqlx::query_as!(
        Entry,
        r#"select number, at, actor, actor_id as "actor_id: PersonId", part, session, network, request, deed, about, about_id,
            change, why, encode(hash, 'hex') as "hash!"
        from audit_entries entry
        where deed = $4 and number < $1 and audit_concerns(entry, $2, $3)
            and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
        order by number desc limit $7"#,
        before,
        filter.person as Option<PersonId>,
        filter.address,
        deed,
        filter.since,
        filter.until,
        limit.min(PAGE),
    )
    .fetch_all(db)
    .await?)
}

/// The newest entries, newest first, at most `limit` and at most [`PAGE`].
pub async fn newest(db: impl PgExecutor<'_>, filter: &Filter, limit: i64) -> Result<Vec<Entry>> {
    before(db, filter, i64::MAX, limit).await
}
