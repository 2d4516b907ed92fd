//! The check of the checker: storms over a schema, a cluster or a line with one bug planted in it. Nothing of this is in
//! the program: each bug is what a function, a constraint, a setting or a pooler would be, were it made wrongly.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use sqlx::PgPool;

use super::monkey::Counts;
use super::proxy::Manner;
use super::world::generate;
use super::{Plan, storm};

/// Each has to be caught within this time.
const CAUGHT_WITHIN: Duration = Duration::from_mins(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Bug {
    /// Constraints that bind nothing.
    NoUniqueIndex,
    /// The answer goes out before the database has heard of the COMMIT.
    AckBeforeCommit,
    /// Spends look at the wallet without a lock.
    CheckThenAct,
    /// Credits are taken back without a lock.
    RefundWithoutLock,
    /// Money goes through binary fractions.
    FloatMoney,
    /// A repeated key is carried out again.
    ResumeWithoutKey,
    /// Commits wait for no disk and no standby, and the standby is a little behind when its primary dies.
    AsynchronousCommit,
    /// Mails that were taken up are not marked as taken: others take them up, too.
    ClaimWithoutLock,
}

/// One of them by its name, or all of them.
pub fn wanted(name: &str) -> Result<Vec<Bug>> {
    if name == "all" {
        return Ok(Bug::value_variants().to_vec());
    }
    let bug = Bug::from_str(name, true).ok();
    Ok(vec![bug.with_context(|| format!("{name} is no planted bug"))?])
}

impl Bug {
    const fn sql(self) -> Option<&'static str> {
        match self {
            Self::NoUniqueIndex => Some(include_str!("../../planted/no-unique-index.sql")),
            Self::AckBeforeCommit => None,
            Self::CheckThenAct => Some(include_str!("../../planted/check-then-act.sql")),
            Self::RefundWithoutLock => Some(include_str!("../../planted/refund-without-lock.sql")),
            Self::FloatMoney => Some(include_str!("../../planted/float-money.sql")),
            Self::ResumeWithoutKey => Some(include_str!("../../planted/resume-without-key.sql")),
            Self::AsynchronousCommit => Some(include_str!("../../planted/asynchronous-commit.sql")),
            Self::ClaimWithoutLock => Some(include_str!("../../planted/claim-without-lock.sql")),
        }
    }

    pub async fn plant(self, owner: &PgPool) -> Result<()> {
        if let Some(sql) = self.sql() {
            sqlx::raw_sql(sql).execute(owner).await.with_context(|| format!("planting {self:?}"))?;
        }
        Ok(())
    }

    pub const fn manner(self) -> Manner {
        if matches!(self, Self::AckBeforeCommit) { Manner::EarlyCommit } else { Manner::Honest }
    }

    pub const fn is_synchronous(self) -> bool {
        !matches!(self, Self::AsynchronousCommit)
    }

    pub const fn deaf_for(self) -> Option<Duration> {
        if matches!(self, Self::AsynchronousCommit) { Some(Duration::from_millis(300)) } else { None }
    }

    /// The slower the post office, the longer two workers are at the same mails.
    pub const fn mail_takes(self) -> Duration {
        if matches!(self, Self::ClaimWithoutLock) { Duration::from_millis(30) } else { Duration::ZERO }
    }

    /// The fewer, the more often two are at one wallet at the same moment.
    pub const fn buyers(self) -> usize {
        if matches!(self, Self::RefundWithoutLock) { generate::BUYERS / 10 } else { generate::BUYERS }
    }

    /// As many faults as it takes to show.
    const fn counts(self) -> Counts {
        match self {
            Self::AckBeforeCommit => Counts { kills: 1, restarts: 2, failovers: 0, others: 3 },
            Self::AsynchronousCommit => Counts { kills: 0, restarts: 0, failovers: 2, others: 0 },
            _ => Counts { kills: 2, restarts: 0, failovers: 0, others: 1 },
        }
    }
}

/// Fails unless every one of them is caught in time.
pub async fn run(atlas: &Path, plan: &Plan, bugs: Vec<Bug>) -> Result<()> {
    let mut missed = Vec::new();
    let mut said = Vec::new();
    for bug in bugs {
        let name = bug.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        println!("\nplanted: {name}");
        let plan = Plan {
            deliveries: plan.deliveries.min(6_000),
            payments: plan.payments.min(2_400),
            counts: bug.counts(),
            lasts: plan.lasts.min(Duration::from_secs(35)),
            bug: Some(bug),
            ..plan.clone()
        };
        let began = Instant::now();
        let findings = storm::weather(atlas, &plan).await?;
        let seconds = began.elapsed().as_secs();
        if findings.is_empty() || began.elapsed() > CAUGHT_WITHIN {
            missed.push(name.clone());
        }
        print!("{findings}");
        let by = if findings.is_empty() { "NOT caught".to_owned() } else { findings.broken().join("; ") };
        said.push(format!("{name:<22} {seconds:>3} s  {by}"));
    }
    println!("\n{}", said.join("\n"));
    if !missed.is_empty() {
        bail!("the checker is blind: {} not caught within {} s", missed.join(", "), CAUGHT_WITHIN.as_secs());
    }
    Ok(())
}
