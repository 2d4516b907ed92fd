//! How many webhooks a second are made durable, each the payment of another order, beside PostgreSQL's own TPC-B on the
//! same cluster.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::figures::{Rate, median, milliseconds, percentile};
use crate::load;
use crate::report::Table;
use crate::scene;
use crate::stand::Stand;
use crate::tpcb::Tpcb;
use crate::webhook::{Post, STORED};

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 3;
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
    let (mut ours, mut theirs, mut times, mut put_off) = (vec![], vec![], vec![], 0);
    for round in 1..=ROUNDS {
        let reference = tpcb.run(seconds).await?;
        let (rate, answers) = deliver(stand, seconds).await?;
        println!("  round {round}: {rate} deliveries/s, TPC-B {reference} /s");
        ours.push(rate);
        theirs.push(reference);
        times.extend(answers.times);
        put_off += answers.put_off;
    }
    let (rate, reference) = (median(ours).context("no rounds")?, median(theirs).context("no rounds")?);
    let mut table = Table::new(
        "Distinct deliveries",
        "Signed `payment.succeeded` deliveries, each of another order and buyer, over 64 connections: answered 200 once \
        the event, the order, the payment and the credits are committed, with `fsync` and `synchronous_commit` on. Beside \
        it `pgbench`'s TPC-B (16 clients, scale 16) on the same cluster. They take turns, three rounds; medians.",
        &["", "per second", "p50", "p99", "put off (503)", "deliveries to this"],
    );
    let (p50, p99) = (milliseconds(percentile(times.clone(), 50)), milliseconds(percentile(times, 99)));
    let none = String::new;
    table.row(["deliveries".into(), rate.to_string(), p50, p99, put_off.to_string(), rate.to(rate).to_string()]);
    table.row(["TPC-B".into(), reference.to_string(), none(), none(), none(), rate.to(reference).to_string()]);
    Ok(table)
}

/// Delivers for some seconds; every one that was answered has to be granted, once.
pub async fn deliver(stand: &Stand, seconds: u64) -> Result<(Rate, load::Answers)> {
    let count = i64::try_from(seconds)? * ORDERS_PER_SECOND;
    let orders = scene::orders(&stand.owner, count).await?;
    sqlx::query("checkpoint").execute(&stand.owner).await?;
    let post = Post::new(stand.atlas(), &stand.webhook_secret)?;
    let (place, waiting) = (AtomicUsize::new(0), orders.clone());
    let next = move || post.paid(waiting.get(place.fetch_add(1, Ordering::SeqCst))?).ok();
    let answers = load::drive(stand.atlas(), CONNECTIONS, Duration::from_secs(seconds), STORED, next).await?;
    let delivered = i64::try_from(answers.times.len())?;
    if delivered == count {
        bail!("the orders ran out: {count} were too few for {seconds} s");
    }
    let (paid, grants) = scene::granted(&stand.owner, &orders).await?;
    if (paid, grants) != (delivered, delivered) {
        bail!("{delivered} deliveries were answered with 200, but {paid} orders have {grants} grants");
    }
    Ok((Rate::of(answers.times.len(), answers.lasted), answers))
}
