//! After the storm: everything comes to rest, what was lost is found, and then the checker looks.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use sqlx::PgPool;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Plan;
use super::app::App;
use super::check::{self, Findings};
use super::scene::{COMPANY, Scene, ask};
use super::spends::{self, Spend};

/// After the last fault everything has to come to rest within this time.
const REST_MAX: Duration = Duration::from_mins(2);
const HOUR: Duration = Duration::from_hours(1);
const QUEUED_MAX: usize = 512;

/// Until every delivery was answered for good.
pub async fn settle_deliveries(delivering: &mut JoinSet<()>) -> Result<()> {
    let settled = async { while delivering.join_next().await.is_some() {} };
    let in_time = tokio::time::timeout(REST_MAX, settled).await;
    in_time.map_err(|_| anyhow!("deliveries are still not accepted {} s after the storm", REST_MAX.as_secs()))
}

pub async fn rest_and_check(
    scene: &mut Scene,
    plan: &Plan,
    journal: &mut [Spend],
    findings: &mut Findings,
) -> Result<()> {
    let began = Instant::now();
    scene.monkey.look_after_apps().await?;
    let told = spends::tell_at_last(&scene.spenders, journal).await?;
    find_lost(scene, plan).await?;
    let owner = scene.monkey.cluster.owner();
    come_to_rest(&owner).await?;
    println!(
        "{} s to rest; {} spends asked for, {told} of them unknown for a while; the provider was asked {} times",
        began.elapsed().as_secs(),
        journal.len(),
        scene.twin.knows.asked.load(Ordering::SeqCst)
    );
    let deliverer = &scene.monkey.deliverer;
    for what in deliverer.surprises() {
        findings.add("I15 no answer that nobody should get", what);
    }
    check::ledger::check(&owner, findings).await?;
    check::payments::check(&owner, &scene.world, &scene.twin.knows.payments(), COMPANY, findings).await?;
    check::inbox::check(&owner, &scene.world, deliverer, findings).await?;
    check::spends::check(&owner, journal, findings).await?;
    let mails = check::mails::check(&owner, &scene.post, findings).await?;
    check::machines::nothing_is_stuck(&owner, findings).await?;
    owner.close().await;
    let (is_fine, said) = scene.monkey.setup.run(&["ledger", "audit"]).await?;
    println!("ledger audit: {}", said.trim());
    if !is_fine {
        findings.add("I13 the ledger's own audit is clean", said);
    }
    check::machines::pages_are_sound(&scene.monkey.cluster.socket_folder(), findings).await?;
    let apps = &scene.monkey.apps;
    let memory: Vec<String> =
        apps.iter().filter_map(App::memory).map(|kilobytes| format!("{} MB", kilobytes / 1_024)).collect();
    println!(
        "{mails} mails; memory of the apps: {}; {} starts",
        memory.join(", "),
        apps.iter().map(|app| app.starts).sum::<usize>()
    );
    Ok(())
}

/// What was never delivered is found by asking the provider.
pub async fn find_lost(scene: &Scene, plan: &Plan) -> Result<()> {
    let lost: Vec<usize> = (0..scene.script.lost.len()).filter(|number| scene.script.lost[*number]).collect();
    let count = lost.len();
    let done = if plan.has_reconcile { reconcile(scene).await? } else { deliver_again(scene, plan, lost).await? };
    println!("{count} messages were never delivered; {done}");
    Ok(())
}

/// As the provider does on demand.
pub async fn deliver_again(scene: &Scene, plan: &Plan, messages: Vec<usize>) -> Result<String> {
    let count = messages.len();
    let (queue, taken) = mpsc::channel(QUEUED_MAX);
    let mut delivering = scene.monkey.deliverer.work(plan.seed + 1, taken);
    for number in messages {
        queue.send(number).await.context("nobody delivers")?;
    }
    drop(queue);
    settle_deliveries(&mut delivering).await?;
    Ok(format!("{count} were delivered in the end"))
}

/// Asks the provider about all that happened since the storm began, and applies what was missed.
pub async fn reconcile(scene: &Scene) -> Result<String> {
    let iso = |at: OffsetDateTime| at.format(&Rfc3339);
    let (from, to) = (iso(scene.world.began - HOUR)?, iso(atlas::clock::Clock::system().now())?);
    let said = ask(&scene.monkey.setup, &["reconcile", "--from", &from, "--to", &to, "--yes"]).await?;
    Ok(format!("reconcile: {}", said.trim().lines().last().unwrap_or_default()))
}

/// Until nothing waits in the inbox any more.
pub async fn come_to_rest(owner: &PgPool) -> Result<()> {
    let began = Instant::now();
    loop {
        let waiting: i64 = sqlx::query_scalar(
            "select (select count(*) from provider_events where state = 'received')
                + (select count(*) from graphile_worker.jobs where last_error is not null and attempts > 0 and not exists (
                    select from graphile_worker._private_job_retirements superseded where superseded.id = jobs.id))",
        )
        .fetch_one(owner)
        .await?;
        if waiting == 0 || began.elapsed() > REST_MAX {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
