//! The keys there are, for whoever looks after them.

use domain::ApiKeyId;
use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::Result;

const KEYS_MAX: i64 = 1_000;

/// A key as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub id: ApiKeyId,
    pub name: String,
    /// How it begins.
    pub prefix: String,
    pub scopes: Vec<String>,
    pub counter: String,
    pub created_at: OffsetDateTime,
    pub revoked_at: Option<OffsetDateTime>,
    /// To the minute.
    pub last_used_at: Option<OffsetDateTime>,
}

/// The newest thousand, revoked ones too, newest first.
pub async fn list(db: impl PgExecutor<'_>) -> Result<Vec<Listed>> {
    Ok(sqlx::query_as!(
        Listed,
        r#"select id as "id: ApiKeyId", name, prefix, scopes, counter, created_at, revoked_at, last_used_at
        from api_keys order by id desc limit $1"#,
        KEYS_MAX,
    )
    .fetch_all(db)
    .await?)
}
