//! Looks at what was read, row beside row, and decides what becomes of each. It writes nothing but into the staged rows, and
//! looking again comes to the same.

mod orders;
mod people;
mod rows;
mod tally;
mod transactions;

pub use self::rows::{Damaged, rows};
pub use self::tally::{Finding, Findings, Orders, People, Transactions};
use super::run::{Run, long};
use crate::{Context, Result};

/// Which of two numbers is the balance, where they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The one in the profile, that people saw.
    Balance,
    /// What the transactions sum to.
    History,
}

/// How to understand the old system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub trust: Trust,
    /// Old names of plans, in lower case, each with the slug of ours.
    pub plans: Vec<(String, String)>,
}

/// Errors: [`crate::Error::Invalid`] on `plan`, when a slug is none of ours.
pub async fn examine(ctx: &Context, run: &Run, reading: &Reading) -> Result<Findings> {
    let mut tx = long(ctx).await?;
    transactions::examine(&mut tx).await?;
    people::examine(&mut tx, reading.trust).await?;
    orders::examine(&mut tx, &reading.plans).await?;
    let findings = tally::tally(&mut tx, run.read()).await?;
    tx.commit().await?;
    Ok(findings)
}
