//! Lots against their entries, their wallets and the holds on them.

use sqlx::PgConnection;

use super::Finding;
use crate::Result;

pub(super) async fn findings(tx: &mut PgConnection) -> Result<Vec<Finding>> {
    Ok(sqlx::query_as!(
        Finding,
        r#"
        with by_lot as (
            select lot_id, sum(amount) as remaining from credit_entries where lot_id is not null group by lot_id
        ), lots as (
            select account_id, sum(remaining) as remaining, sum(held) as held from credit_lots group by account_id
        ), open_holds as (
            select account_id, sum(amount) as held from credit_holds where state = 'open' group by account_id
        ), reserved as (
            select piece.lot_id, sum(piece.amount) as held
            from credit_hold_lots piece join credit_holds hold on hold.id = piece.hold_id and hold.state = 'open'
            group by piece.lot_id
        ), findings as (
            select 'a lot holds what its entries sum to' as invariant, count(*) as rows
            from credit_lots lot left join by_lot on by_lot.lot_id = lot.id
            where lot.remaining <> coalesce(by_lot.remaining, 0)
            union all
            select 'a lot begins with what it granted', count(*)
            from credit_lots lot left join credit_entries entry on entry.transaction_id = lot.transaction_id and entry.line = 1
            where (entry.lot_id, entry.amount) is distinct from (lot.id, lot.granted)
            union all
            select 'a wallet holds what its lots hold', count(*)
            from credit_accounts wallet left join lots on lots.account_id = wallet.id
            where wallet.kind = 'wallet'
                and (wallet.posted, wallet.held) is distinct from (coalesce(lots.remaining, 0), coalesce(lots.held, 0))
            union all
            select 'what is held is what open holds reserve', count(*)
            from credit_accounts wallet left join open_holds on open_holds.account_id = wallet.id
            where wallet.kind = 'wallet' and wallet.held <> coalesce(open_holds.held, 0)
            union all
            select 'a lot is held for what open holds reserve of it', count(*)
            from credit_lots lot left join reserved on reserved.lot_id = lot.id
            where lot.held <> coalesce(reserved.held, 0)
        )
        select invariant as "invariant!", rows as "rows!" from findings where rows > 0
        "#
    )
    .fetch_all(tx)
    .await?)
}
