//! Half of what it can do, for a long time: whether memory stays where it is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::figures::{Rate, Ratio, milliseconds, percentile};
use crate::load;
use crate::report::Table;
use crate::scene;
use crate::spends::{ANSWERED, CONNECTIONS, Till};
use crate::stand::Stand;
use crate::webhook::{Post, STORED};
use crate::{chaos, distinct};

const WALLETS: i64 = 1_000;
/// Orders are written down for so long at once.
const SPELL: Duration = Duration::from_mins(1);
/// Caches and pools fill up first; what is measured is what comes after it.
const WARM_UP: Duration = Duration::from_mins(3);
const GROWTH_MAX: Ratio = Ratio::thousandths(1_050);
const SAMPLE_EVERY: Duration = Duration::from_secs(10);

pub async fn measure(stand: &Stand, minutes: u64) -> Result<Table> {
    let till = Till::open(stand).await?;
    let people = scene::wallets(&stand.owner, WALLETS).await?;
    let spends = till.spend(stand, &people, 10).await?.rate();
    let deliveries = distinct::deliver(stand, 10, 1).await?.rate();
    println!(
        "  at full load: {spends} spends/s or {deliveries} deliveries/s; from now on a quarter of each, both at once"
    );
    let process = stand.atlas_process().context("no process")?;
    let lasts = Duration::from_secs(minutes * 60);
    let began = Instant::now();
    let mut samples = Vec::new();
    let mut times = (Vec::new(), Vec::new());
    while began.elapsed() < lasts {
        let spell = SPELL.min(lasts.saturating_sub(began.elapsed()));
        let (spent, delivered) = tokio::try_join!(
            spend(&till, stand, &people, every(spends), spell),
            deliver(stand, every(deliveries), spell),
            sample(process, began, spell, &mut samples),
        )
        .map(|(spent, delivered, ())| (spent, delivered))?;
        times.0.extend(spent.times);
        times.1.extend(delivered.times);
        let (_, kilobytes) = samples.last().copied().unwrap_or_default();
        println!("  {:>2} min: {} MB", began.elapsed().as_secs() / 60, kilobytes / 1_024);
    }
    table(minutes, &samples, times)
}

/// How often each connection sends, for a quarter of this rate over all.
fn every(rate: Rate) -> Duration {
    rate.interval().saturating_mul(4 * u32::try_from(CONNECTIONS).unwrap_or(1))
}

async fn spend(
    till: &Till,
    stand: &Stand,
    people: &[domain::PersonId],
    every: Duration,
    lasts: Duration,
) -> Result<load::Answers> {
    let (till, people) = (till.clone(), people.to_vec());
    let next = move || till.request(&people).ok();
    load::drive_at(Some(every), stand.atlas(), CONNECTIONS, lasts, ANSWERED, next).await
}

async fn deliver(stand: &Stand, every: Duration, lasts: Duration) -> Result<load::Answers> {
    let wanted = lasts.as_millis() * CONNECTIONS as u128 / every.as_millis().max(1) + CONNECTIONS as u128;
    let orders = scene::orders(&stand.owner, i64::try_from(wanted)?).await?;
    let post = Post::new(stand.atlas(), &stand.webhook_secret)?;
    let place = AtomicUsize::new(0);
    let next = move || post.paid(orders.get(place.fetch_add(1, Ordering::SeqCst))?).ok();
    load::drive_at(Some(every), stand.atlas(), CONNECTIONS, lasts, STORED, next).await
}

async fn sample(process: u32, began: Instant, lasts: Duration, samples: &mut Vec<(Duration, u64)>) -> Result<()> {
    let until = Instant::now() + lasts;
    while Instant::now() < until {
        let kilobytes = chaos::resident(process).context("the process is gone")?;
        samples.push((began.elapsed(), kilobytes));
        tokio::time::sleep(SAMPLE_EVERY.min(until.saturating_duration_since(Instant::now()))).await;
    }
    Ok(())
}

fn table(minutes: u64, samples: &[(Duration, u64)], times: (Vec<Duration>, Vec<Duration>)) -> Result<Table> {
    let measured: Vec<u64> = samples.iter().filter(|(at, _)| *at >= WARM_UP).map(|(_, kilobytes)| *kilobytes).collect();
    let part = measured.len() / 5;
    if part == 0 {
        bail!("too short: the first {} minutes are not counted", WARM_UP.as_secs() / 60);
    }
    let mean = |part: &[u64]| part.iter().sum::<u64>() / part.len().max(1) as u64;
    let (early, late) = (mean(&measured[..part]), mean(&measured[measured.len() - part..]));
    let growth = Ratio::thousandths(late * 1_000 / early.max(1));
    let mut table = Table::new(
        "Soak",
        "Half load: spends and deliveries at once, each at a quarter of what it reaches alone. Resident memory of the \
        process every ten seconds; the first three minutes are not counted, and of the rest the first fifth is compared \
        with the last.",
        &["minutes", "spends", "p99", "deliveries", "p99", "memory early", "memory late", "growth"],
    );
    let p99 = |times: Vec<Duration>| milliseconds(percentile(times, 99));
    let (spends, deliveries) = (times.0.len().to_string(), times.1.len().to_string());
    let megabytes = |kilobytes: u64| format!("{} MB", kilobytes / 1_024);
    table.row([
        minutes.to_string(),
        spends,
        p99(times.0),
        deliveries,
        p99(times.1),
        megabytes(early),
        megabytes(late),
        growth.to_string(),
    ]);
    if growth > GROWTH_MAX {
        bail!("memory grew from {early} to {late} kB: {growth}");
    }
    Ok(table)
}
