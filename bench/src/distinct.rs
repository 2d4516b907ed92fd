//! How many webhooks a second are made durable, each the payment of another order, beside PostgreSQL's own TPC-B on the
//! same cluster.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::figures::{Measured, Rate, median};
use crate::load;
use crate::report::Table;
use crate::scene;
use crate::stand::Stand;
use crate::tpcb::Tpcb;
use crate::webhook::{Post, STORED};

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 5;
/// So many copies of each, where they are repeated, and so far apart.
const COPIES: usize = 10;
const APART: usize = 100;
/// More than are delivered within a second.
const ORDERS_PER_SECOND: i64 = 3_000;

pub async fn measure(stand: &Stand, seconds: u64) -> Result<Table> {
    for (name, value) in [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on")] {
        let set = stand.setting(name).await?;
        if set != value {
            bail!("{name} is {set}: nothing would be durable");
        }
    }
    let tpcb = Tpcb::prepare(stand).await?;
    let (mut ours, mut repeated, mut theirs) = (Measured::default(), Measured::default(), vec![]);
    for round in 1..=ROUNDS {
        theirs.push(tpcb.run(seconds).await?);
        ours.add(deliver(stand, seconds, 1).await?);
        repeated.add(deliver(stand, seconds, COPIES).await?);
        let last = |rates: &[Rate]| rates.last().copied().unwrap_or_default();
        let (rate, again, reference) = (last(&ours.rates), last(&repeated.rates), last(&theirs));
        println!("  round {round}: {rate} deliveries/s, {again} /s of ten copies each, TPC-B {reference} /s");
    }
    let reference = median(theirs.iter().copied()).context("no rounds")?;
    let mut table = Table::new(
        "Distinct deliveries",
        "Signed `payment.succeeded` deliveries, each of another order and buyer, over 64 connections: answered 200 once \
        the event, the order, the payment and the credits are committed, with `fsync` and `synchronous_commit` on. Beside \
        it the same with ten copies of each delivery, and `pgbench`'s TPC-B (16 clients, scale 16) on the same cluster. \
        They take turns, five rounds; medians, and of the ratios within a round the median.",
        &["", "per second", "p50", "p99", "put off (503)", "to TPC-B"],
    );
    let none = String::new;
    table.row(ours.row("distinct deliveries", &theirs)?);
    table.row(repeated.row("nine of ten are repetitions", &theirs)?);
    table.row(["TPC-B".into(), reference.to_string(), none(), none(), none(), reference.to(reference).to_string()]);
    Ok(table)
}

/// Delivers for some seconds, `copies` times each; every one that was answered has to be granted, once.
pub async fn deliver(stand: &Stand, seconds: u64, copies: usize) -> Result<load::Answers> {
    let count = i64::try_from(seconds)? * ORDERS_PER_SECOND;
    let orders = scene::orders(&stand.owner, count).await?;
    sqlx::query("checkpoint").execute(&stand.owner).await?;
    let post = Post::new(stand.atlas(), &stand.webhook_secret)?;
    // Made and signed beforehand: it is not the senders' work that is measured.
    let messages = orders.iter().map(|order| post.paid(order)).collect::<Result<Vec<_>>>()?;
    let place = AtomicUsize::new(0);
    let next = move || {
        let place = place.fetch_add(1, Ordering::SeqCst);
        // Copies come a hundred deliveries apart.
        messages.get(place / (APART * copies) * APART + place % APART).cloned()
    };
    let answers = load::drive(stand.atlas(), CONNECTIONS, Duration::from_secs(seconds), STORED, next).await?;
    let delivered = i64::try_from(answers.times.len())?;
    if delivered == count {
        bail!("the orders ran out: {count} were too few for {seconds} s");
    }
    let (paid, grants) = scene::granted(&stand.owner, &orders).await?;
    let is_right = if copies == 1 { paid == delivered } else { paid * i64::try_from(copies)? >= delivered };
    if paid != grants || !is_right {
        bail!(
            "{delivered} deliveries of {copies} copies were answered with 200, but {paid} orders have {grants} grants"
        );
    }
    Ok(answers)
}
