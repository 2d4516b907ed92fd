//! Profiles beside each other, beside their history, and beside who is here already.

use domain::Credits;
use sqlx::PgConnection;

use super::Trust;
use crate::Result;

pub(super) async fn examine(tx: &mut PgConnection, trust: Trust) -> Result<()> {
    sqlx::query!(
        "update legacy_staged_people
        set found = '{}', left_out = false, person_id = null, treatment = null, history = null, opening = null
        where left_out or cardinality(found) > 0 or treatment is not null"
    )
    .execute(&mut *tx)
    .await?;
    find_doubled(tx).await?;
    decide_who_they_become(tx).await?;
    decide_what_they_begin_with(tx, trust).await
}

async fn find_doubled(tx: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "with several as (
            select id, min(place) as first from legacy_staged_people where not unreadable group by id having count(*) > 1
        )
        update legacy_staged_people person set found = found || '{profile_doubled}', left_out = true
        from several where person.id = several.id and person.place > several.first and not person.unreadable"
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Whoever was imported before stays who they became; an email or id that somebody here has is theirs; an email that
/// stands there more than once makes one person.
async fn decide_who_they_become(tx: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "with candidates as (
            select staged.place, staged.email, staged.id, staged.is_staff, known.person_id as known_id,
                coalesce(by_email.id, by_id.id) as here_id, staged.own_id
            from legacy_staged_people staged
            left join legacy_people known on known.legacy_id = staged.id
            left join user_profiles by_email on by_email.email = staged.email
            left join user_profiles by_id on by_id.id = staged.own_id
            where not staged.unreadable and not staged.left_out
        ), decided as (
            select place, is_staff, known_id, here_id,
                row_number() over (partition by email, case when email is null then id end order by place) as nth,
                first_value(coalesce(known_id, here_id, own_id)) over (
                    partition by email, case when email is null then id end
                    order by (known_id is null), (here_id is null), place) as person_id
            from candidates
        )
        update legacy_staged_people staged
        set person_id = coalesce(decided.known_id, decided.here_id, decided.person_id),
            treatment = case when known_id is not null then 'there' when here_id is not null then 'linked'
                when decided.person_id <> staged.own_id then 'merged' else 'new' end,
            found = found || array_remove(array[
                case when nth > 1 then 'email_doubled' end,
                case when known_id is null and here_id is not null then 'known_here' end,
                case when decided.is_staff then 'was_staff' end], null)
        from decided where decided.place = staged.place"
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn decide_what_they_begin_with(tx: &mut PgConnection, trust: Trust) -> Result<()> {
    sqlx::query!(
        "with told as (
            -- No sum of real credits comes near these bounds; they only keep it a number.
            select user_id, greatest(least(sum(amount), 4000000000000000000), -4000000000000000000)::bigint as sum
            from legacy_staged_transactions where not unreadable and not left_out group by user_id
        ), compared as (
            select staged.place, staged.credits, coalesce(told.sum, 0) as history, known.balance as imported,
                case when coalesce(told.sum, 0) <= $2 then coalesce(told.sum, 0) end as usable
            from legacy_staged_people staged
            left join told on told.user_id = staged.id
            left join legacy_people known on known.legacy_id = staged.id
            where staged.treatment is not null
        ), decided as (
            select place, credits, history, imported, greatest(coalesce(
                case when $1 then usable else credits end, case when $1 then credits else usable end, 0), 0) as opening
            from compared
        )
        update legacy_staged_people staged
        set history = decided.history, opening = decided.opening,
            found = found || array_remove(array[
                case when decided.credits <> decided.history then 'balance_differs' end,
                case when decided.credits < 0 then 'balance_negative' end,
                case when decided.imported <> decided.opening then 'balance_moved' end], null)
        from decided where decided.place = staged.place",
        trust == Trust::History,
        Credits::MAX.get(),
    )
    .execute(tx)
    .await?;
    Ok(())
}
