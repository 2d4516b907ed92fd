//! What is in a wallet now.

use domain::{Credits, PersonId};
use sqlx::PgExecutor;

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
