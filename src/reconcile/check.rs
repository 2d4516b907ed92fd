//! The three-way check: the provider's payments, ours and the ledger, each day and by command. Every break is kept with
//! its age; the admins hear of new ones.

use time::{Duration, OffsetDateTime};

use super::breaks::{Looked, record, stuck_orders};
use super::examine::examine;
use super::{BreakKind, Finding, Window};
use crate::notify::{News, announce};
use crate::{Context, Result};

/// The daily check looks back so far: a day and what the one before may have missed.
const LOOK_BACK: Duration = Duration::days(3);
/// As long as a break stands, what it is about is looked at again; older ones stand until a check by command.
const LOOK_BACK_MAX: Duration = Duration::days(60);
/// What is newer may still be on its way.
const SETTLING: Duration = Duration::minutes(15);

/// What a check saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// Payments and orders that were looked at.
    pub examined: usize,
    /// Breaks that were not known.
    pub new: usize,
    /// Breaks that were found, new ones among them.
    pub found: usize,
}

/// The daily check: the last three days, and back to the oldest break that stands.
pub async fn daily(ctx: &Context) -> Result<Checked> {
    let to = ctx.now() - SETTLING;
    let oldest = sqlx::query_scalar!("select min(first_seen) from reconciliation_breaks where resolved_at is null")
        .fetch_one(&ctx.db)
        .await?;
    let from = oldest.map_or(to, |oldest| oldest.min(to)) - LOOK_BACK;
    check(ctx, Window { from: from.max(to - LOOK_BACK_MAX), to }).await
}

/// Looks at a window of every provider that is set up, and at all orders.
pub async fn check(ctx: &Context, window: Window) -> Result<Checked> {
    let mut checked = Checked::default();
    for adapter in ctx.providers.all() {
        let examined = examine(ctx, adapter, window).await?;
        let findings = examined.suspects.into_iter().flat_map(|suspect| suspect.findings).collect();
        let looked = Looked { subjects: examined.subjects, reversed: examined.reversed };
        take_in(ctx, &looked, findings, &mut checked).await?;
    }
    let (subjects, findings) = orders(ctx).await?;
    take_in(ctx, &Looked { subjects, reversed: Vec::new() }, findings, &mut checked).await?;
    tracing::info!(examined = checked.examined, found = checked.found, new = checked.new, "books compared");
    Ok(checked)
}

async fn take_in(ctx: &Context, looked: &Looked, findings: Vec<Finding>, checked: &mut Checked) -> Result<()> {
    for finding in &findings {
        tracing::error!(kind = finding.kind.as_str(), subject = %finding.subject, detail = %finding.detail, "the books do not agree");
    }
    let mut tx = ctx.db.begin().await?;
    let new = record(&mut tx, ctx.now(), looked, &findings).await?;
    let news: Vec<News> = new.iter().map(|found| News::Break { found: *found }).collect();
    announce(ctx, &mut tx, &news).await?;
    tx.commit().await?;
    checked.examined += looked.subjects.len();
    checked.found += findings.len();
    checked.new += new.len();
    Ok(())
}

/// Orders that wait too long, and those whose break may be over.
async fn orders(ctx: &Context) -> Result<(Vec<String>, Vec<Finding>)> {
    let now: OffsetDateTime = ctx.now();
    let mut subjects = sqlx::query_scalar!(
        "select subject from reconciliation_breaks where resolved_at is null and kind = $1",
        BreakKind::OrderStuck.as_str()
    )
    .fetch_all(&ctx.db)
    .await?;
    let findings: Vec<Finding> = stuck_orders(&ctx.db, now)
        .await?
        .into_iter()
        .map(|(order, detail)| Finding {
            kind: BreakKind::OrderStuck,
            subject: order.to_string(),
            detail,
            order: Some(order),
        })
        .collect();
    subjects.extend(findings.iter().map(|finding| finding.subject.clone()));
    Ok((subjects, findings))
}
