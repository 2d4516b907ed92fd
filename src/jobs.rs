//! Work that is done later, outside the request that asked for it: put down in the transaction that makes it due, done
//! once by any of the processes, tried again with growing pauses, and parked for a person to look at after eight tries.
//! The queue is Graphile Worker's, through its crate.

pub mod kinds;
pub mod list;
pub mod seal;
pub mod work;

use graphile_worker::TaskHandler;
use sqlx::{PgConnection, PgExecutor};

use crate::Result;
use crate::error::Error;

/// After so many tries a job is parked. The pauses between them are the crate's: e seconds to the power of the tries so
/// far, so 3 s, 7 s, 20 s, 55 s, 2.5 min, 7 min and 18 min.
pub const TRIES_MAX: i16 = 8;

/// Has the job done once this transaction is committed; never, if it is not.
pub async fn enqueue<J: TaskHandler>(tx: &mut PgConnection, job: &J) -> Result<()> {
    enqueue_all(tx, std::slice::from_ref(job)).await
}

/// Many at once, in one statement.
pub async fn enqueue_all<J: TaskHandler>(tx: &mut PgConnection, jobs: &[J]) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let payloads: Vec<serde_json::Value> =
        jobs.iter().map(serde_json::to_value).collect::<Result<_, _>>().map_err(Error::broken)?;
    sqlx::query!(
        r#"select count(*) as "count!" from graphile_worker.add_jobs(array(
            select row($1, payload::json, null, null, $2, null, null, null)::graphile_worker.job_spec
            from unnest($3::jsonb[]) as payload))"#,
        J::IDENTIFIER,
        TRIES_MAX,
        &payloads,
    )
    .fetch_one(tx)
    .await?;
    Ok(())
}

/// Has the job done once this transaction is committed, one of its kind at a time, in the order in which they are due. One
/// about the same thing that still waits is replaced.
pub async fn enqueue_in_turn<J: TaskHandler>(tx: &mut PgConnection, job: &J, about: &str) -> Result<()> {
    sqlx::query!(
        r#"select (graphile_worker.add_job($1, $2::jsonb::json, queue_name => $1, max_attempts => $3,
            job_key => $1 || ':' || $4)).id"#,
        J::IDENTIFIER,
        serde_json::to_value(job).map_err(Error::broken)?,
        i32::from(TRIES_MAX),
        about,
    )
    .fetch_one(tx)
    .await?;
    Ok(())
}

/// Forgets jobs of the calendar that were interrupted after the next of their kind had taken their place: nobody does them
/// again, and nobody has to. How many there were.
async fn forget_superseded(db: impl PgExecutor<'_>) -> Result<i64> {
    let forgotten = sqlx::query_scalar!(
        r#"select count(*) as "count!" from graphile_worker.complete_jobs(array(
            select job.id from graphile_worker._private_jobs job
            join graphile_worker._private_job_retirements superseded on superseded.id = job.id
            where job.locked_at is null))"#
    )
    .fetch_one(db)
    .await?;
    Ok(forgotten)
}

/// Has a job of the calendar done once more, when the one that runs has ended. It takes the place of one that waits.
async fn again<J: TaskHandler>(db: impl PgExecutor<'_>, job: &J) -> Result<()> {
    sqlx::query!(
        r#"select (graphile_worker.add_job($1, $2::jsonb::json, queue_name => $1, max_attempts => $3, job_key => $1)).id"#,
        J::IDENTIFIER,
        serde_json::to_value(job).map_err(Error::broken)?,
        i32::from(TRIES_MAX),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}
