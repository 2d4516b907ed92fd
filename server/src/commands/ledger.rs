//! `atlas ledger`: whether the bookkeeping holds, and the seals over it.

use anyhow::{Result, bail};
use atlas::Context;
use atlas::ledger::seal::{Seal, hex};
use atlas::ledger::{audit, seal};
use clap::Subcommand;
use serde_json::{Value, json};

use super::OrSaid as _;
use super::print::{self, Format};

/// Transactions under one seal.
const SEALED_AT_ONCE: i32 = 10_000;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check every wallet, lot, hold, entry and seal against the ledger's invariants. Fails when one is broken.
    Audit {
        #[command(flatten)]
        format: Format,
    },
    /// Seal what was booked and has come to rest. Keep the hash that it prints elsewhere: the next audit shows it again.
    Seal {
        #[command(flatten)]
        format: Format,
    },
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    match command {
        Command::Audit { format } => check(ctx, format).await,
        Command::Seal { format } => seal_all(ctx, format).await,
    }
}

async fn check(ctx: &Context, format: Format) -> Result<()> {
    let report = audit::audit(&ctx.db).await.or_said()?;
    let findings: Vec<Value> =
        report.findings.iter().map(|finding| json!({ "invariant": finding.invariant, "rows": finding.rows })).collect();
    let broken: Vec<String> = report
        .findings
        .iter()
        .map(|finding| format!("\n  broken, {} times: {}", finding.rows, finding.invariant))
        .collect();
    let sentence = format!(
        "{} wallets, {} entries: {}{}\n{}, {} transactions not sealed yet",
        report.wallets,
        report.entries,
        if broken.is_empty() { "all is well" } else { "not all is well" },
        broken.concat(),
        told(report.sealed.as_ref()),
        report.unsealed,
    );
    let shown = json!({
        "wallets": report.wallets,
        "entries": report.entries,
        "findings": findings,
        "seal": report.sealed.as_ref().map(described),
        "unsealed": report.unsealed,
    });
    print::one(format, &shown, &sentence)?;
    if !broken.is_empty() {
        bail!("the ledger breaks {} of its invariants", broken.len());
    }
    Ok(())
}

async fn seal_all(ctx: &Context, format: Format) -> Result<()> {
    while seal::seal(&ctx.db, SEALED_AT_ONCE).await.or_said()?.is_some() {}
    let last = seal::last(&ctx.db).await.or_said()?;
    print::one(format, &json!({ "seal": last.as_ref().map(described) }), &told(last.as_ref()))
}

fn described(seal: &Seal) -> Value {
    json!({ "number": seal.number, "hash": hex(&seal.hash) })
}

fn told(seal: Option<&Seal>) -> String {
    seal.map_or_else(|| "no seal yet".to_owned(), |seal| format!("seal {} {}", seal.number, hex(&seal.hash)))
}
