//! Orders, as manual ones in the state that they had.

use super::Batch;
use crate::legacy::run::{Run, long};
use crate::{Context, Result, ids};

const AT_ONCE: i64 = 10_000;

/// Orders of plans that we don't have need one to stand under: it is not on sale, and each order keeps its own terms.
pub(super) async fn prepare(ctx: &Context) -> Result<()> {
    let mut tx = long(ctx).await?;
    sqlx::query!(
        "with made as (
            insert into plans (id, slug, position, on_sale)
            select $1, 'legacy', 1000, false
            where exists (
                select from legacy_staged_orders
                where plan_version_id is null and not unreadable and not left_out and not is_there)
            on conflict (slug) do nothing returning id
        )
        insert into plan_versions (id, plan_id, version, name, description, credits)
        select $2, id, 1, 'Before the move', 'Orders of plans that are not offered any more.', 1 from made",
        ids::fresh(),
        ids::fresh(),
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Imports the orders after a place. None: there are no more.
pub(super) async fn batch(ctx: &Context, run: &Run, after: i64) -> Result<Option<Batch>> {
    let mut tx = long(ctx).await?;
    let upto = sqlx::query_scalar!(
        "select max(place) from (select place from legacy_staged_orders where place > $1 order by place limit $2) batch",
        after,
        AT_ONCE,
    )
    .fetch_one(&mut *tx)
    .await?;
    let Some(upto) = upto else { return Ok(None) };
    let written = sqlx::query!(
        "insert into credit_orders (id, buyer_id, key, plan_version_id, plan_name, credits, price_minor, currency, provider,
            state, note, created_at, settled_at, changed_at, answered_by, answer_reason, granted_credits)
        select staged.own_id, buyer.id, 'legacy:' || staged.id, coalesce(staged.plan_version_id, unknown.id),
            coalesce(nullif(staged.plan, ''), 'Before the move'), staged.credits, staged.price_minor, staged.currency, 'manual',
            staged.state, case when buyer.deleted_at is null then staged.note end, coalesce(staged.created_at, $3),
            case when is_answered then coalesce(staged.answered_at, staged.created_at, $3) end,
            coalesce(case when is_answered then staged.answered_at end, staged.created_at, $3),
            case when is_answered then answerer.person_id end, case when is_answered then staged.answer end,
            case when staged.state = 'approved' then staged.credits end
        from legacy_staged_orders staged
        cross join lateral (select staged.state in ('approved', 'rejected') as is_answered) answered
        join legacy_people known on known.legacy_id = staged.user_id
        join user_profiles buyer on buyer.id = known.person_id
        left join legacy_people answerer on answerer.legacy_id = staged.answered_by
        left join (
            select version.id from plan_versions version join plans plan on plan.id = version.plan_id
            where plan.slug = 'legacy' order by version.version desc limit 1
        ) unknown on true
        where staged.place > $1 and staged.place <= $2 and not staged.unreadable and not staged.left_out
        order by staged.place
        on conflict do nothing",
        after,
        upto,
        run.now,
    )
    .execute(&mut *tx)
    .await?
    .rows_affected();
    sqlx::query!("update legacy_runs set orders_upto = $2 where id = $1", run.id, upto).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(Some(Batch { upto, written, lots: 0 }))
}
