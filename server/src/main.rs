//! The program `atlas`: the server and the operator's commands.

// The type of the router holds those of the pages.
#![recursion_limit = "512"]

mod assets;
mod cluster;
mod config;
mod database;
mod health;
mod layers;
mod order_events;
mod providers;
mod router;
mod seed;
mod serve;
mod session;
mod statement_file;
mod telemetry;
mod webhooks;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::cluster::WhenRunning;
use crate::config::Config;
use crate::database::Database;

/// Sells prepaid credits: checkout at Whop, a signed webhook, credits in the wallet.
#[derive(Debug, Parser)]
#[command(name = "atlas", version, after_help = config::VARIABLES)]
struct Program {
    #[command(flatten)]
    config: Config,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve pages, webhooks and the API, until SIGTERM or Ctrl-C.
    Serve,
    /// Bring the database's schema up to date, and end.
    Migrate,
    /// Add the demo's plans and accounts, and end. Never for production: the passwords are public.
    #[command(hide = true)]
    SeedDemo,
}

#[tokio::main]
async fn main() -> ExitCode {
    let program = Program::parse();
    let ended = match telemetry::start(&program.config) {
        Ok(()) => run(program).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("atlas: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(program: Program) -> anyhow::Result<()> {
    let config = program.config;
    match program.command {
        Command::Serve => serve::run(config).await,
        Command::SeedDemo => with_context(&config, async |ctx| seed::demo(&ctx).await).await,
        Command::Migrate => {
            let database = Database::open(&config, WhenRunning::Join).await?;
            database.close().await;
            println!("The schema is up to date.");
            Ok(())
        }
    }
}

/// Runs a command on the database, with the rights of the application.
async fn with_context<F>(config: &Config, command: F) -> anyhow::Result<()>
where
    F: AsyncFnOnce(atlas::Context) -> anyhow::Result<()>,
{
    let database = Database::open(config, WhenRunning::Join).await?;
    let done = async {
        let db = database.command_pool().await?;
        let whop = providers::whop(config)?;
        let ctx = atlas::Context {
            db: db.clone(),
            clock: atlas::clock::Clock::system(),
            providers: providers::all(whop.as_ref()),
            public_url: config.public_url(config.listen),
        };
        let done = command(ctx).await;
        db.close().await;
        done
    };
    let done = done.await;
    database.close().await;
    done
}
