//! I13 to I15: nothing is stuck, nothing fell over, no page is damaged, and no log says what it should not.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use sqlx::PgPool;
use tokio::process::Command;

use super::Findings;
use crate::chaos::cluster::{self, OWNER};

/// Nothing waits in the inbox, and no transaction is forgotten.
pub async fn nothing_is_stuck(owner: &PgPool, findings: &mut Findings) -> Result<()> {
    let stuck: Vec<String> = sqlx::query_scalar(
        "select format('event %s waits since %s', event_id, received_at) from provider_events
            where state = 'received' and received_at < now() - interval '60 s'
        union all
        select format('transaction of %s open since %s: %s', application_name, xact_start, query) from pg_stat_activity
            where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
                and xact_start < now() - interval '10 s'
        union all
        select format('job %s failed %s times: %s', task_identifier, attempts, last_error) from graphile_worker.jobs
            -- One that was interrupted keeps that as its last error while it is done again.
            where last_error is not null and attempts > 0 and locked_at is null and not exists (
                select from graphile_worker._private_job_retirements superseded where superseded.id = jobs.id)",
    )
    .fetch_all(owner)
    .await?;
    for what in stuck {
        findings.add("I14 nothing is stuck", what);
    }
    Ok(())
}

/// Every page and index of the database, by PostgreSQL's own tools.
pub async fn pages_are_sound(socket: &Path, findings: &mut Findings) -> Result<()> {
    let mut command = Command::new(cluster::binaries()?.join("pg_amcheck"));
    command.env_clear().env("PATH", "/usr/bin:/bin").current_dir("/").arg("--host").arg(socket);
    command.args(["--username", OWNER, "--install-missing", "--heapallindexed", "--jobs", "2", "atlas"]);
    let output = command.output().await.context("running pg_amcheck")?;
    if !output.status.success() {
        findings.add("I13 pages and indexes are sound", String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Ok(())
}

/// `secrets`: none of them may be in a log.
pub fn logs_are_clean(logs: &[&Path], secrets: &[String], findings: &mut Findings) -> Result<()> {
    for log in logs {
        let text = fs::read_to_string(log).with_context(|| format!("reading {}", log.display()))?;
        for line in text.lines().filter(|line| line.contains("panicked at")) {
            findings.add("I15 nothing panics", line.to_owned());
        }
        for secret in secrets.iter().filter(|secret| text.contains(secret.as_str())) {
            findings.add("I15 no secret is logged", format!("{}: {}…", log.display(), &secret[..6]));
        }
    }
    Ok(())
}
