//! `atlas ledger`: whether the bookkeeping holds.

use anyhow::{Result, bail};
use atlas::Context;
use atlas::ledger::audit;
use clap::Subcommand;
use serde_json::{Value, json};

use super::OrSaid as _;
use super::print::{self, Format};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check every wallet, lot and entry against the ledger's invariants. Fails when one is broken.
    Audit {
        #[command(flatten)]
        format: Format,
    },
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    let Command::Audit { format } = command;
    let report = audit::audit(&ctx.db).await.or_said()?;
    let findings: Vec<Value> =
        report.findings.iter().map(|finding| json!({ "invariant": finding.invariant, "rows": finding.rows })).collect();
    let broken: Vec<String> = report
        .findings
        .iter()
        .map(|finding| format!("\n  broken, {} times: {}", finding.rows, finding.invariant))
        .collect();
    let sentence = format!(
        "{} wallets, {} entries: {}{}",
        report.wallets,
        report.entries,
        if broken.is_empty() { "all is well" } else { "not all is well" },
        broken.concat()
    );
    let shown = json!({ "wallets": report.wallets, "entries": report.entries, "findings": findings });
    print::one(format, &shown, &sentence)?;
    if !broken.is_empty() {
        bail!("the ledger breaks {} of its invariants", broken.len());
    }
    Ok(())
}
