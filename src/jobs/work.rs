//! Doing the jobs: a worker in each process, and the calendar of those that come by themselves.

use std::sync::Arc;
use std::time::Duration;

use graphile_worker::{Cron, CronBuilder, Crontab, CrontabTimerError, TaskHandler, WorkerOptions};

use super::TRIES_MAX;
use super::kinds::{
    CareForGrants, CheckBooks, CheckPlans, ExpireCredits, ExpireOrders, FoldFigures, MirrorPlan, ReplayEvent,
    SendMails, SendRefunds, SweepOrders, SweepSessions,
};
use crate::notify::post::Post;
use crate::{Context, Error, Result};

const SCHEMA: &str = "graphile_worker";
/// Jobs that one process does at the same time. Each needs a connection now and then.
const CONCURRENCY: usize = 2;
/// A job waits at most so long to be seen. Asking is cheaper than being told: a process that listens keeps a connection,
/// and is woken for every job of a flood.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// How long a running job may take after the signal to stop; then it is left for another process. One that asks a provider
/// which is away may take much longer, and each may be done twice.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// A process that hasn't been heard of for so long is dead, and its jobs go to others.
const SILENCE_MAX: Duration = Duration::from_mins(2);
const HEARTBEAT_EVERY: Duration = Duration::from_secs(20);
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// What jobs work with.
#[derive(Debug, Clone)]
pub struct Tools {
    pub ctx: Context,
    /// None: no mail server is set up, so mails are kept.
    pub post: Option<Arc<Post>>,
}

/// Does jobs until told to stop, through outages of the database.
pub async fn run(tools: Tools, stop: impl Future<Output = ()> + Send + 'static) {
    let stop = futures::FutureExt::shared(futures::FutureExt::boxed(stop));
    loop {
        match work(&tools, stop.clone()).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(error = ?error, "jobs are interrupted"),
        }
        tokio::select! {
            () = stop.clone() => return,
            () = tokio::time::sleep(RESTART_AFTER) => {}
        }
    }
}

async fn work(tools: &Tools, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
    let options = options(tools).with_crons(calendar()?).shutdown_signal(stop);
    let worker = options.init().await.map_err(Error::unavailable)?;
    worker.run().await.map_err(Error::unavailable)
}

/// Does all jobs that are due now, and returns; for tests. What follows from them may be left for the next run.
pub async fn run_due(tools: &Tools) -> Result<()> {
    let worker = options(tools).init().await.map_err(Error::unavailable)?;
    worker.run_once().await.map_err(Error::unavailable)
}

fn options(tools: &Tools) -> WorkerOptions {
    WorkerOptions::default()
        .schema(SCHEMA)
        .pg_pool(tools.ctx.db.clone())
        .add_extension(tools.clone())
        .define_job::<SendMails>()
        .define_job::<ReplayEvent>()
        .define_job::<SweepOrders>()
        .define_job::<SendRefunds>()
        .define_job::<ExpireOrders>()
        .define_job::<ExpireCredits>()
        .define_job::<SweepSessions>()
        .define_job::<CareForGrants>()
        .define_job::<CheckBooks>()
        .define_job::<MirrorPlan>()
        .define_job::<CheckPlans>()
        .define_job::<FoldFigures>()
        .concurrency(CONCURRENCY)
        .poll_interval(POLL_EVERY)
        .use_notification_delivery(false)
        .listen_os_shutdown_signals(false)
        .shutdown_grace_period(STOP_TIMEOUT)
        .shutdown_interrupted_job_retry_delay(Duration::ZERO)
        .heartbeat_interval(HEARTBEAT_EVERY)
        .sweep_interval(HEARTBEAT_EVERY)
        .sweep_threshold(SILENCE_MAX)
        .recovery_delay(Duration::ZERO)
}

/// What comes by itself, in UTC. However many processes there are, each time it is put down once; while the last one
/// still waits, no second; while it runs, none beside it.
///
/// Errors: [`Error::Broken`] when a time or a job can't be written down.
pub fn calendar() -> Result<Vec<Crontab>> {
    let at = |wrong: CrontabTimerError| Error::broken(wrong);
    Ok(vec![
        regular(Cron::every_minute(), SendMails {})?,
        regular(Cron::every_minute(), SweepOrders {})?,
        regular(Cron::every_minute(), SendRefunds {})?,
        regular(Cron::every_minute(), ExpireCredits {})?,
        regular(Cron::every_minute(), CareForGrants {})?,
        regular(Cron::every_minute(), FoldFigures {})?,
        regular(Cron::every_n_minutes(5).map_err(at)?, ExpireOrders {})?,
        regular(Cron::hourly_at(17).map_err(at)?, SweepSessions {})?,
        regular(Cron::hourly_at(29).map_err(at)?, CheckPlans {})?,
        regular(Cron::daily_at(3, 41).map_err(at)?, CheckBooks {})?,
    ])
}

/// With its payload: left alone, the crate puts down `null`, which is no job of any kind.
fn regular<J: TaskHandler>(cron: CronBuilder<J>, job: J) -> Result<Crontab> {
    let cron = cron.job_key(J::IDENTIFIER).queue(J::IDENTIFIER);
    Ok(cron.max_attempts(TRIES_MAX.unsigned_abs()).payload(job).map_err(Error::broken)?.build())
}
