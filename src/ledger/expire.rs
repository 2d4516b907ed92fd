//! Ending what is due. Housekeeping only: no spend takes an expired lot, and no capture an expired hold, swept or not.

use domain::Credits;
use sqlx::PgExecutor;

use crate::Result;

/// What one run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    pub holds: i64,
    pub lots: i64,
    /// Booked against `expired`.
    pub credits: Credits,
}

impl Expired {
    /// Nothing was due, or the wallets where something was are busy.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Ends up to `limit` holds that are due, then up to `limit` lots. Repeat until nothing is.
pub async fn expire(db: impl PgExecutor<'_>, limit: i32) -> Result<Expired> {
    Ok(sqlx::query_as!(
        Expired,
        r#"select holds as "holds!", lots as "lots!", credits as "credits!: Credits" from credits_expire($1)"#,
        limit,
    )
    .fetch_one(db)
    .await?)
}
