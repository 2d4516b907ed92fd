//! I1 to I4: whether the books add up, in one snapshot, so that it can be asked in the middle of the storm.

use anyhow::Result;
use sqlx::PgPool;

use super::Findings;

/// Each names what breaks it, at most a few rows. Written apart from the program's own audit.
const CHECKS: [(&str, &str); 8] = [
    (
        "I1 a transaction moves what its entries sum to",
        "select 'transaction ' || t.id from credit_transactions t left join (
            select transaction_id, sum(amount) filter (where bucket = 'posted') as net,
                sum(amount) filter (where bucket = 'debt') as debt from credit_entries group by 1
        ) e on e.transaction_id = t.id
        where t.net <> coalesce(e.net, 0) or t.debt_change <> coalesce(e.debt, 0) limit 5",
    ),
    (
        "I1 wallets and counters sum to zero",
        "select format('wallets hold %s and owe %s, counters gave %s and %s', w.posted, w.debt, e.posted, e.debt) from
            (select coalesce(sum(posted), 0) as posted, coalesce(sum(debt), 0) as debt from credit_accounts) w,
            (select coalesce(sum(amount) filter (where bucket = 'posted'), 0) as posted,
                coalesce(sum(amount) filter (where bucket = 'debt'), 0) as debt from credit_entries) e
        where (w.posted, w.debt) <> (e.posted, e.debt)",
    ),
    (
        "I2 a wallet holds what its entries sum to",
        "select format('wallet of %s: %s posted, %s by its entries', a.owner_id, a.posted, coalesce(e.posted, 0))
        from credit_accounts a left join (
            select account_id, coalesce(sum(amount) filter (where bucket = 'posted'), 0) as posted,
                coalesce(sum(amount) filter (where bucket = 'debt'), 0) as debt from credit_entries group by 1
        ) e on e.account_id = a.id
        where a.kind = 'wallet' and (a.posted <> coalesce(e.posted, 0) or a.debt <> coalesce(e.debt, 0)) limit 5",
    ),
    (
        "I2 a lot holds what its entries sum to",
        "select 'lot ' || l.id from credit_lots l
            left join (select lot_id, sum(amount) as left_over from credit_entries group by 1) e on e.lot_id = l.id
        where l.remaining <> coalesce(e.left_over, 0) limit 5",
    ),
    (
        "I3 each entry follows from the one before",
        "select 'entry ' || id from (
            select id, amount, balance_after,
                lag(balance_after, 1, 0::bigint) over (partition by account_id, bucket order by account_seq, id) as before
            from credit_entries) e
        where before + amount <> balance_after limit 5",
    ),
    (
        "I3 entries are numbered without a gap",
        "select 'wallet ' || a.id from credit_accounts a left join (
            select account_id, count(*) as entries, max(account_seq) as last, count(distinct account_seq) as numbers
            from credit_entries group by 1
        ) e on e.account_id = a.id
        where a.kind = 'wallet' and (a.seq <> coalesce(e.last, 0) or a.seq <> coalesce(e.entries, 0)
            or a.seq <> coalesce(e.numbers, 0)) limit 5",
    ),
    (
        "I4 nothing is below zero",
        "select 'wallet ' || id from credit_accounts where posted < 0 or held < 0 or debt < 0 or held > posted
        union all select 'lot ' || id from credit_lots where remaining < 0 or held < 0 or remaining > granted limit 5",
    ),
    (
        "I4 nothing is refunded beyond what was paid",
        "select 'payment ' || payment_id from payments where refunded_minor < 0 or refunded_minor > coalesce(amount_minor, 0)
        limit 5",
    ),
];

pub async fn check(owner: &PgPool, findings: &mut Findings) -> Result<()> {
    let mut tx = owner.begin().await?;
    sqlx::query("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
    for (invariant, select) in CHECKS {
        let broken: Vec<String> = sqlx::query_scalar(select).fetch_all(&mut *tx).await?;
        for what in broken {
            findings.add(invariant, what);
        }
    }
    tx.commit().await?;
    Ok(())
}
