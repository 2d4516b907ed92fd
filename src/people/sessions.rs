//! Forgetting sessions whose time is over. The server keeps and reads them; here is only what happens by itself.

use crate::{Context, Result};

/// At most this many in one go, so that no transaction grows long.
const BATCH: i64 = 1_000;

/// Deletes every session that has expired.
pub async fn sweep(ctx: &Context) -> Result<()> {
    loop {
        let done = sqlx::query!(
            "delete from sessions where id_hash in (
                select id_hash from sessions where expires_at <= $1 limit $2 for update skip locked)",
            ctx.now(),
            BATCH
        )
        .execute(&ctx.db)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(());
        }
    }
}
