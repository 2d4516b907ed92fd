//! Holds against what is held, and against what was captured of them.

use sqlx::PgConnection;

use super::Finding;
use crate::Result;

pub(super) async fn findings(tx: &mut PgConnection) -> Result<Vec<Finding>> {
    Ok(sqlx::query_as!(
        Finding,
        r#"
        with open_holds as (
            select account_id, sum(amount) as held from credit_holds where state = 'open' group by account_id
        ), named as (
            select hold_id, sum(amount) as amount from credit_hold_lots group by hold_id
        ), reserved as (
            select piece.lot_id, sum(piece.amount) as held
            from credit_hold_lots piece join credit_holds hold on hold.id = piece.hold_id and hold.state = 'open'
            group by piece.lot_id
        ), findings as (
            select 'what is held is what open holds reserve' as invariant, count(*) as rows
            from credit_accounts wallet left join open_holds on open_holds.account_id = wallet.id
            where wallet.kind = 'wallet' and wallet.held <> coalesce(open_holds.held, 0)
            union all
            select 'a lot is held for what open holds reserve of it', count(*)
            from credit_lots lot left join reserved on reserved.lot_id = lot.id
            where lot.held <> coalesce(reserved.held, 0)
            union all
            select 'a hold names lots for all it reserves', count(*)
            from credit_holds hold left join named on named.hold_id = hold.id
            where hold.amount is distinct from named.amount
            union all
            select 'what was captured of a hold was booked once', count(*)
            from (select id, account_id, captured from credit_holds where captured > 0) hold
            full join (select key, account_id, net from credit_transactions where kind = 'capture' and scope = 'hold') t
                on t.key = hold.id::text
            where (t.account_id, -t.net) is distinct from (hold.account_id, hold.captured)
        )
        select invariant as "invariant!", rows as "rows!" from findings where rows > 0
        "#
    )
    .fetch_all(tx)
    .await?)
}
