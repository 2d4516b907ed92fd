//! The storm: two processes of Atlas behind a proxy, PostgreSQL with a synchronous standby behind another, a provider
//! that delivers twice, late, out of order and never, applications that spend, and a monkey with a seed. Afterwards the
//! journals are held against the database. A run that found something names its seed, and the seed makes it again.

mod app;
mod check;
mod cluster;
mod deliver;
mod dice;
mod drill;
mod model;
mod monkey;
mod orders;
mod planted;
mod post;
mod proxy;
mod rest;
mod scene;
mod script;
pub mod spends;
mod storm;
mod twin;
mod world;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::ValueEnum;

pub use self::app::resident;
pub use self::deliver::client;
use self::monkey::Counts;
use self::planted::Bug;

#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// How much of everything.
    #[arg(long, default_value = "ci")]
    level: Level,
    /// Makes the same storm again [default: by the clock]
    #[arg(long)]
    seed: Option<u64>,
    #[arg(long)]
    deliveries: Option<usize>,
    #[arg(long)]
    payments: Option<usize>,
    /// How often an app is killed.
    #[arg(long)]
    kills: Option<usize>,
    /// How often the database is restarted in the middle of its work.
    #[arg(long)]
    restarts: Option<usize>,
    /// How often the primary dies and the standby takes over.
    #[arg(long)]
    failovers: Option<usize>,
    /// How long the storm itself is to take.
    #[arg(long, value_name = "SECONDS")]
    storm: Option<u64>,
    /// Nobody spends.
    #[arg(long)]
    without_spends: bool,
    /// What was never delivered is delivered in the end, instead of found by `atlas reconcile`.
    #[arg(long)]
    without_reconcile: bool,
    /// Check the checker: run with a planted bug, or with each of them, which all have to be caught.
    #[arg(long, value_name = "BUG", num_args = 0..=1, default_missing_value = "all")]
    planted: Option<String>,
    /// The restore drill instead: a backup, a storm, the loss of every server, and the same end.
    #[arg(long)]
    drill: bool,
    /// Leave the folder with logs and database.
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    Ci,
    Weekly,
}

/// One storm, with all its numbers.
#[derive(Debug, Clone)]
struct Plan {
    seed: u64,
    deliveries: usize,
    payments: usize,
    counts: Counts,
    lasts: Duration,
    freeze_ms: (u64, u64),
    outage: Duration,
    has_spends: bool,
    has_reconcile: bool,
    bug: Option<Bug>,
    keep: bool,
}

impl Plan {
    fn new(args: &Args) -> Self {
        let seed = args.seed.unwrap_or_else(|| {
            let now = atlas::clock::Clock::system().now().unix_timestamp();
            now.unsigned_abs() % 1_000_000
        });
        let (deliveries, payments, counts, seconds, freeze_ms, outage) = match args.level {
            Level::Ci => {
                (20_000, 8_000, Counts { kills: 10, restarts: 3, failovers: 1, others: 3 }, 110, (2_000, 4_000), 4)
            }
            Level::Weekly => (
                300_000,
                100_000,
                Counts { kills: 60, restarts: 15, failovers: 10, others: 12 },
                1_320,
                (2_000, 15_000),
                30,
            ),
        };
        let counts = Counts {
            kills: args.kills.unwrap_or(counts.kills),
            restarts: args.restarts.unwrap_or(counts.restarts),
            failovers: args.failovers.unwrap_or(counts.failovers),
            others: counts.others,
        };
        Self {
            seed,
            deliveries: args.deliveries.unwrap_or(deliveries),
            payments: args.payments.unwrap_or(payments),
            counts,
            lasts: Duration::from_secs(args.storm.unwrap_or(seconds)),
            freeze_ms,
            outage: Duration::from_secs(outage),
            has_spends: !args.without_spends,
            has_reconcile: !args.without_reconcile,
            bug: None,
            keep: args.keep,
        }
    }
}

/// Fails when anything was found; with planted bugs, when one was not.
pub async fn run(atlas: &Path, args: Args) -> Result<()> {
    let plan = Plan::new(&args);
    if let Some(wanted) = &args.planted {
        return Box::pin(planted::run(atlas, &plan, planted::wanted(wanted)?)).await;
    }
    if args.drill {
        println!("seed {}", plan.seed);
        return drill::run(atlas, &plan).await;
    }
    let began = Instant::now();
    println!("seed {}", plan.seed);
    let findings = storm::weather(atlas, &plan).await?;
    println!("{} s in all", began.elapsed().as_secs());
    if findings.is_empty() {
        println!("no violation");
        return Ok(());
    }
    println!("\nviolations with seed {}:\n{findings}", plan.seed);
    bail!("{} invariants are broken; again with --seed {}", findings.broken().len(), plan.seed)
}
