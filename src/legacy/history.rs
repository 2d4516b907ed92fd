//! What happened to somebody's credits before the move, to be looked at.

use domain::{Credits, PersonId};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::Result;

/// The newest ones; more are rarely asked about, and are in the person's export.
pub const SHOWN_MAX: i64 = 50;

/// One old transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub amount: Credits,
    /// The old system's word.
    pub kind: String,
    pub description: String,
    /// As it was told there; it may not add up.
    pub balance_after: Option<Credits>,
    pub at: Option<OffsetDateTime>,
    /// How many there are in all.
    pub of: i64,
}

/// The newest [`SHOWN_MAX`] of somebody's, newest first. Uses the index `legacy_transactions_person`.
pub async fn newest(db: impl PgExecutor<'_>, person: PersonId) -> Result<Vec<Line>> {
    Ok(sqlx::query_as!(
        Line,
        r#"select amount as "amount: Credits", kind, description, balance_after as "balance_after: Credits", at,
            count(*) over () as "of!"
        from legacy_transactions where person_id = $1
        order by at desc nulls last, legacy_id desc limit $2"#,
        person as PersonId,
        SHOWN_MAX,
    )
    .fetch_all(db)
    .await?)
}
