//! What came in webhooks names people, so it is kept for 13 months only; that it came, and its hash, stay.

use crate::{Context, Result};

/// At most this many at once.
const PART: i32 = 1_000;

/// Empties what is older; how many there were, at most [`PART`].
pub async fn forget_old(ctx: &Context) -> Result<i64> {
    let forgotten =
        sqlx::query_scalar!(r#"select forget_event_bodies($1) as "count!""#, PART).fetch_one(&ctx.db).await?;
    if forgotten > 0 {
        tracing::info!(forgotten, "webhooks of more than 13 months ago are forgotten");
    }
    Ok(forgotten)
}
