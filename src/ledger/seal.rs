//! Seals over what was booked: a chain of hashes made behind the writers, which nobody waits for.

use sqlx::PgExecutor;

use crate::Result;

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Counts from 1 without a gap.
    pub number: i64,
    pub transactions: i64,
    pub entries: i64,
    /// SHA-256 over the seal before and all rows since.
    pub hash: Vec<u8>,
}

/// Seals up to `limit` transactions, in the order in which they were written. None: nothing new has come to rest, or another
/// process is sealing just now. The hash goes to the log too: outside the database it is out of reach of whoever could
/// change both rows and seals.
pub async fn seal(db: impl PgExecutor<'_>, limit: i32) -> Result<Option<Seal>> {
    let seal = sqlx::query_as!(
        Seal,
        r#"select number as "number!", transactions as "transactions!", entries as "entries!", hash as "hash!"
        from credits_seal($1)"#,
        limit,
    )
    .fetch_optional(db)
    .await?;
    if let Some(seal) = &seal {
        tracing::info!(seal.number, seal.hash = hex(&seal.hash), seal.transactions, "ledger sealed");
    }
    Ok(seal)
}

/// The newest seal.
pub async fn last(db: impl PgExecutor<'_>) -> Result<Option<Seal>> {
    Ok(sqlx::query_as!(
        Seal,
        "select number, transactions, entries, hash from ledger_seals order by number desc limit 1"
    )
    .fetch_optional(db)
    .await?)
}

/// As it is logged and shown.
pub fn hex(hash: &[u8]) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
