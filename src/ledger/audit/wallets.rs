//! Wallets, entries and the statement against each other, in one grouped pass over the entries and one over the
//! transactions.
//!
//! What has to hold from row to row is compared by fingerprints, so that nothing is sorted or joined row by row. A chain of
//! balances holds when the states before its entries are, as a set, the states after them, shifted by one place; a wallet's
//! transactions say what their entries sum to when both come to the same under two weights drawn from each one's id. The
//! seed is new for each audit: a break that weighs nothing in one weighs something in the next. One break alone is always
//! seen, for no weight is zero. Wallets that ever owed have two buckets in one row of numbers; they are few, and looked
//! at row by row. By constraint an entry belongs to a lot or to the debt, so its lot tells its bucket.

use sqlx::PgConnection;

use super::Finding;
use crate::Result;

pub(super) async fn findings(tx: &mut PgConnection, seed: i64) -> Result<Vec<Finding>> {
    Ok(sqlx::query_as!(
        Finding,
        r#"
        with moves as materialized (
            select account_id, counter_id, lot_id, count(*) as entries, sum(amount) as amount,
                min(account_seq) as first_seq, max(account_seq) as last_seq,
                sum(weight * amount) as weight_moved, sum(weight_too * amount) as weight_too_moved,
                sum(case when line = 1 then weight else 0 end) as weight_begun,
                sum(weight + case when line = 1 then weight * (account_seq - 1) else 0 end) as weight_ended,
                sum(case when line = 1 then weight * (balance_after - amount) else 0 end) as weight_before,
                sum(hashint8extended(balance_after, $1 # (account_seq + 1))) as states_after,
                sum(state_before) as states_before,
                sum(case when line = 1 then state_before else 0 end) as states_begun
            from (
                select account_id, counter_id, lot_id, amount, account_seq, balance_after, line,
                    (uuid_hash_extended(transaction_id, $1) & 8191) + 1 as weight,
                    (uuid_hash_extended(transaction_id, $1) >> 13) & 8191 as weight_too,
                    hashint8extended(balance_after - amount, $1 # account_seq) as state_before
                from credit_entries
            ) entry
            group by account_id, counter_id, lot_id
        ), by_wallet as materialized (
            select account_id, sum(entries) as entries, min(first_seq) as first_seq, max(last_seq) as last_seq,
                coalesce(sum(amount) filter (where lot_id is not null), 0) as posted,
                coalesce(sum(amount) filter (where lot_id is null), 0) as debt,
                coalesce(sum(weight_moved) filter (where lot_id is not null), 0) as weight_posted,
                coalesce(sum(weight_moved) filter (where lot_id is null), 0) as weight_debt,
                coalesce(sum(weight_too_moved) filter (where lot_id is not null), 0) as weight_too_posted,
                coalesce(sum(weight_too_moved) filter (where lot_id is null), 0) as weight_too_debt,
                sum(weight_begun) as weight_begun, sum(weight_ended) as weight_ended, sum(weight_before) as weight_before,
                sum(states_after) as states_after, sum(states_before) as states_before, sum(states_begun) as states_begun,
                bool_or(lot_id is null) as owed
            from moves group by account_id
        ), booked as materialized (
            select account_id, sum(weight) as weight_begun, sum(weight * net) as weight_posted,
                sum(weight * debt_change) as weight_debt, sum(weight_too * net) as weight_too_posted,
                sum(weight_too * debt_change) as weight_too_debt, sum(weight * last_seq) as weight_ended,
                sum(weight * (balance_after - net)) as weight_before,
                sum(hashint8extended(balance_after, $1 # (last_seq + 1))) as states_after, bool_or(debt_after <> 0) as owed
            from (
                select account_id, net, debt_change, last_seq, balance_after, debt_after,
                    (uuid_hash_extended(id, $1) & 8191) + 1 as weight,
                    (uuid_hash_extended(id, $1) >> 13) & 8191 as weight_too
                from credit_transactions
            ) t
            group by account_id
        ), compared as (
            select coalesce(by_wallet.account_id, booked.account_id) as account_id, by_wallet.owed,
                (by_wallet.weight_begun) is distinct from (booked.weight_begun) as strays,
                (by_wallet.weight_posted, by_wallet.weight_debt, by_wallet.weight_too_posted, by_wallet.weight_too_debt,
                    by_wallet.weight_ended) is distinct from
                    (booked.weight_posted, booked.weight_debt, booked.weight_too_posted, booked.weight_too_debt,
                    booked.weight_ended) as missums,
                not by_wallet.owed and (booked.owed or by_wallet.weight_before <> booked.weight_before
                    or by_wallet.states_begun + hashint8extended(by_wallet.posted::bigint, $1 # (by_wallet.last_seq + 1))
                    <> booked.states_after + hashint8extended(0, $1 # 1::bigint)) as jumps
            from by_wallet full join booked on booked.account_id = by_wallet.account_id
        ), chain as (
            select amount, balance_after,
                coalesce(lag(balance_after) over (partition by account_id, bucket order by account_seq), 0) as before
            from credit_entries where account_id = any (array(select account_id from by_wallet where owed))
        ), statement as (
            select net, debt_change, balance_after, debt_after,
                coalesce(lag(balance_after) over wallet, 0) as balance_before,
                coalesce(lag(debt_after) over wallet, 0) as debt_before
            from credit_transactions where account_id = any (array(select account_id from by_wallet where owed))
            window wallet as (partition by account_id order by last_seq)
        ), by_lot as (
            select lot_id, sum(amount) as remaining from moves where lot_id is not null group by lot_id
        ), findings as (
            select 'a wallet holds what its entries sum to' as invariant, count(*) as rows
            from credit_accounts wallet left join by_wallet on by_wallet.account_id = wallet.id
            where wallet.kind = 'wallet'
                and (wallet.posted, wallet.debt) is distinct from (coalesce(by_wallet.posted, 0), coalesce(by_wallet.debt, 0))
            union all
            select 'a wallet''s entries are numbered without a gap', count(*)
            from credit_accounts wallet left join by_wallet on by_wallet.account_id = wallet.id
            where wallet.kind = 'wallet'
                and (wallet.seq <> coalesce(by_wallet.entries, 0) or wallet.seq <> coalesce(by_wallet.last_seq, 0)
                    or by_wallet.first_seq <> 1)
            union all
            select 'each entry''s balance follows from the one before',
                (select count(*) from chain where before + amount <> balance_after) + count(*)
            from by_wallet
            where not owed and states_before + hashint8extended(posted::bigint, $1 # (last_seq + 1))
                <> states_after + hashint8extended(0, $1 # 1::bigint)
            union all
            select 'an entry moves its transaction''s wallet against a system account',
                (select count(*) from compared where strays) + count(*)
            from moves
            left join credit_accounts account on account.id = moves.account_id
            left join credit_accounts counter on counter.id = moves.counter_id
            where (account.kind, counter.kind) is distinct from ('wallet', 'system')
            union all
            select 'a transaction says what its entries sum to', count(*) from compared where missums
            union all
            select 'each balance in the statement follows from the one before',
                (select count(*) from statement where balance_before + net <> balance_after
                    or debt_before + debt_change <> debt_after) + count(*)
            from compared where jumps
            union all
            select 'repayments of debt cancel out', count(*) from (
                select sum(case when moves.lot_id is null then -moves.amount else moves.amount end) as total
                from moves join credit_accounts counter on counter.id = moves.counter_id and counter.code = 'debt'
            ) debt where coalesce(total, 0) <> 0
            union all
            select 'nothing is left between two wallets', count(*) from (
                select sum(moves.amount) as total
                from moves join credit_accounts counter on counter.id = moves.counter_id and counter.code = 'transit'
            ) transit where coalesce(total, 0) <> 0
            union all
            select 'a lot holds what its entries sum to', count(*)
            from credit_lots lot left join by_lot on by_lot.lot_id = lot.id
            where lot.remaining <> coalesce(by_lot.remaining, 0)
        )
        select invariant as "invariant!", rows as "rows!" from findings where rows > 0
        "#,
        seed,
    )
    .fetch_all(tx)
    .await?)
}
