//! The program `atlas`: the server and the operator's commands.

// The type of the router holds those of the pages.
#![recursion_limit = "512"]
#![expect(
    deprecated,
    reason = "sqlx 0.9.0 warns in every query with a time while another crate turns its chrono support on"
)]

mod api;
mod assets;
mod cluster;
mod commands;
mod config;
mod csp_reports;
mod database;
mod doctor;
mod embed;
mod encryption;
mod export_file;
mod health;
mod layers;
mod meter;
mod order_events;
mod orders_file;
mod post;
mod providers;
mod redraw;
mod rights;
mod router;
mod seed;
mod serve;
mod session;
mod set_up;
mod statement_file;
mod telemetry;
mod webhooks;
mod whop_sign_in;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::print::Format;
use crate::config::Config;

/// A page is thousands of small strings; with glibc's allocator they took a quarter of the time that drawing one takes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    /// Look at everything that Atlas needs, say what is wrong, and how to mend it. Fails when something is bad.
    Doctor {
        #[command(flatten)]
        format: Format,
    },
    /// Print the description of the JSON routes (OpenAPI): docs/openapi.json.
    Openapi,
    #[command(flatten)]
    Operate(commands::Command),
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
    match program.command {
        Command::Serve => serve::run(program.config).await,
        Command::Doctor { format } => doctor::run(&program.config, format).await,
        Command::Openapi => commands::print::line(api::openapi::TEXT.trim_end()),
        Command::Operate(command) => commands::run(&program.config, command).await,
    }
}
