//! One storm from the first server's start to the last check.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Plan;
use super::app::App;
use super::check::{self, Findings};
use super::dice::Dice;
use super::monkey;
use super::orders::Desk;
use super::rest::{rest_and_check, settle_deliveries};
use super::scene::{self, Scene};
use super::script::Step;
use super::spends::{self, Spend};
use super::twin::Twin;
use super::world::World;

const SNAPSHOT_EVERY: Duration = Duration::from_secs(10);
const QUEUED_MAX: usize = 512;
/// What a move of the monkey's takes by itself, on average.
const MOVE: Duration = Duration::from_millis(1_500);
const GAP_MIN: Duration = Duration::from_millis(500);

/// Everything from the start to the last check. What was found; an error when the storm itself could not be made.
pub async fn weather(atlas: &Path, plan: &Plan) -> Result<Findings> {
    let folder = scene::folder(plan.seed)?;
    let found = match scene::make(atlas, plan, &folder).await {
        Ok(scene) => rage_and_check(scene, plan).await,
        Err(error) => Err(error),
    };
    let is_odd = found.as_ref().map_or(true, |findings| findings.is_empty() == plan.bug.is_some());
    if plan.keep || is_odd {
        println!("logs and database are left in {}", folder.display());
    } else {
        fs::remove_dir_all(&folder).context("clearing the folder away")?;
    }
    found
}

async fn rage_and_check(mut scene: Scene, plan: &Plan) -> Result<Findings> {
    let mut findings = Findings::default();
    let checked = match rage(&mut scene, plan, &mut findings).await {
        Ok(_) if !findings.is_empty() => Ok(()),
        Ok(mut journal) => rest_and_check(&mut scene, plan, &mut journal, &mut findings).await,
        Err(error) => Err(error),
    };
    // Not getting through at all is a finding, too.
    if let Err(error) = checked {
        findings.add("I14 everything comes to rest", format!("{error:#}"));
    }
    for what in std::mem::take(&mut scene.monkey.findings) {
        findings.add("I14 processes obey and live", what);
    }
    scene.secrets.push(scene.monkey.setup.secret.clone());
    let logs: Vec<&Path> = scene.monkey.apps.iter().map(App::log).collect();
    check::machines::logs_are_clean(&logs, &scene.secrets, &mut findings)?;
    for app in &mut scene.monkey.apps {
        app.kill().await?;
    }
    // What does not stop is killed when the scene ends.
    if let Err(error) = scene.monkey.cluster.stop().await {
        println!("a server did not stop: {error:#}");
    }
    Ok(findings)
}

/// The storm itself: the journals of the spenders.
async fn rage(scene: &mut Scene, plan: &Plan, findings: &mut Findings) -> Result<Vec<Spend>> {
    let began = Instant::now();
    let moves = monkey::schedule(plan.counts, &mut Dice::new(plan.seed, 4));
    let gap = share(plan.lasts, moves.len()).saturating_sub(MOVE).max(GAP_MIN);
    let stop = Arc::new(AtomicBool::new(false));
    let mut spending = spends::run(plan.seed, &scene.spenders, &scene.world.buyers, &stop);
    let (queue, taken) = mpsc::channel(QUEUED_MAX);
    let deliverer = Arc::clone(&scene.monkey.deliverer);
    let mut delivering = deliverer.work(plan.seed, taken);
    let mut desk = Desk::new(scene.monkey.database.address);
    let pace = share(plan.lasts, scene.script.steps.len());
    let snapshots = Desk::new(scene.monkey.database.address).into_pool();
    {
        let issuing = issue(&scene.script.steps, &scene.world, &scene.twin, &mut desk, queue, pace);
        let raging = monkey::rage(&mut scene.monkey, &moves, gap, began);
        let both = async { tokio::try_join!(issuing, raging).map(drop) };
        tokio::select! {
            done = both => done?,
            () = watch(&snapshots, findings) => {}
        }
    }
    println!("{} s of storm; answers to deliveries: {}", began.elapsed().as_secs(), counted(&deliverer.statuses()));
    if findings.is_empty() {
        settle_deliveries(&mut delivering).await?;
    }
    stop.store(true, Ordering::SeqCst);
    collect(&mut spending).await
}

pub async fn collect(spending: &mut JoinSet<Vec<Spend>>) -> Result<Vec<Spend>> {
    let mut journal = Vec::new();
    while let Some(part) = spending.join_next().await {
        journal.extend(part?);
    }
    Ok(journal)
}

/// Lets happen what happens, and gives out what is to be delivered, at an even pace.
pub async fn issue(
    steps: &[Step],
    world: &World,
    twin: &Twin,
    desk: &mut Desk,
    queue: mpsc::Sender<usize>,
    pace: Duration,
) -> Result<()> {
    let began = Instant::now();
    for (place, step) in (0_u32..).zip(steps) {
        match *step {
            Step::Happens(number) => {
                let message = &world.messages[number];
                desk.see_to(&world.orders, world.payments[message.payment].order + 1).await?;
                twin.knows.happens(message);
            }
            Step::Deliver(number) => queue.send(number).await.context("nobody delivers")?,
        }
        tokio::time::sleep((pace * place).saturating_sub(began.elapsed())).await;
    }
    Ok(())
}

/// I1 to I4 every few seconds, in the middle of the storm. Ends when something is found.
async fn watch(owner: &PgPool, findings: &mut Findings) {
    loop {
        tokio::time::sleep(SNAPSHOT_EVERY).await;
        // While the database is away there is nothing to see.
        let _ = check::ledger::check(owner, findings).await;
        if !findings.is_empty() {
            return;
        }
    }
}

pub fn share(of: Duration, parts: usize) -> Duration {
    of / u32::try_from(parts.max(1)).unwrap_or(u32::MAX)
}

fn counted(statuses: &BTreeMap<u16, u64>) -> String {
    let words: Vec<String> = statuses
        .iter()
        .map(|(status, count)| if *status == 0 { format!("{count} none") } else { format!("{count} times {status}") })
        .collect();
    words.join(", ")
}
