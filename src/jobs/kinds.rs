//! The kinds of jobs. Each may be done twice, for a process can die between the work and the note of it: so each is
//! idempotent.

use std::fmt;

use domain::{EventId, PlanId};
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};
use serde::{Deserialize, Serialize};

use super::work::Tools;
use super::{again, forget_superseded};
use crate::events::{forget, replay};
use crate::figures;
use crate::ledger;
use crate::limits;
use crate::notify::deliver;
use crate::orders;
use crate::people::{devices, erase, grants, links, oauth, sessions};
use crate::plans::{drift, mirror};
use crate::reconcile::{check, sweep};
use crate::{Context, Error, Result};

/// Holds and lots ended in one transaction.
const EXPIRE_BATCH: i32 = 500;

/// Sends what waits in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendMails {}

/// Applies a webhook again that could not be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayEvent {
    pub event: EventId,
}

/// Asks the providers about open orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepOrders {}

/// Tells the providers of refunds that they have not answered to yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendRefunds {}

/// Closes orders that nobody paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpireOrders {}

/// Ends holds and credits whose time is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpireCredits {}

/// Forgets expired sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepSessions {}

/// Renews what authorisation servers granted, and gives back what is not needed any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CareForGrants {}

/// Compares the providers' books, ours and the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckBooks {}

/// Brings a plan's counterpart at the provider in step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorPlan {
    pub plan: PlanId,
}

/// Compares all plans with their counterparts, and mirrors what still waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckPlans {}
/// Folds the figures of the overview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldFigures {}

/// Why a try failed, as it is kept with the job: the causes too, for nobody but the operator reads it.
pub struct Failed(Error);

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = std::error::Error::source(&self.0);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

fn tools(worker: &WorkerContext) -> Result<Tools> {
    worker.get_ext::<Tools>().cloned().ok_or_else(|| Error::broken("a job without its tools"))
}

/// Says how a kind of job is done; `$job` and `$tools` are its arguments.
macro_rules! done_by {
    ($($kind:ident $name:literal: |$job:ident, $tools:ident| $work:expr;)+) => {$(
        impl TaskHandler for $kind {
            const IDENTIFIER: &'static str = $name;

            async fn run(self, worker: WorkerContext) -> impl IntoTaskHandlerResult {
                let done: Result<()> = async move {
                    let ($job, $tools) = (self, tools(&worker)?);
                    $work
                }
                .await;
                done.map_err(Failed)
            }
        }
    )+};
}

done_by! {
    SendMails "send_mails": |_job, tools| deliver::send_due(&tools.ctx, tools.post.as_deref()).await;
    ReplayEvent "replay_event": |job, tools| replay_event(&tools.ctx, job.event).await;
    SweepOrders "sweep_orders": |job, tools| sweep_orders(&tools.ctx, &job).await;
    SendRefunds "send_refunds": |_job, tools| orders::refund::send::send_due(&tools.ctx).await;
    ExpireOrders "expire_orders": |_job, tools| expire_orders(&tools.ctx).await;
    ExpireCredits "expire_credits": |_job, tools| expire_credits(&tools.ctx).await;
    SweepSessions "sweep_sessions": |_job, tools| sweep_old(&tools.ctx).await;
    CareForGrants "care_for_grants": |_job, tools| grants::care::care(&tools.ctx).await;
    MirrorPlan "mirror_plan": |job, tools| mirror::carry_out(&tools.ctx, job.plan).await;
    CheckPlans "check_plans": |_job, tools| drift::check_all(&tools.ctx).await;
    FoldFigures "fold_figures": |_job, tools| fold_figures(&tools.ctx).await;
    CheckBooks "check_books": |_job, tools| check::daily(&tools.ctx).await.map(drop);
}

async fn fold_figures(ctx: &Context) -> Result<()> {
    figures::fold::fold_all(ctx).await?;
    figures::sales::count_due(ctx).await
}

async fn replay_event(ctx: &Context, event: EventId) -> Result<()> {
    replay::replay(ctx, event).await.map(drop)
}

/// What is left over is a job of its own: the interruptions of a long one would count as its tries.
async fn sweep_orders(ctx: &Context, job: &SweepOrders) -> Result<()> {
    if sweep::ask_due(ctx).await?.unfinished {
        again(&ctx.db, job).await?;
    }
    Ok(())
}

/// What is kept for a while only, and what comes after somebody left.
async fn sweep_old(ctx: &Context) -> Result<()> {
    forget_superseded(&ctx.db).await?;
    sessions::sweep(ctx).await?;
    limits::sweep(ctx).await?;
    oauth::sweep(ctx).await?;
    devices::sweep(ctx).await?;
    links::sweep(ctx).await?;
    erase::note_late_payments(ctx).await?;
    while forget::forget_old(ctx).await? > 0 {}
    Ok(())
}

async fn expire_orders(ctx: &Context) -> Result<()> {
    let orders = orders::expire::expire_old(ctx).await?;
    if orders > 0 {
        tracing::info!(orders, "orders expired");
    }
    Ok(())
}

async fn expire_credits(ctx: &Context) -> Result<()> {
    loop {
        let expired = ledger::expire::expire(&ctx.db, EXPIRE_BATCH).await?;
        if expired.is_nothing() {
            return Ok(());
        }
        tracing::info!(holds = expired.holds, lots = expired.lots, credits = expired.credits.get(), "credits expired");
    }
}
