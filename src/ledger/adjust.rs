//! What no payment, spend or expiry explains: credits taken by hand, and debts forgiven. Giving is a grant like others.

use domain::{Credits, PersonId, TransactionId};
use sqlx::PgConnection;

use super::{Key, Moved, refusal};
use crate::{Result, ids};

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// Free credits, in the order of spending; never held ones.
    Take(Credits),
    /// What is owed, or a part of it.
    Forgive(Credits),
}

/// A correction of one wallet.
#[derive(Debug, Clone)]
pub struct Adjustment {
    pub key: Key,
    pub of: PersonId,
    pub correction: Correction,
    /// Who did it: `admin:<id>`.
    pub actor: String,
    /// What the owner reads in the statement.
    pub description: String,
}

/// Corrects a wallet, all or nothing.
///
/// Errors: [`crate::Refusal::NotEnoughCredits`], also when less is owed than is to be forgiven;
/// [`crate::Refusal::KeyUsedForAnotherRequest`].
pub async fn adjust(tx: &mut PgConnection, adjustment: &Adjustment) -> Result<Moved> {
    let (taken, forgiven) = match adjustment.correction {
        Correction::Take(credits) => (credits, Credits::ZERO),
        Correction::Forgive(credits) => (Credits::ZERO, credits),
    };
    sqlx::query_as!(
        Moved,
        r#"select transaction_id as "transaction!: TransactionId", replayed as "replayed!", net as "net!: Credits",
            debt_change as "debt_change!: Credits", balance_after as "balance_after!: Credits",
            debt_after as "debt_after!: Credits"
        from credits_adjust($1, $2, $3, $4, $5, $6, $7, $8)"#,
        ids::fresh(),
        adjustment.key.scope,
        adjustment.key.key,
        adjustment.of as PersonId,
        taken as Credits,
        forgiven as Credits,
        adjustment.actor,
        adjustment.description,
    )
    .fetch_one(tx)
    .await
    .map_err(refusal)
}
