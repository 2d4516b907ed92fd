//! `atlas audit`: who did what, and whether the chain of entries holds.

use std::io::Write as _;

use anyhow::{Result, bail};
use atlas::Context;
use atlas::audit::list::{Entry, Filter, PAGE, after, newest};
use atlas::audit::{What, export, verify};
use atlas::people::find;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::json;
use time::OffsetDateTime;

use super::OrSaid as _;
use super::print::{self, Format};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The newest entries.
    List {
        #[command(flatten)]
        which: Which,
        /// At most 1000.
        #[arg(long, default_value_t = 50)]
        limit: i64,
        #[command(flatten)]
        format: Format,
    },
    /// Check that no entry was changed, removed or slipped in. Fails when one was.
    Verify {
        /// An entry noted down before, with --hash: whether it is still the same.
        #[arg(long, requires = "hash")]
        number: Option<i64>,
        #[arg(long, requires = "number")]
        hash: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// All entries, oldest first: a line of JSON each, or CSV.
    Export {
        #[command(flatten)]
        which: Which,
        #[arg(long, conflicts_with = "csv", required_unless_present = "csv")]
        json: bool,
        #[arg(long)]
        csv: bool,
    },
}

/// Which entries.
#[derive(Debug, Args)]
pub struct Which {
    /// What this person did, what was done about them, and what was tried with this address.
    #[arg(long, value_name = "EMAIL")]
    person: Option<String>,
    /// Only deeds of this kind.
    #[arg(long, value_parser = PossibleValuesParser::new(What::ALL.iter().map(|what| what.as_str())), hide_possible_values = true)]
    deed: Option<String>,
    /// From this time on: 2026-11-21T02:00:00Z
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    since: Option<OffsetDateTime>,
    /// Before this time.
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    until: Option<OffsetDateTime>,
}

impl Which {
    async fn filter(&self, ctx: &Context) -> Result<Filter> {
        let person = match &self.person {
            Some(email) => find(&ctx.db, email).await.or_said()?,
            None => None,
        };
        Ok(Filter {
            person,
            address: self.person.clone(),
            deed: self.deed.clone(),
            since: self.since,
            until: self.until,
        })
    }
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    match command {
        Command::List { which, limit, format } => {
            let entries = newest(&ctx.db, &which.filter(ctx).await?, limit).await.or_said()?;
            let rows = entries.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
            let columns = [
                ("NUMBER", "number"),
                ("AT", "at"),
                ("WHO", "actor"),
                ("ID", "actor_id"),
                ("BY", "part"),
                ("DID", "deed"),
                ("ABOUT", "about"),
                ("ID", "about_id"),
                ("CHANGE", "change"),
                ("WHY", "why"),
                ("FROM", "network"),
                ("SESSION", "session"),
                ("REQUEST", "request"),
            ];
            print::table(format, &columns, rows)
        }
        Command::Verify { number: Some(number), hash: Some(hash), format } => {
            if !verify::still_has(&ctx.db, number, &hash).await.or_said()? {
                bail!("entry {number} is gone or another: the audit was changed since that hash was noted down");
            }
            print::one(format, &json!({ "number": number, "holds": true }), &format!("Entry {number} is what it was."))
        }
        Command::Verify { format, .. } => check(ctx, format).await,
        Command::Export { which, csv, json: _ } => export(ctx, &which.filter(ctx).await?, csv).await,
    }
}

async fn check(ctx: &Context, format: Format) -> Result<()> {
    let verified = verify::verify(&ctx.db).await.or_said()?;
    let shown = json!({ "entries": verified.entries, "hash": verified.hash, "broken": verified.broken });
    let hash = verified.hash.as_deref().unwrap_or("none");
    let sentence = match verified.broken.as_slice() {
        [] => format!("{} entries, all whole. The newest one's hash: {hash}", verified.entries),
        broken => format!("{} entries. These do not hold: {broken:?}", verified.entries),
    };
    print::one(format, &shown, &sentence)?;
    if !verified.broken.is_empty() {
        bail!("the audit was changed: {} entries do not hold", verified.broken.len());
    }
    Ok(())
}

/// Page by page, so that its size costs no memory.
async fn export(ctx: &Context, filter: &Filter, csv: bool) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout());
    if csv {
        out.write_all(export::HEADER.as_bytes())?;
    }
    let mut last = 0;
    loop {
        let entries = after(&ctx.db, filter, last, PAGE).await.or_said()?;
        for entry in &entries {
            let line = if csv { export::row(entry) } else { format!("{}\n", serde_json::to_string(entry)?) };
            out.write_all(line.as_bytes())?;
        }
        let Some(Entry { number, .. }) = entries.last() else { break };
        last = *number;
    }
    Ok(out.flush()?)
}
