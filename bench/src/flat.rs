//! Whether an operation costs the same in a small ledger and in a large one: spends and deliveries at 10,000 entries
//! and at five million, each beside TPC-B at that moment.

use anyhow::{Context as _, Result, bail};
use domain::PersonId;
use sqlx::PgPool;

use crate::distinct;
use crate::figures::{Rate, Ratio, median};
use crate::report::Table;
use crate::scene;
use crate::spends::Till;
use crate::stand::Stand;
use crate::tpcb::Tpcb;

const WALLETS: i64 = 10_000;
const LARGE: i64 = 5_000_000;
/// Written in one transaction.
const CHUNK: i64 = 500_000;
const ROUNDS: usize = 5;
const SLOWER_MAX: Ratio = Ratio::thousandths(800);

struct Stage {
    entries: i64,
    spends: Rate,
    deliveries: Rate,
    reference: Rate,
}

pub async fn measure(stand: &Stand, seconds: u64) -> Result<Table> {
    let till = Till::open(stand).await?;
    let people = scene::wallets(&stand.owner, WALLETS).await?;
    let tpcb = Tpcb::prepare(stand).await?;
    // What is slow only once, such as the first use of a plan, is part of neither.
    till.spend(stand, &people, seconds).await?;
    let small = stage(stand, &till, &people, &tpcb, seconds).await?;
    fill(&stand.owner, small.entries).await?;
    let large = stage(stand, &till, &people, &tpcb, seconds).await?;
    let mut table = Table::new(
        "Flat",
        "Spends over 10,000 wallets and distinct deliveries (both over 64 connections) in a small and in a large ledger, \
        and TPC-B in the same minutes. Medians of five rounds.",
        &["entries", "spends per second", "deliveries per second", "TPC-B per second"],
    );
    for stage in [&small, &large] {
        let rates = [stage.spends, stage.deliveries, stage.reference].map(|rate| rate.to_string());
        table.row([stage.entries.to_string()].into_iter().chain(rates));
    }
    let (spends, deliveries) = (large.spends.to(small.spends), large.deliveries.to(small.deliveries));
    let tpcb = large.reference.to(small.reference);
    table.row(["large to small".into(), spends.to_string(), deliveries.to_string(), tpcb.to_string()]);
    let is_flat = spends >= SLOWER_MAX && deliveries >= SLOWER_MAX;
    table.note(if is_flat { "Flat within 20 %.".to_owned() } else { "Not flat within 20 %.".to_owned() });
    Ok(table)
}

async fn stage(stand: &Stand, till: &Till, people: &[PersonId], tpcb: &Tpcb, seconds: u64) -> Result<Stage> {
    let entries: i64 = sqlx::query_scalar("select count(*) from credit_entries").fetch_one(&stand.owner).await?;
    let (mut spends, mut deliveries, mut reference) = (vec![], vec![], vec![]);
    for round in 1..=ROUNDS {
        spends.push(till.spend(stand, people, seconds).await?.rate());
        deliveries.push(distinct::deliver(stand, seconds, 1).await?.rate());
        reference.push(tpcb.run(seconds).await?);
        let last = |rates: &[Rate]| rates.last().copied().unwrap_or_default();
        println!(
            "  {entries} entries, round {round}: {} spends/s, {} deliveries/s, TPC-B {} /s",
            last(&spends),
            last(&deliveries),
            last(&reference)
        );
    }
    let middle = |rates: Vec<Rate>| median(rates).context("no rounds");
    Ok(Stage { entries, spends: middle(spends)?, deliveries: middle(deliveries)?, reference: middle(reference)? })
}

/// Writes spends of one credit each, set-based, until there are as many entries: as if they had been made one by one.
async fn fill(owner: &PgPool, mut entries: i64) -> Result<()> {
    while entries < LARGE {
        let steps = (LARGE - entries).min(CHUNK).div_euclid(WALLETS).max(1);
        let mut tx = owner.begin().await?;
        // The rows refer to each other rightly; checking millions of references one by one would take an hour.
        sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await?;
        let wallets: i64 = sqlx::query_scalar(FILL).bind(steps).fetch_one(&mut *tx).await?;
        tx.commit().await?;
        if wallets != WALLETS {
            bail!("{wallets} wallets were filled instead of {WALLETS}");
        }
        entries += steps * WALLETS;
        println!("  {entries} entries written");
    }
    sqlx::query("vacuum analyze").execute(owner).await?;
    sqlx::query("checkpoint").execute(owner).await?;
    Ok(())
}

/// $1: how many for each wallet. Their ids grow with time, as fresh ones do.
const FILL: &str = "
    with wallets as (
        select account.id, account.posted, account.seq, lot.id as lot
        from credit_accounts account join credit_lots lot on lot.account_id = account.id
        join credit_transactions t on t.id = lot.transaction_id and t.scope = 'bench' and t.key like 'plenty %'
        where account.kind = 'wallet'
    ), spends as (
        select ('0190' || lpad(to_hex(seq + step), 8, '0') || '70008000' || lpad(to_hex(id), 12, '0'))::uuid as transaction,
            id, lot, posted - step as posted, seq + step as seq
        from generate_series(1, $1) step cross join wallets
    ), transactions as (
        insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, balance_after, debt_after,
            last_seq, actor, description)
        select transaction, id, 'spend', 'bench', 'fill ' || id || ' ' || seq, sha256('fill'), -1, posted, 0, seq, 'bench',
            'Used before'
        from spends
    ), entries as (
        insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq,
            balance_after)
        select transaction, 1, id, (select id from credit_accounts where code = 'consumed:app'), lot, 'posted', -1, seq, posted
        from spends
    ), lots as (
        update credit_lots set remaining = remaining - $1 from wallets where credit_lots.id = wallets.lot
    ), accounts as (
        update credit_accounts account set posted = account.posted - $1, seq = account.seq + $1
        from wallets where account.id = wallets.id returning 1
    )
    select count(*) from accounts";
