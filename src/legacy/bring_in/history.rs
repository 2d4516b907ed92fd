//! The old transactions, to be read and never booked.

use super::Batch;
use crate::legacy::run::{Run, long};
use crate::{Context, Result};

const AT_ONCE: i64 = 20_000;

/// Imports the transactions after a place. None: there are no more.
pub(super) async fn batch(ctx: &Context, run: &Run, after: i64) -> Result<Option<Batch>> {
    let mut tx = long(ctx).await?;
    let upto = sqlx::query_scalar!(
        "select max(place) from (
            select place from legacy_staged_transactions where place > $1 order by place limit $2) batch",
        after,
        AT_ONCE,
    )
    .fetch_one(&mut *tx)
    .await?;
    let Some(upto) = upto else { return Ok(None) };
    // What people wrote is not brought back for somebody who has left since.
    let written = sqlx::query!(
        "insert into legacy_transactions (legacy_id, person_id, amount, kind, description, balance_after, at)
        select staged.id, person.id, staged.amount, staged.kind,
            case when person.deleted_at is null then staged.description else '' end, staged.balance_after, staged.at
        from legacy_staged_transactions staged
        join legacy_people known on known.legacy_id = staged.user_id
        join user_profiles person on person.id = known.person_id
        where staged.place > $1 and staged.place <= $2 and not staged.unreadable and not staged.left_out
        order by staged.place
        on conflict do nothing",
        after,
        upto,
    )
    .execute(&mut *tx)
    .await?
    .rows_affected();
    sqlx::query!("update legacy_runs set transactions_upto = $2 where id = $1", run.id, upto).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(Some(Batch { upto, written, lots: 0 }))
}
