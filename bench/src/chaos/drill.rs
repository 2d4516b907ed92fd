//! The restore drill: a base backup and the archive of the write-ahead log, a storm, the loss of every server, and a
//! restore to a moment in the middle of it. What the provider knows of the time since is asked for again, and the end is
//! the same as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::sync::mpsc;

use super::check::{self, Findings};
use super::dice::Dice;
use super::monkey;
use super::orders::Desk;
use super::rest::{come_to_rest, deliver_again, reconcile, settle_deliveries};
use super::scene::{self, COMPANY, Scene, ask};
use super::storm::{collect, issue, share};
use super::{Plan, spends};

const QUEUED_MAX: usize = 512;
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The schedule looks once a minute.
const ASKED_WITHIN: Duration = Duration::from_mins(4);

/// Fails unless the restored books are clean and end as the lost ones did.
pub async fn run(atlas: &Path, plan: &Plan) -> Result<()> {
    let folder = scene::folder(plan.seed)?;
    let mut scene = scene::make(atlas, plan, &folder).await?;
    let drilled = drill(&mut scene, plan, &folder).await;
    for app in &mut scene.monkey.apps {
        app.kill().await?;
    }
    drop(scene);
    if plan.keep || drilled.is_err() {
        println!("logs and databases are left in {}", folder.display());
    } else {
        fs::remove_dir_all(&folder).context("clearing the folder away")?;
    }
    drilled
}

async fn drill(scene: &mut Scene, plan: &Plan, folder: &Path) -> Result<()> {
    let archive = folder.join("archive");
    scene.monkey.cluster.archive_to(&archive).await?;
    let began = Instant::now();
    scene.monkey.cluster.back_up(&folder.join("backup")).await?;
    println!("base backup in {} ms, the log is archived to {}", began.elapsed().as_millis(), archive.display());
    // An order that is lost with its database is known to nobody: the provider's payment for it would wait for a person.
    Desk::new(scene.monkey.database.address).see_to(&scene.world.orders, scene.world.orders.len()).await?;

    let moves = monkey::schedule(plan.counts, &mut Dice::new(plan.seed, 4));
    let (before, after) = moves.split_at(moves.len() / 2);
    let half = scene.script.steps.len() / 2;
    spell(scene, plan, 0..half, before, true).await?;
    let moment = scene.monkey.cluster.now().await?;
    println!("the moment: {moment}, {}", told(&scene.monkey.cluster.owner()).await?);
    // Whatever is committed with this moment's own time belongs to the time before it.
    tokio::time::sleep(Duration::from_millis(50)).await;
    spell(scene, plan, half..scene.script.steps.len(), after, false).await?;
    println!("{}", ask_provider(scene, plan).await?);
    let owner = scene.monkey.cluster.owner();
    ask_about_open_orders(&owner).await?;
    come_to_rest(&owner).await?;
    let lived = end(&owner).await?;
    println!("the end that is lost: {}", told(&owner).await?);
    owner.close().await;

    scene.monkey.cluster.finish_archive().await?;
    for app in &mut scene.monkey.apps {
        app.kill().await?;
    }
    scene.monkey.cluster.lose_everything().await?;
    println!("both servers are dead");
    let began = Instant::now();
    scene.monkey.cluster.restore(&folder.join("backup"), &archive, &moment).await?;
    scene.monkey.lead_database();
    let owner = scene.monkey.cluster.owner();
    println!("restored to the moment in {} ms: {}", began.elapsed().as_millis(), told(&owner).await?);
    let restored = end(&owner).await?;
    if restored == lived {
        bail!("nothing was lost: the moment was no moment in the storm");
    }
    println!("ledger audit: {}", ask(&scene.monkey.setup, &["ledger", "audit"]).await?.trim());
    for app in 0..scene.monkey.apps.len() {
        scene.monkey.start(app).await?;
    }
    println!("{}", ask_provider(scene, plan).await?);
    ask_about_open_orders(&owner).await?;
    come_to_rest(&owner).await?;
    println!("ledger audit: {}", ask(&scene.monkey.setup, &["ledger", "audit"]).await?.trim());
    compare(&owner, scene, &lived).await
}

/// Payments that failed are no money, so `atlas reconcile` leaves them to the schedule by which open orders are asked about.
/// Its hours are brought forward, and waited for.
async fn ask_about_open_orders(owner: &PgPool) -> Result<()> {
    const OPEN: &str = "state in ('opened', 'processing', 'failed') and checkout_id is not null and next_ask_at";
    sqlx::query(AssertSqlSafe(format!("update credit_orders set next_ask_at = now() where {OPEN} > now()")))
        .execute(owner)
        .await?;
    let asked = async {
        loop {
            let due: i64 =
                sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from credit_orders where {OPEN} <= now()")))
                    .fetch_one(owner)
                    .await?;
            if due == 0 {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(ASKED_WITHIN, asked).await.context("open orders were not asked about")?
}

/// A part of the storm, up to its last answer. Who spends does so only before the moment: nobody but the database knows
/// of a spend.
async fn spell(
    scene: &mut Scene,
    plan: &Plan,
    steps: std::ops::Range<usize>,
    moves: &[monkey::Move],
    has_spends: bool,
) -> Result<()> {
    let began = Instant::now();
    let stop = Arc::new(AtomicBool::new(false));
    let spenders = if has_spends { scene.spenders.as_slice() } else { &[] };
    let mut spending = spends::run(plan.seed, spenders, &scene.world.buyers, &stop);
    let (queue, taken) = mpsc::channel(QUEUED_MAX);
    let mut delivering = scene.monkey.deliverer.work(plan.seed, taken);
    let mut desk = Desk::new(scene.monkey.database.address);
    let pace = share(plan.lasts, scene.script.steps.len());
    let gap = share(plan.lasts, 2 * moves.len().max(1));
    let issuing = issue(&scene.script.steps[steps], &scene.world, &scene.twin, &mut desk, queue, pace);
    let raging = monkey::rage(&mut scene.monkey, moves, gap, began);
    tokio::try_join!(issuing, raging)?;
    settle_deliveries(&mut delivering).await?;
    stop.store(true, Ordering::SeqCst);
    let journal = collect(&mut spending).await?;
    println!("{} s of storm, {} spends", began.elapsed().as_secs(), journal.len());
    Ok(())
}

/// Of each payment: granted, taken back, frozen. And each order's state. Payments that failed beside one that settled their order
/// are left out: they are no money, and nobody asks about that order again.
type End = BTreeMap<String, String>;

async fn end(owner: &PgPool) -> Result<End> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "select p.payment_id, format('%s %s %s refunded %s granted %s taken %s', o.state, p.state, p.amount_minor,
            p.refunded_minor, (select count(*) || ' of ' || coalesce(sum(net - debt_change), 0) from credit_transactions t
                where t.kind in ('grant', 'bonus') and t.provider = p.provider and t.payment_id = p.payment_id),
            (select coalesce(sum(debt_change - net), 0) from credit_transactions t
                where t.kind in ('clawback', 'reinstate') and t.provider = p.provider and t.payment_id = p.payment_id))
        from payments p join credit_orders o on o.id = p.order_id
        where p.state = 'succeeded' or o.state in ('opened', 'processing', 'failed', 'expired')",
    )
    .fetch_all(owner)
    .await?;
    let wallets: Vec<(String, String)> = sqlx::query_as(
        "select 'wallet of ' || owner_id, (posted - debt)::text from credit_accounts where kind = 'wallet'",
    )
    .fetch_all(owner)
    .await?;
    Ok(rows.into_iter().chain(wallets).collect())
}

async fn told(owner: &PgPool) -> Result<String> {
    Ok(sqlx::query_scalar(
        "select format('%s payments, %s grants, %s taken back, %s spends',
            (select count(*) from payments), count(*) filter (where kind = 'grant'),
            count(*) filter (where kind in ('clawback', 'reinstate')), count(*) filter (where kind = 'spend'))
        from credit_transactions",
    )
    .fetch_one(owner)
    .await?)
}

async fn compare(owner: &PgPool, scene: &Scene, lived: &End) -> Result<()> {
    let again = end(owner).await?;
    let mut findings = Findings::default();
    for (what, state) in lived {
        let now = again.get(what).map_or("gone", String::as_str);
        if now != state {
            findings.add("the same end", format!("{what}: {state}, and now {now}"));
        }
    }
    check::ledger::check(owner, &mut findings).await?;
    check::payments::check(owner, &scene.world, &scene.twin.knows.payments(), COMPANY, &mut findings).await?;
    if findings.is_empty() {
        println!("the end is the same: {} payments and wallets agree, {}", lived.len(), told(owner).await?);
        return Ok(());
    }
    bail!("the end is another:\n{findings}")
}

/// All that the provider knows: by asking it, or by having it deliver everything again.
async fn ask_provider(scene: &Scene, plan: &Plan) -> Result<String> {
    if plan.has_reconcile {
        return reconcile(scene).await;
    }
    deliver_again(scene, plan, (0..scene.world.messages.len()).collect()).await
}
