//! Orders beside each other, beside the people and plans that they name, and beside the transactions that credited them.

use domain::FieldErrors;
use sqlx::PgConnection;

use crate::{Error, Result};

pub(super) async fn examine(tx: &mut PgConnection, plans: &[(String, String)]) -> Result<()> {
    sqlx::query!(
        "update legacy_staged_orders set found = '{}', left_out = false, plan_version_id = null, is_there = false
        where left_out or is_there or plan_version_id is not null or cardinality(found) > 0"
    )
    .execute(&mut *tx)
    .await?;
    find_doubled(tx).await?;
    find_those_of_nobody(tx).await?;
    find_plans(tx, plans).await?;
    find_what_was_not_credited_once(tx).await?;
    sqlx::query!(
        "update legacy_staged_orders staged set is_there = true
        where not unreadable and not left_out and exists (select from credit_orders o where o.id = staged.own_id)"
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn find_doubled(tx: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "with several as (
            select id, min(place) as first from legacy_staged_orders where not unreadable group by id having count(*) > 1
        )
        update legacy_staged_orders o set found = found || '{order_doubled}', left_out = true
        from several where o.id = several.id and o.place > several.first and not o.unreadable"
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn find_those_of_nobody(tx: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "update legacy_staged_orders o set found = found || '{order_of_nobody}', left_out = true
        where not unreadable and not left_out
            and not exists (select from legacy_staged_people person where person.id = o.user_id and not person.unreadable)
            and not exists (select from legacy_people known where known.legacy_id = o.user_id)"
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Each plan by the name that was given for it, else by its slug, else by its name, in its newest version.
async fn find_plans(tx: &mut PgConnection, given: &[(String, String)]) -> Result<()> {
    let (old, slugs): (Vec<String>, Vec<String>) = given.iter().cloned().unzip();
    let unknown = sqlx::query_scalar!(
        r#"select slug as "slug!" from unnest($1::text[]) as given (slug)
        where not exists (select from plans where plans.slug = given.slug) limit 1"#,
        &slugs,
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(slug) = unknown {
        return Err(Error::Invalid(FieldErrors::one("plan", format!("there is no plan {slug} here"))));
    }
    sqlx::query!(
        "with ours as (
            select plan.slug, newest.id, newest.name, plan.position
            from plans plan join lateral (
                select id, name from plan_versions version where version.plan_id = plan.id order by version desc limit 1
            ) newest on true
        ), theirs as (
            select distinct lower(plan) as name from legacy_staged_orders
        ), matched as (
            select theirs.name, (
                select ours.id from ours left join unnest($1::text[], $2::text[]) as given (old, slug)
                    on given.slug = ours.slug and given.old = theirs.name
                where given.old is not null or ours.slug = theirs.name or lower(ours.name) = theirs.name
                order by (given.old is null), (ours.slug <> theirs.name), ours.position limit 1) as version_id
            from theirs
        )
        update legacy_staged_orders o set plan_version_id = matched.version_id,
            found = case when matched.version_id is null then found || '{plan_unknown}' else found end
        from matched where lower(o.plan) = matched.name and not o.unreadable and not o.left_out",
        &old,
        &slugs,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Only where the old system noted at all which order a transaction was for.
async fn find_what_was_not_credited_once(tx: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "with credited as (
            select order_id, count(*) as times from legacy_staged_transactions
            where order_id is not null and amount > 0 and not unreadable and not left_out
                and kind not in ('bonus', 'adjustment', 'refund')
            group by order_id
        ), compared as (
            select o.place, coalesce(credited.times, 0) as times
            from legacy_staged_orders o left join credited on credited.order_id = o.id
            where o.state = 'approved' and not o.unreadable and not o.left_out
        )
        update legacy_staged_orders o
        set found = found || case when compared.times = 0 then '{order_not_credited}'::text[] else '{order_credited_twice}' end
        from compared
        where compared.place = o.place and compared.times <> 1 and exists (select from credited)"
    )
    .execute(tx)
    .await?;
    Ok(())
}
