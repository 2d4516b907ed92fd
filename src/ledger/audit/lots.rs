//! Lots against their grants and their wallets.

use sqlx::PgConnection;

use super::Finding;
use crate::Result;

pub(super) async fn findings(tx: &mut PgConnection) -> Result<Vec<Finding>> {
    Ok(sqlx::query_as!(
        Finding,
        r#"
        with lots as (
            select account_id, sum(remaining) as remaining, sum(held) as held from credit_lots group by account_id
        ), findings as (
            select 'a lot begins with what it granted' as invariant, count(*) as rows
            from credit_lots lot
            left join credit_entries entry on entry.transaction_id = lot.transaction_id and entry.lot_id = lot.id
                and entry.amount > 0
            where entry.amount is distinct from lot.granted
            union all
            select 'a lot says what its transaction says', count(*)
            from credit_lots lot left join credit_transactions t on t.id = lot.transaction_id
            where (lot.account_id, lot.order_id, lot.provider, lot.payment_id)
                is distinct from (t.account_id, t.order_id, t.provider, t.payment_id)
            union all
            select 'a wallet holds what its lots hold', count(*)
            from credit_accounts wallet left join lots on lots.account_id = wallet.id
            where wallet.kind = 'wallet'
                and (wallet.posted, wallet.held) is distinct from (coalesce(lots.remaining, 0), coalesce(lots.held, 0))
        )
        select invariant as "invariant!", rows as "rows!" from findings where rows > 0
        "#
    )
    .fetch_all(tx)
    .await?)
}
