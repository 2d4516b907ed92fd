//! The typed door to the credit ledger. Credits move only inside the database's functions; here are their callers and
//! what people read of them.

pub mod adjust;
mod answer;
pub mod audit;
pub mod balance;
pub mod expire;
pub mod grant;
pub mod hold;
pub mod seal;
pub mod spend;
pub mod statement;
pub mod take_back;
pub mod transfer;

use domain::{Credits, PersonId, TransactionId};
use sqlx::error::DatabaseError;
use sqlx::{PgConnection, PgExecutor};

use crate::{Error, Refusal};

/// What a movement did to a wallet; the same again when the same request is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    pub transaction: TransactionId,
    /// The request was carried out earlier; this is the first answer.
    pub replayed: bool,
    /// Change of the wallet's credits.
    pub net: Credits,
    /// Change of what the wallet owes.
    pub debt_change: Credits,
    pub balance_after: Credits,
    pub debt_after: Credits,
}

/// Whose idempotency keys these are, and which one. Unique for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub scope: String,
    pub key: String,
}

impl Key {
    pub fn new(scope: impl Into<String>, key: impl Into<String>) -> Self {
        Self { scope: scope.into(), key: key.into() }
    }
}

/// Locks the wallets of these people until the transaction ends, by ascending id. A transaction that calls the ledger more
/// than once has to begin with it, or two of them may wait for each other; one call locks what it needs by itself.
pub async fn lock_wallets(tx: &mut PgConnection, owners: &[PersonId]) -> Result<(), Error> {
    sqlx::query!("select credits_lock_wallets($1)", owners as &[PersonId]).execute(tx).await?;
    Ok(())
}

/// Tells the kernel's own refusals (SQLSTATE class AC, see the migration) from everything else.
fn refusal(error: sqlx::Error) -> Error {
    let database = error.as_database_error();
    let code = database.and_then(DatabaseError::code).unwrap_or_default().into_owned();
    let constraint = database.and_then(DatabaseError::constraint).unwrap_or_default();
    match code.as_str() {
        "AC001" => Refusal::KeyUsedForAnotherRequest.into(),
        "AC002" => Refusal::NotEnoughCredits.into(),
        "AC003" => Refusal::CreditsAreOwed.into(),
        // Two requests under one key for different wallets, at the same moment.
        "23505" if constraint == "credit_transactions_once" => Refusal::KeyUsedForAnotherRequest.into(),
        _ => error.into(),
    }
}

/// The number of ledger transactions there are; for tests and the command line.
pub async fn count(db: impl PgExecutor<'_>) -> Result<i64, Error> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from credit_transactions"#).fetch_one(db).await?)
}
