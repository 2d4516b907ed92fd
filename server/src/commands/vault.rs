//! `atlas vault`: what lies sealed in the database.

use anyhow::{Result, bail};
use atlas::Context;
use atlas::vault::rotate::{Rotated, rotate};
use clap::Subcommand;
use serde_json::{Value, json};

use super::OrSaid as _;
use super::print::{self, Format};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Seal everything anew with the first encryption key, after which the others can go.
    Rotate {
        #[command(flatten)]
        format: Format,
    },
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    let Command::Rotate { format } = command;
    if !ctx.vault.has_keys() {
        bail!("ATLAS_ENCRYPTION_KEYS is missing");
    }
    let done = rotate(ctx).await.or_said()?;
    print::table(
        format,
        &[("TABLE", "table"), ("COLUMN", "column"), ("SEALED ANEW", "rows"), ("DO NOT OPEN", "unreadable")],
        done.iter().map(row).collect(),
    )?;
    if done.iter().any(|column| column.unreadable > 0) {
        bail!("some values do not open with any key given; they were left as they are (the log names their rows)");
    }
    Ok(())
}

fn row(done: &Rotated) -> Value {
    json!({ "table": done.table, "column": done.column, "rows": done.rows, "unreadable": done.unreadable })
}
