//! `bench`: what Atlas does within a second, as ratios to something simpler on the same machine. It starts what it
//! measures, and fails when what was measured is wrong.

mod chaos;
mod desk;
mod distinct;
mod duplicates;
mod figures;
mod flat;
mod holds;
mod legacy;
mod load;
mod pages;
mod processor;
mod programs;
mod reference;
mod report;
mod scene;
mod sign_in;
mod soak;
mod spends;
mod stand;
mod tpcb;
mod visible;
mod webhook;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::stand::Stand;

/// Measures Atlas. Without a command: everything, written to docs/benchmarks.md.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Program {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    programs: programs::Args,
    /// How long each round takes.
    #[arg(long, global = true, default_value_t = 8, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A signed-in /credits, beside a bare route and a `select 1`.
    Pages,
    /// 500 deliveries of one event: one grant.
    Duplicates,
    /// Deliveries of distinct events, beside pgbench's TPC-B.
    Distinct,
    /// Spends over many wallets and on one, beside pgbench's TPC-B.
    Spends,
    /// Reserving and capturing, beside pgbench's TPC-B.
    Holds,
    /// From a delivery to the page that shows its credits.
    Visible,
    /// The cost of an operation at 10,000 and at 5,000,000 entries.
    Flat,
    /// The pages of those who look after Atlas, with 1,000,000 orders and 5,000,000 entries.
    Desk,
    /// Half load for a long time: memory must not grow.
    Soak {
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=600))]
        minutes: u64,
    },
    /// Whether the time of a refused sign-in tells who has an account.
    SignIn,
    /// The storm: faults of every kind under load, and then every invariant checked.
    Chaos(chaos::Args),
    /// Make up an old database to import, with damage of every kind: CSV, a dump, and planted.json with what was planted.
    Legacy {
        #[arg(long, default_value_t = 100_000)]
        profiles: usize,
        #[arg(long, default_value_t = 1_000_000)]
        transactions: usize,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(long, value_name = "FOLDER")]
        out: std::path::PathBuf,
    },
    /// Only start everything, for a profiler: Ctrl-C ends it.
    Stand,
    /// The server to compare with.
    #[command(hide = true)]
    Reference(reference::Args),
}

#[tokio::main]
async fn main() -> Result<()> {
    let program = Program::parse();
    if let Some(Command::Reference(args)) = program.command {
        return reference::serve(args).await;
    }
    if let Some(Command::Legacy { profiles, transactions, seed, out }) = program.command {
        let planted = legacy::make(legacy::Wish { profiles, transactions, seed }, &out)?;
        let told: serde_json::Map<_, _> =
            planted.into_iter().map(|(kind, rows)| (kind.to_owned(), rows.into())).collect();
        return Ok(std::fs::write(out.join("planted.json"), serde_json::to_vec_pretty(&told)?)?);
    }
    if let Some(Command::Chaos(args)) = program.command {
        let atlas = programs::atlas(program.programs).await?;
        return tokio::select! {
            stormed = chaos::run(&atlas, args) => stormed,
            ended = interrupted() => ended,
        };
    }
    let programs = programs::prepare(program.programs).await?;
    let stand = Stand::start(programs).await?;
    let measured = tokio::select! {
        measured = measure(&stand, program.command, program.seconds) => measured,
        ended = interrupted() => ended,
    };
    stand.stop().await?;
    measured
}

async fn interrupted() -> Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    bail!("interrupted")
}

async fn measure(stand: &Stand, command: Option<Command>, seconds: u64) -> Result<()> {
    let table = match command {
        Some(Command::Pages) => pages::measure(stand, seconds).await?,
        Some(Command::Duplicates) => duplicates::measure(stand).await?,
        Some(Command::Distinct) => distinct::measure(stand, seconds).await?,
        Some(Command::Spends) => spends::measure(stand, seconds).await?,
        Some(Command::Holds) => holds::measure(stand, seconds).await?,
        Some(Command::Visible) => visible::measure(stand).await?,
        Some(Command::Flat) => flat::measure(stand, seconds).await?,
        Some(Command::Desk) => desk::measure(stand).await?,
        Some(Command::Soak { minutes }) => soak::measure(stand, minutes).await?,
        Some(Command::SignIn) => sign_in::measure(stand).await?,
        Some(Command::Stand | Command::Reference(_) | Command::Chaos(_) | Command::Legacy { .. }) => {
            return wait(stand).await;
        }
        None => return everything(stand, seconds).await,
    };
    audit(stand).await?;
    println!("\n{table}");
    Ok(())
}

async fn everything(stand: &Stand, seconds: u64) -> Result<()> {
    println!("pages");
    let pages = pages::measure(stand, seconds).await?;
    println!("duplicates");
    let duplicates = duplicates::measure(stand).await?;
    println!("distinct deliveries");
    let distinct = distinct::measure(stand, seconds).await?;
    println!("spends");
    let spends = spends::measure(stand, seconds).await?;
    println!("reserve and capture");
    let holds = holds::measure(stand, seconds).await?;
    println!("delivery to visible credit");
    let visible = visible::measure(stand).await?;
    audit(stand).await?;
    let document = report::document(stand, &[pages, duplicates, distinct, spends, holds, visible]).await?;
    println!("\n{document}");
    let file = std::path::Path::new(programs::ROOT).join("docs/benchmarks.md");
    std::fs::write(&file, document).with_context(|| format!("writing {}", file.display()))
}

/// Whatever was done to it: the ledger still has to add up.
async fn audit(stand: &Stand) -> Result<()> {
    let said = stand.run_atlas(&["ledger", "audit"]).await.context("the ledger does not add up")?;
    println!("ledger audit: {}", said.trim());
    Ok(())
}

async fn wait(stand: &Stand) -> Result<()> {
    scene::live_through(&stand.owner).await?;
    println!("Atlas     http://{}  process {}", stand.atlas(), stand.atlas_process().unwrap_or_default());
    println!("reference http://{}", stand.reference());
    println!("database  psql -h {} -U {}", stand.socket.display(), stand::OWNER);
    println!("cookie    {}", pages::sign_in(stand).await?);
    std::future::pending().await
}
