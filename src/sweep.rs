//! Deleting what was kept for a while only: a part at a time, so that no transaction grows long.

use sqlx::postgres::PgQueryResult;

use crate::Result;

/// At most this many rows at once.
pub const PART: i64 = 1_000;

/// Deletes part after part, until there is nothing left to delete.
pub async fn in_parts<Deleting>(delete: impl Fn() -> Deleting + Send) -> Result<()>
where
    Deleting: Future<Output = sqlx::Result<PgQueryResult>> + Send,
{
    while delete().await?.rows_affected() > 0 {}
    Ok(())
}
