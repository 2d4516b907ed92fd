//! `atlas job`: work that waits or was given up.

use anyhow::{Result, bail};
use atlas::Context;
use atlas::jobs::list;
use clap::Subcommand;
use serde_json::{Value, json};

use super::OrSaid as _;
use super::print::{self, Format};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The jobs that are not done: parked ones first, then by when they are due.
    List {
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
        #[command(flatten)]
        format: Format,
    },
    /// Try a parked job again, once its cause is mended.
    Retry {
        /// Its id, as `atlas job list` shows it.
        id: i64,
        #[command(flatten)]
        format: Format,
    },
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    match command {
        Command::List { limit, format } => {
            let rows = list::list(&ctx.db, limit).await.or_said()?.iter().map(row).collect();
            let columns = [
                ("ID", "id"),
                ("STATE", "state"),
                ("KIND", "kind"),
                ("TRIES", "tries"),
                ("DUE", "run_at"),
                ("ERROR", "error"),
            ];
            print::table(format, &columns, rows)
        }
        Command::Retry { id, format } => {
            match list::retry(&ctx.db, id).await {
                Err(atlas::Error::NotFound) => bail!("there is no job {id}, or a process is just at it"),
                retried => retried.or_said()?,
            }
            print::one(format, &json!({ "id": id }), "It is tried again at once, by the running server.")
        }
    }
}

fn row(job: &list::Waiting) -> Value {
    json!({
        "id": job.id, "state": job.state.as_str(), "kind": job.kind, "tries": job.tries, "error": job.error,
        "run_at": super::instant(job.run_at), "created_at": super::instant(job.created_at),
    })
}
