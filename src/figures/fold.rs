//! Folding what was counted into sums.

use sqlx::PgExecutor;

use crate::{Context, Result};

/// Changes, and transactions of the ledger, folded in one go.
const FOLD_BATCH: i32 = 20_000;

/// Folds everything that waits.
pub async fn fold_all(ctx: &Context) -> Result<()> {
    while fold(&ctx.db, FOLD_BATCH).await? >= i64::from(FOLD_BATCH) {}
    Ok(())
}

/// Folds at most `limit` changes and as many transactions; says how many there were. None where another process is at it.
pub async fn fold(db: impl PgExecutor<'_>, limit: i32) -> Result<i64> {
    Ok(sqlx::query_scalar!(r#"select figures_fold($1) as "folded!""#, limit).fetch_one(db).await?)
}
