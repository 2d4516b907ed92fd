//! Checks the whole ledger against its invariants, in a few grouped passes.

use sqlx::PgPool;

use crate::Result;

/// One broken invariant, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub invariant: String,
    pub rows: i64,
}

/// What an audit saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub wallets: i64,
    pub entries: i64,
    /// Empty when all is well.
    pub findings: Vec<Finding>,
}

/// Audits in one snapshot, so that it may run beside writers.
pub async fn audit(db: &PgPool) -> Result<Report> {
    let mut tx = db.begin().await?;
    sqlx::query!("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
    let counts = sqlx::query!(
        r#"select (select count(*) from credit_accounts where kind = 'wallet') as "wallets!",
            (select count(*) from credit_entries) as "entries!""#
    )
    .fetch_one(&mut *tx)
    .await?;
    let rows = sqlx::query!(
        r#"
        with by_wallet as (
            select account_id,
                coalesce(sum(amount) filter (where bucket = 'posted'), 0) as posted,
                coalesce(sum(amount) filter (where bucket = 'debt'), 0) as debt,
                count(*) as entries, max(account_seq) as last_seq
            from credit_entries group by account_id
        ), by_lot as (
            select lot_id, sum(amount) as remaining from credit_entries where lot_id is not null group by lot_id
        ), lots as (
            select account_id, sum(remaining) as remaining, sum(held) as held from credit_lots group by account_id
        ), open_holds as (
            select account_id, sum(amount) as held from credit_holds where state = 'open' group by account_id
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
                and (wallet.seq <> coalesce(by_wallet.entries, 0) or wallet.seq <> coalesce(by_wallet.last_seq, 0))
            union all
            select 'each entry''s balance follows from the one before', count(*) from chain where before + amount <> balance_after
            union all
            select 'a lot holds what its entries sum to', count(*)
            from credit_lots lot left join by_lot on by_lot.lot_id = lot.id
            where lot.remaining <> coalesce(by_lot.remaining, 0)
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
            select 'a transaction says what its entries sum to', count(*)
            from credit_transactions t left join by_transaction on by_transaction.transaction_id = t.id
            where (t.net, t.debt_change, t.last_seq) is distinct from
                (coalesce(by_transaction.net, 0), coalesce(by_transaction.debt_change, 0), by_transaction.last_seq)
            union all
            select 'repayments of debt cancel out', count(*) from (
                select sum(case when entry.bucket = 'posted' then entry.amount else -entry.amount end) as total
                from credit_entries entry join credit_accounts counter on counter.id = entry.counter_id and counter.code = 'debt'
            ) debt where coalesce(total, 0) <> 0
            union all
            select 'each collected payment granted exactly its order''s credits once', count(*)
            from payments payment
            left join credit_transactions t on t.id = payment.granted_by
            left join credit_orders o on o.id = payment.order_id
            left join credit_lots lot on lot.transaction_id = payment.granted_by
            where payment.granted_by is not null
                and (t.kind, t.provider, t.payment_id, lot.granted) is distinct from
                    ('grant', payment.provider, payment.payment_id, o.credits)
            union all
            select 'no payment granted without being collected', count(*)
            from credit_transactions t join payments payment on payment.provider = t.provider and payment.payment_id = t.payment_id
            where t.kind = 'grant' and (payment.state <> 'succeeded' or payment.granted_by is distinct from t.id)
        )
        select invariant as "invariant!", rows as "rows!" from findings where rows > 0
        "#
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let findings = rows.into_iter().map(|row| Finding { invariant: row.invariant, rows: row.rows }).collect();
    Ok(Report { wallets: counts.wallets, entries: counts.entries, findings })
}
