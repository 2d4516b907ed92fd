//! Wallets against their entries, and the statement against itself.

use sqlx::PgConnection;

use super::Finding;
use crate::Result;

pub(super) async fn findings(tx: &mut PgConnection) -> Result<Vec<Finding>> {
    Ok(sqlx::query_as!(
        Finding,
        r#"
        with by_wallet as (
            select account_id,
                coalesce(sum(amount) filter (where bucket = 'posted'), 0) as posted,
                coalesce(sum(amount) filter (where bucket = 'debt'), 0) as debt,
                count(*) as entries, min(account_seq) as first_seq, max(account_seq) as last_seq
            from credit_entries group by account_id
        ), chain as (
            select amount, balance_after,
                coalesce(lag(balance_after) over (partition by account_id, bucket order by account_seq), 0) as before
            from credit_entries
        ), by_transaction as (
            select transaction_id,
                coalesce(sum(amount) filter (where bucket = 'posted'), 0) as net,
                coalesce(sum(amount) filter (where bucket = 'debt'), 0) as debt_change, max(account_seq) as last_seq
            from credit_entries group by transaction_id
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
            select 'each entry''s balance follows from the one before', count(*) from chain where before + amount <> balance_after
            union all
            select 'an entry moves its transaction''s wallet against a system account', count(*)
            from credit_entries entry
            join credit_transactions t on t.id = entry.transaction_id
            join credit_accounts account on account.id = entry.account_id
            join credit_accounts counter on counter.id = entry.counter_id
            where account.kind <> 'wallet' or counter.kind <> 'system' or t.account_id <> account.id
            union all
            select 'a transaction says what its entries sum to', count(*)
            from credit_transactions t left join by_transaction on by_transaction.transaction_id = t.id
            where (t.net, t.debt_change, t.last_seq) is distinct from
                (coalesce(by_transaction.net, 0), coalesce(by_transaction.debt_change, 0), by_transaction.last_seq)
            union all
            select 'each balance in the statement follows from the one before', count(*) from (
                select net, debt_change, balance_after, debt_after,
                    coalesce(lag(balance_after) over wallet, 0) as balance_before,
                    coalesce(lag(debt_after) over wallet, 0) as debt_before
                from credit_transactions window wallet as (partition by account_id order by last_seq)
            ) statement where balance_before + net <> balance_after or debt_before + debt_change <> debt_after
            union all
            select 'repayments of debt cancel out', count(*) from (
                select sum(case when entry.bucket = 'posted' then entry.amount else -entry.amount end) as total
                from credit_entries entry join credit_accounts counter on counter.id = entry.counter_id and counter.code = 'debt'
            ) debt where coalesce(total, 0) <> 0
        )
        select invariant as "invariant!", rows as "rows!" from findings where rows > 0
        "#
    )
    .fetch_all(tx)
    .await?)
}
