//! Imports what was read and examined: people with their opening lots, then orders, then history. Each batch is a transaction
//! that also notes how far it came, and every row has a key that makes doing it twice the same as once.

mod history;
mod orders;
mod people;

use super::prove::{self, Proof};
use super::run::{Run, empty, long};
use crate::audit::{self, About, By, Change, What};
use crate::{Context, Error, Result};

/// What was done, or how far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    pub people: u64,
    pub lots: u64,
    pub orders: u64,
    pub transactions: u64,
}

/// How far a batch came: the place of its last row, and how many rows it wrote.
struct Batch {
    upto: i64,
    written: u64,
    lots: u64,
}

/// Imports all that is left to import, and proves that it is here. What was staged is forgotten then. `watch` is told after each
/// batch how many rows of the source it passed.
///
/// Errors: [`Error::Broken`] when what is here is not what was read; nothing is forgotten then.
pub async fn bring_in(ctx: &Context, run: &Run, by: &By<'_>, mut watch: impl FnMut(i64)) -> Result<(Done, Proof)> {
    let mut done = Done::default();
    let from = places(ctx, run).await?;
    let mut place = from.people;
    while let Some(batch) = people::batch(ctx, run, place).await? {
        watch(batch.upto - place);
        place = batch.upto;
        done.people += batch.written;
        done.lots += batch.lots;
    }
    orders::prepare(ctx).await?;
    let mut place = from.orders;
    while let Some(batch) = orders::batch(ctx, run, place).await? {
        watch(batch.upto - place);
        place = batch.upto;
        done.orders += batch.written;
    }
    let mut place = from.transactions;
    while let Some(batch) = history::batch(ctx, run, place).await? {
        watch(batch.upto - place);
        place = batch.upto;
        done.transactions += batch.written;
    }
    let proof = prove::prove(ctx).await?;
    if !proof.problems.is_empty() {
        return Err(Error::broken(proof.problems.join("; ")));
    }
    finish(ctx, run, by, done).await?;
    Ok((done, proof))
}

struct Places {
    people: i64,
    orders: i64,
    transactions: i64,
}

async fn places(ctx: &Context, run: &Run) -> Result<Places> {
    Ok(sqlx::query_as!(
        Places,
        "select people_upto as people, orders_upto as orders, transactions_upto as transactions
        from legacy_runs where id = $1",
        run.id,
    )
    .fetch_one(&ctx.db)
    .await?)
}

/// How many rows of the source an earlier import of it had passed when it ended.
pub async fn passed(ctx: &Context, run: &Run) -> Result<i64> {
    let places = places(ctx, run).await?;
    Ok(places.people + places.orders + places.transactions)
}

async fn finish(ctx: &Context, run: &Run, by: &By<'_>, done: Done) -> Result<()> {
    let mut tx = long(ctx).await?;
    empty(&mut tx).await?;
    sqlx::query!("update legacy_runs set finished_at = $2 where id = $1", run.id, ctx.now()).execute(&mut *tx).await?;
    if done != Done::default() {
        let change = Change::none()
            .noted("people", done.people)
            .noted("lots", done.lots)
            .noted("orders", done.orders)
            .noted("transactions", done.transactions);
        let id = run.id.to_string();
        let about = About::Thing { kind: "legacy_run", id: &id };
        audit::record(&mut tx, &by.did(What::LegacyImported, about).with(change)).await?;
    }
    tx.commit().await?;
    Ok(())
}
