//! Who changed what, and when.

use serde_json::Value;
use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::Result;
use crate::people::roles::Admin;

const CHANGES_MAX: i64 = 10;

/// One change of a setting.
#[derive(Debug, Clone)]
pub struct Changed {
    pub deed: String,
    /// A person's address; none for an operator's command.
    pub who: Option<String>,
    pub change: Value,
    pub why: Option<String>,
    pub at: OffsetDateTime,
}

/// The last ones, the newest first (index `audit_entries_about`).
pub async fn last(db: impl PgExecutor<'_>, _: &Admin) -> Result<Vec<Changed>> {
    Ok(sqlx::query_as!(
        Changed,
        r#"select entry.deed, person.known_as as "who?", entry.change, entry.why, entry.at
        from audit_entries entry left join user_profiles person on person.id = entry.actor_id
        where entry.about = 'setting' order by entry.number desc limit $1"#,
        CHANGES_MAX,
    )
    .fetch_all(db)
    .await?)
}
