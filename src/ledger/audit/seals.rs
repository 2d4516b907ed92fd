//! The chain of seals against the rows below it.

use sqlx::PgConnection;

use super::Finding;
use crate::Result;

pub(super) async fn findings(tx: &mut PgConnection) -> Result<Vec<Finding>> {
    Ok(sqlx::query_as!(
        Finding,
        r#"
        with findings as (
            select 'every seal fits the rows below it' as invariant, count(*) as rows
            from credits_broken_seals(1, 9223372036854775807)
        )
        select invariant as "invariant!", rows as "rows!" from findings where rows > 0
        "#
    )
    .fetch_all(tx)
    .await?)
}

/// How many transactions are not sealed yet.
pub(super) async fn unsealed(tx: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"with last as (select epoch, xid, transaction_id from ledger_seals order by number desc limit 1)
        select count(*) as "count!" from credit_transactions
        where (epoch, xid, id) > (coalesce((select epoch from last), 0), coalesce((select xid from last), '0'),
            coalesce((select transaction_id from last), '00000000-0000-0000-0000-000000000000'))"#
    )
    .fetch_one(tx)
    .await?)
}
