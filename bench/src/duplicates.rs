//! The same event many times at once: however often it comes, it is one grant.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::figures::{Rate, milliseconds, percentile};
use crate::load;
use crate::report::Table;
use crate::scene::{self, Order};
use crate::stand::Stand;
use crate::webhook::{Post, STORED};

const DELIVERIES: usize = 500;
const CONNECTIONS: usize = 50;
const ROUNDS: usize = 3;
const TIME_MAX: Duration = Duration::from_mins(1);

/// Fails unless each round ends with exactly one grant.
pub async fn measure(stand: &Stand) -> Result<Table> {
    let mut table = Table::new(
        "Duplicates",
        "500 deliveries of the same signed `payment.succeeded` over 50 connections, three times, each with another \
        order. Every delivery is answered with 200, some perhaps after a 503.",
        &["round", "deliveries per second", "p99", "put off (503)", "grants"],
    );
    for round in 1..=ROUNDS {
        let order = scene::orders(&stand.owner, 1).await?.pop().context("no order")?;
        let post = Post::new(stand.atlas(), &stand.webhook_secret)?;
        let left = AtomicUsize::new(DELIVERIES);
        let paid = order.clone();
        let next = move || {
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).ok()?;
            post.paid(&paid).ok()
        };
        let answers = load::drive(stand.atlas(), CONNECTIONS, TIME_MAX, STORED, next).await?;
        if answers.times.len() != DELIVERIES {
            bail!("only {} of {DELIVERIES} deliveries were answered", answers.times.len());
        }
        let grants = granted_once(stand, &order).await?;
        let rate = Rate::of(DELIVERIES, answers.lasted);
        let p99 = milliseconds(percentile(answers.times, 99));
        println!("  round {round}: {rate} deliveries/s, p99 {p99}, {grants} grant");
        table.row([round.to_string(), rate.to_string(), p99, answers.put_off.to_string(), grants.to_string()]);
    }
    Ok(table)
}

/// One grant, one event in the inbox, and the wallet holds what was bought.
async fn granted_once(stand: &Stand, order: &Order) -> Result<i64> {
    let (_, grants) = scene::granted(&stand.owner, std::slice::from_ref(order)).await?;
    let (events, posted, bought): (i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from provider_events where order_id = $1), wallet.posted, o.credits
        from credit_orders o join credit_accounts wallet on wallet.owner_id = o.buyer_id where o.id = $1",
    )
    .bind(order.id)
    .fetch_one(&stand.owner)
    .await?;
    if grants != 1 || events != 1 || posted != bought {
        bail!("{DELIVERIES} deliveries made {grants} grants and {events} events; {posted} credits for {bought} bought");
    }
    Ok(grants)
}
