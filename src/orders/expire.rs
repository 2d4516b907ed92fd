//! Closing orders that nobody paid.

use domain::OrderId;
use time::{Duration, OffsetDateTime};

use super::channel;
use crate::{Context, Result};

/// How long a buyer has to pay.
pub const OPEN_FOR: Duration = Duration::hours(24);
/// At most this many in one go, so that no transaction grows long.
const BATCH: i64 = 500;

/// Whether the time to pay an order made at `created_at` is over.
pub fn is_out_of_time(created_at: OffsetDateTime, now: OffsetDateTime) -> bool {
    created_at < now - OPEN_FOR
}

/// Expires orders that are older than [`OPEN_FOR`] and for which no money is on its way; returns how many. A payment
/// that still arrives later is honoured.
pub async fn expire_old(ctx: &Context) -> Result<u64> {
    let now = ctx.now();
    let expired = sqlx::query_scalar!(
        r#"update credit_orders set state = 'expired', failure = null, failure_message = null, changed_at = $1
        where id in (
            select id from credit_orders
            where state in ('created', 'opened', 'failed') and created_at < $2
            order by created_at limit $3 for update skip locked
        )
        returning id as "id: OrderId""#,
        now,
        now - OPEN_FOR,
        BATCH,
    )
    .fetch_all(&ctx.db)
    .await?;
    channel::tell(ctx, &expired);
    Ok(expired.len() as u64)
}
