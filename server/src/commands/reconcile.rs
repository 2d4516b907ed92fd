//! `atlas reconcile` and `atlas check`: the provider's books beside ours, and what to do about it.

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Result, bail};
use atlas::Context;
use atlas::providers::Window;
use atlas::reconcile::breaks::{self, Break, Which};
use atlas::reconcile::check::{check, daily};
use atlas::reconcile::examine::Suspect;
use atlas::reconcile::heal::{self, Proposals};
use clap::Args;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::OrSaid as _;
use super::print::{self, Format};

#[derive(Debug, Args)]
pub struct Reconcile {
    /// From when on payments were made: 2026-11-21T00:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: OffsetDateTime,
    /// Until when.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: OffsetDateTime,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Do it without asking.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Args)]
pub struct Check {
    /// From when on payments were made [default: three days ago, or as far back as the oldest break]
    #[arg(long, value_name = "TIME", value_parser = moment, requires = "to")]
    from: Option<OffsetDateTime>,
    /// Until when.
    #[arg(long, value_name = "TIME", value_parser = moment, requires = "from")]
    to: Option<OffsetDateTime>,
    /// List without looking again.
    #[arg(long, conflicts_with = "from")]
    list: bool,
    /// List breaks that were resolved, too.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    format: Format,
}

const BREAKS_SHOWN_MAX: i64 = 10_000;

fn moment(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "write it as 2026-11-21T14:05:00Z".to_owned())
}

fn window(from: OffsetDateTime, to: OffsetDateTime) -> Result<Window> {
    if from >= to {
        bail!("--from must be before --to");
    }
    Ok(Window { from, to })
}

fn needs_a_provider(ctx: &Context) -> Result<()> {
    if ctx.providers.all().next().is_none() {
        bail!("the provider has to be asked: set the WHOP_ variables as for the server");
    }
    Ok(())
}

pub async fn reconcile(ctx: &Context, asked: Reconcile) -> Result<()> {
    needs_a_provider(ctx)?;
    let window = window(asked.from, asked.to)?;
    let proposals = heal::propose(ctx, window).await.or_said()?;
    let go_on = !asked.dry_run && !proposals.healable.is_empty();
    if !asked.format.is_json() {
        say(&proposals)?;
    }
    let mut applied = Vec::new();
    if go_on && (asked.yes || confirmed(proposals.healable.len())?) {
        for some in proposals.healable.chunks(heal::AT_ONCE) {
            heal::apply(ctx, some).await.or_said()?;
            applied.extend(some.iter().map(|suspect| suspect.payment_id.clone()));
        }
    }
    let left = if applied.is_empty() { proposals.clone() } else { heal::propose(ctx, window).await.or_said()? };
    let shown = json!({
        "examined": proposals.examined, "proposed": proposals.healable.iter().map(row).collect::<Vec<_>>(),
        "for_a_person": proposals.others.iter().map(row).collect::<Vec<_>>(), "applied": applied,
        "left": left.healable.len() + left.others.len(),
    });
    let sentence = if asked.dry_run {
        "Nothing was changed.".to_owned()
    } else {
        format!("{} applied; {} left that do not agree.", applied.len(), left.healable.len() + left.others.len())
    };
    print::one(asked.format, &shown, &sentence)
}

fn say(proposals: &Proposals) -> Result<()> {
    print::line(&format!("{} payments looked at.", proposals.examined))?;
    for (what, suspects) in [("to be applied", &proposals.healable), ("for a person to look at", &proposals.others)] {
        for suspect in suspects {
            for finding in &suspect.findings {
                let order = finding.order.map(|order| format!(", order {order}")).unwrap_or_default();
                print::line(&format!(
                    "  {what}: {} {}: {}{order}",
                    finding.kind.as_str(),
                    finding.subject,
                    finding.detail
                ))?;
            }
        }
    }
    Ok(())
}

/// A program that nobody watches must say `--yes`.
fn confirmed(count: usize) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("say --yes to apply {count} proposals, or --dry-run to only see them");
    }
    write!(std::io::stdout(), "Apply {count} proposals? Type yes: ")?;
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

fn row(suspect: &Suspect) -> Value {
    let findings: Vec<Value> = suspect
        .findings
        .iter()
        .map(|finding| json!({ "kind": finding.kind.as_str(), "detail": finding.detail, "order": finding.order }))
        .collect();
    json!({ "provider": suspect.provider, "payment": suspect.payment_id, "findings": findings })
}

/// Fails when a break stands, so that a script notices.
pub async fn compare(ctx: &Context, asked: Check) -> Result<()> {
    if !asked.list {
        needs_a_provider(ctx)?;
        match asked.from.zip(asked.to) {
            Some((from, to)) => check(ctx, window(from, to)?).await.or_said()?,
            None => daily(ctx).await.or_said()?,
        };
    }
    let which = if asked.all { Which::All } else { Which::Standing };
    let breaks = breaks::list(&ctx.db, which, BREAKS_SHOWN_MAX).await.or_said()?;
    let columns = [
        ("FIRST SEEN", "first_seen"),
        ("AGE", "age"),
        ("KIND", "kind"),
        ("ABOUT", "subject"),
        ("DETAIL", "detail"),
        ("RESOLVED", "resolved_at"),
    ];
    print::table(asked.format, &columns, breaks.iter().map(|found| break_row(ctx, found)).collect())?;
    let standing = breaks.iter().filter(|found| found.resolved_at.is_none()).count();
    if standing > 0 {
        bail!("{standing} breaks stand");
    }
    Ok(())
}

fn break_row(ctx: &Context, found: &Break) -> Value {
    let age = found.resolved_at.unwrap_or_else(|| ctx.now()) - found.first_seen;
    let age = match (age.whole_days(), age.whole_hours()) {
        (0, 0) => format!("{} min", age.whole_minutes()),
        (0, hours) => format!("{hours} h"),
        (days, _) => format!("{days} d"),
    };
    json!({
        "id": found.id, "first_seen": super::instant(found.first_seen), "last_seen": super::instant(found.last_seen),
        "age": age, "kind": found.kind, "subject": found.subject, "detail": found.detail,
        "resolved_at": found.resolved_at.and_then(super::instant),
    })
}
