//! Checks the whole ledger against its invariants, in a few grouped passes.

mod lots;
mod payments;
mod wallets;

use sqlx::PgPool;

use crate::Result;

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
    let mut findings = wallets::findings(&mut tx).await?;
    findings.extend(lots::findings(&mut tx).await?);
    findings.extend(payments::findings(&mut tx).await?);
    tx.commit().await?;
    Ok(Report { wallets: counts.wallets, entries: counts.entries, findings })
}
