//! Transactions beside each other and beside the people that they name.

use sqlx::PgConnection;

use crate::Result;

pub(super) async fn examine(tx: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "update legacy_staged_transactions set found = '{}', left_out = false where left_out or cardinality(found) > 0"
    )
    .execute(&mut *tx)
    .await?;
    find_doubled(tx).await?;
    find_those_of_nobody(tx).await?;
    find_broken_chains(tx).await
}

async fn find_doubled(tx: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "with several as (
            select id, min(place) as first from legacy_staged_transactions where not unreadable
            group by id having count(*) > 1
        )
        update legacy_staged_transactions t set found = found || '{transaction_doubled}', left_out = true
        from several where t.id = several.id and t.place > several.first and not t.unreadable"
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn find_those_of_nobody(tx: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "update legacy_staged_transactions t set found = found || '{transaction_of_nobody}', left_out = true
        where not unreadable and not left_out
            and not exists (select from legacy_staged_people person where person.id = t.user_id and not person.unreadable)
            and not exists (select from legacy_people known where known.legacy_id = t.user_id)"
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// What the old system said that remained, against what it said before.
async fn find_broken_chains(tx: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "with chain as (
            select place, amount, balance_after, lag(balance_after) over (partition by user_id order by at, place) as before
            from legacy_staged_transactions
            where not unreadable and not left_out and at is not null and balance_after is not null
        )
        update legacy_staged_transactions t set found = found || '{chain_broken}'
        from chain where t.place = chain.place and chain.before + chain.amount <> chain.balance_after"
    )
    .execute(tx)
    .await?;
    Ok(())
}
