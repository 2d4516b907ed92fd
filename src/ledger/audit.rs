//! Checks the whole ledger against its invariants, in a few grouped passes.

mod holds;
mod lots;
mod payments;
mod seals;
mod wallets;

use sqlx::PgPool;

use super::seal::{self, Seal};
use crate::{Result, ids};

/// One broken invariant, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub invariant: String,
    pub rows: i64,
}

/// What an audit saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub wallets: i64,
    pub entries: i64,
    /// Transactions that no seal covers yet.
    pub unsealed: i64,
    /// The newest seal: compare it with a copy kept elsewhere.
    pub sealed: Option<Seal>,
    /// Empty when all is well.
    pub findings: Vec<Finding>,
}

/// Audits in one snapshot, so that it may run beside writers.
pub async fn audit(db: &PgPool) -> Result<Report> {
    let mut tx = db.begin().await?;
    sqlx::query!("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
    let counts = sqlx::query!(
        r#"select (select count(*) from credit_accounts where kind = 'wallet') as "wallets!",
            (select count(*) from credit_entries) as "entries!""#
    )
    .fetch_one(&mut *tx)
    .await?;
    // Enough for the groups of some million entries, and no compiling of queries that run once.
    sqlx::query!("set local work_mem = '128MB'").execute(&mut *tx).await?;
    // It reads everything, which takes longer than a request may.
    sqlx::query!("set local statement_timeout = '1h'").execute(&mut *tx).await?;
    sqlx::query!("set local jit = off").execute(&mut *tx).await?;
    let mut findings = wallets::findings(&mut tx, seed()).await?;
    findings.extend(lots::findings(&mut tx).await?);
    findings.extend(holds::findings(&mut tx).await?);
    findings.extend(payments::findings(&mut tx).await?);
    findings.extend(seals::findings(&mut tx).await?);
    let unsealed = seals::unsealed(&mut tx).await?;
    let sealed = seal::last(&mut *tx).await?;
    tx.commit().await?;
    Ok(Report { wallets: counts.wallets, entries: counts.entries, unsealed, sealed, findings })
}

/// For the fingerprints: the random part of a fresh id.
fn seed() -> i64 {
    let (_, random) = ids::fresh().as_u64_pair();
    i64::from_ne_bytes(random.to_ne_bytes())
}
