//! The program `atlas`: the server and the operator's commands.

mod assets;
mod cluster;
mod config;
mod database;
mod health;
mod layers;
mod router;
mod serve;
mod session;
mod telemetry;

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
        Command::Migrate => {
            let database = Database::open(&config, WhenRunning::Join).await?;
            database.close().await;
            println!("The schema is up to date.");
            Ok(())
        }
    }
}
