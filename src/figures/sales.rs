//! How often each version of a plan was sold. Counted when it is new and once an hour; whoever asks adds what was settled since.

use domain::Provider;
use time::Duration;

use crate::{Context, Result};

const COUNTED_EVERY: Duration = Duration::HOUR;
/// No transaction takes so long: what it settled stands there when it is counted.
const SETTLED_FOR: Duration = Duration::minutes(10);

/// Counts each version that was not counted for an hour, or never. What was imported with earlier times is found by the next count.
pub async fn count_due(ctx: &Context) -> Result<()> {
    let upto = ctx.now() - SETTLED_FOR;
    sqlx::query!(
        "insert into figure_sales (plan_version_id, sold, counted_to)
        select version.id, (
            select count(*) from credit_orders o
            where o.plan_version_id = version.id and o.provider = any($3) and o.state in ('paid', 'approved') and o.settled_at < $1
        ), $1
        from plan_versions version left join figure_sales counted on counted.plan_version_id = version.id
        where counted.counted_to is null or counted.counted_to <= $2
        on conflict (plan_version_id) do update set sold = excluded.sold, counted_to = excluded.counted_to",
        upto,
        upto - COUNTED_EVERY,
        &Provider::ALL.iter().map(|provider| provider.as_str()).collect::<Vec<_>>() as &[&str],
    )
    .execute(&ctx.db)
    .await?;
    Ok(())
}
