//! Whose keys these are. Asked anew in every transaction that acts for their holders, so that revoking bites at once;
//! one query for all the keys of a batch.

use std::collections::HashMap;

use domain::ApiKeyId;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use super::ApiCaller;
use super::secret::KeyHash;
use crate::{Error, Result};

/// `last_used_at` is written no more often than this.
const TOUCH_EVERY: Duration = Duration::minutes(1);

/// The holders of those keys that are valid now. What is missing is unknown or revoked.
pub async fn resolve(
    tx: &mut PgConnection,
    now: OffsetDateTime,
    hashes: &[KeyHash],
) -> Result<HashMap<KeyHash, ApiCaller>> {
    let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.bytes().as_slice()).collect();
    let rows = sqlx::query!(
        r#"select id as "id: ApiKeyId", name, hash, scopes, counter, last_used_at
        from api_keys where hash = any($1) and revoked_at is null"#,
        &hashes as &[&[u8]],
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut callers = HashMap::with_capacity(rows.len());
    let mut due = Vec::new();
    for row in rows {
        let hash = KeyHash::from_stored(&row.hash).ok_or_else(|| Error::broken("api_keys.hash is no SHA-256"))?;
        let scopes = row.scopes.iter().map(|scope| scope.parse()).collect::<Result<_>>()?;
        if row.last_used_at.is_none_or(|last| now - last >= TOUCH_EVERY) {
            due.push(row.id);
        }
        callers.insert(hash, ApiCaller { id: row.id, name: row.name, counter: row.counter, scopes });
    }
    if !due.is_empty() {
        touch(tx, now, &due).await?;
    }
    Ok(callers)
}

/// Passes by what another transaction is writing: it notes the same.
async fn touch(tx: &mut PgConnection, now: OffsetDateTime, due: &[ApiKeyId]) -> Result<()> {
    sqlx::query!(
        "update api_keys set last_used_at = $2
        where id in (select id from api_keys where id = any($1) order by id for no key update skip locked)",
        due as &[ApiKeyId],
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}
