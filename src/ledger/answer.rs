//! What the kernel's batch functions answer, one row for each item, in the order given.

use domain::{Credits, TransactionId};

use super::Moved;
use crate::{Error, Refusal, Result};

/// A row of the kernel's answer. What did not move has no numbers.
pub(super) struct Answer {
    pub outcome: String,
    pub transaction: Option<TransactionId>,
    pub net: Option<Credits>,
    pub debt_change: Option<Credits>,
    pub balance_after: Option<Credits>,
    pub debt_after: Option<Credits>,
}

/// The answers to `asked` items: each refused, or read by `read`, which is told whether it was carried out earlier.
pub(super) fn each<T>(
    rows: Vec<Answer>,
    asked: usize,
    read: impl Fn(Answer, bool) -> Result<T>,
) -> Result<Vec<Result<T, Refusal>>> {
    if rows.len() != asked {
        return Err(Error::broken(format!("the ledger answers {} of {asked} items", rows.len())));
    }
    rows.into_iter()
        .map(|row| match carried_out(&row.outcome)? {
            Ok(replayed) => read(row, replayed).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        })
        .collect()
}

/// Reads a row that has to have all numbers.
pub(super) fn moved(row: Answer, replayed: bool) -> Result<Moved> {
    match (row.transaction, row.net, row.debt_change, row.balance_after, row.debt_after) {
        (Some(transaction), Some(net), Some(debt_change), Some(balance_after), Some(debt_after)) => {
            Ok(Moved { transaction, replayed, net, debt_change, balance_after, debt_after })
        }
        _ => Err(without("its numbers")),
    }
}

pub(super) fn without(what: &str) -> Error {
    Error::broken(format!("the ledger answers without {what}"))
}

/// Whether it was carried out earlier already, or why it was not.
fn carried_out(outcome: &str) -> Result<Result<bool, Refusal>> {
    Ok(match outcome {
        "done" => Ok(false),
        "replayed" => Ok(true),
        "key_reused" => Err(Refusal::KeyUsedForAnotherRequest),
        "not_enough" => Err(Refusal::NotEnoughCredits),
        "debt" => Err(Refusal::CreditsAreOwed),
        "no_wallet" => Err(Refusal::NoWallet),
        "closed" => Err(Refusal::HoldHasEnded),
        "no_account" | "invalid" => Err(Refusal::NotBookable),
        other => return Err(Error::broken(format!("the ledger answers {other}"))),
    })
}
