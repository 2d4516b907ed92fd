//! What is in a wallet now.

use domain::{Credits, PersonId};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::Result;

/// A wallet at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    /// Credits in the wallet, held ones included.
    pub posted: Credits,
    /// Of those, reserved for something under way.
    pub held: Credits,
    /// Owed after a refund of what was already spent.
    pub debt: Credits,
}

impl Balance {
    /// What can be spent.
    pub const fn available(&self) -> Credits {
        Credits::new(self.posted.get() - self.held.get())
    }
}

/// The person's balance.
pub async fn balance(db: impl PgExecutor<'_>, owner: PersonId) -> Result<Balance> {
    let row = sqlx::query!(
        r#"select posted as "posted: Credits", held as "held: Credits", debt as "debt: Credits"
        from credit_accounts where owner_id = $1 and kind = 'wallet'"#,
        owner as PersonId,
    )
    .fetch_one(db)
    .await?;
    Ok(Balance { posted: row.posted, held: row.held, debt: row.debt })
}

/// What was in a wallet at a past moment, and what it owed. What was held then is not kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PastBalance {
    pub posted: Credits,
    pub debt: Credits,
}

/// The person's balance as of `at`: after the last movement that was booked by then.
pub async fn balance_at(db: impl PgExecutor<'_>, owner: PersonId, at: OffsetDateTime) -> Result<PastBalance> {
    let row = sqlx::query!(
        r#"select balance_after as "posted: Credits", debt_after as "debt: Credits" from credit_transactions
        where account_id = (select id from credit_accounts where owner_id = $1 and kind = 'wallet') and created_at <= $2
        order by last_seq desc limit 1"#,
        owner as PersonId,
        at,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or_else(PastBalance::default, |row| PastBalance { posted: row.posted, debt: row.debt }))
}
