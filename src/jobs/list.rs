//! Looking into the queue, and giving a parked job another eight tries.

use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::audit::{self, About, Change, Origin, What};
use crate::people::roles::{Admin, Support};
use crate::{Context, Error, Result};

/// One job that is not done yet.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub id: i64,
    /// What kind of work: `send_mails`.
    pub kind: String,
    pub state: State,
    pub tries: i16,
    /// Why the last try failed.
    pub error: Option<String>,
    /// When it is tried next, if it is not parked.
    pub run_at: OffsetDateTime,
    pub created_at: OffsetDateTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Waiting,
    /// Some process is at it.
    Running,
    /// All its tries failed: a person has to look.
    Parked,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Parked => "parked",
        }
    }
}

/// The jobs that are not done, parked ones first, then by when they are due.
pub async fn list(db: impl PgExecutor<'_>, limit: i64) -> Result<Vec<Waiting>> {
    let rows = sqlx::query!(
        r#"select id as "id!", task_identifier as "kind!", locked_at is not null as "running!", attempts as "tries!",
            attempts >= max_attempts and locked_at is null as "parked!", last_error, run_at as "run_at!",
            created_at as "created_at!"
        from graphile_worker.jobs order by attempts >= max_attempts desc, run_at, id limit $1"#,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Waiting {
            id: row.id,
            kind: row.kind,
            state: if row.parked {
                State::Parked
            } else if row.running {
                State::Running
            } else {
                State::Waiting
            },
            tries: row.tries,
            error: row.last_error.map(readable),
            run_at: row.run_at,
            created_at: row.created_at,
        })
        .collect())
}

/// How many of them are shown to those who look after Atlas.
pub const PARKED_SHOWN: i64 = 50;

/// The jobs that gave up, the longest waiting first, at most [`PARKED_SHOWN`].
pub async fn parked(db: impl PgExecutor<'_>, _: &Support) -> Result<Vec<Waiting>> {
    let all = list(db, PARKED_SHOWN).await?;
    Ok(all.into_iter().filter(|job| job.state == State::Parked).collect())
}

/// The same as [`retry`] by an admin, for a job that gave up.
///
/// Errors: [`Error::NotFound`] when it is not parked (any more).
pub async fn retry_by(ctx: &Context, admin: &Admin, origin: &Origin, id: i64) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let kind = sqlx::query_scalar!(
        r#"select task_identifier as "kind!" from graphile_worker.jobs
        where id = $1 and attempts >= max_attempts and locked_at is null"#,
        id,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotFound)?;
    retry(&mut *tx, id).await?;
    let (by, name) = (admin.by(origin), id.to_string());
    let deed = by.did(What::JobRetried, About::Thing { kind: "job", id: &name });
    audit::record(&mut tx, &deed.with(Change::none().noted("kind", kind))).await?;
    Ok(tx.commit().await?)
}

/// Has a job tried again at once, as if it were new.
///
/// Errors: [`Error::NotFound`] when there is none, or a process is just at it.
pub async fn retry(db: impl PgExecutor<'_>, id: i64) -> Result<()> {
    let found = sqlx::query_scalar!(
        r#"select count(*) as "count!" from graphile_worker.reschedule_jobs(array[$1::bigint], run_at => now(), attempts => 0)"#,
        id,
    )
    .fetch_one(db)
    .await?;
    if found == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// The crate keeps the `Debug` form of its error with ours inside.
fn readable(error: String) -> String {
    let inner = error.strip_prefix("TaskError(").and_then(|rest| rest.strip_suffix(')'));
    inner.and_then(|quoted| serde_json::from_str(quoted).ok()).unwrap_or(error)
}
