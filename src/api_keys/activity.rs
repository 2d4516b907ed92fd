//! What was done with a key: for whoever has to find out what a leaked one did.

use domain::{ApiKeyId, Credits, PersonId, TransactionId};
use serde::Serialize;
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::{Error, Result};

/// At most this many lines.
pub const LINES_MAX: i64 = 10_000;

/// All that was booked under the key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Activity {
    pub id: ApiKeyId,
    pub name: String,
    pub counter: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub revoked_at: Option<OffsetDateTime>,
    pub transactions: i64,
    /// How many wallets it took from.
    pub wallets: i64,
    /// What it took, from all of them together.
    pub credits: Credits,
    #[serde(with = "time::serde::rfc3339::option")]
    pub first_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_at: Option<OffsetDateTime>,
    /// The newest ones, newest first, at most [`LINES_MAX`].
    pub newest: Vec<Line>,
}

/// One booking.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub transaction: TransactionId,
    pub person: Option<PersonId>,
    pub credits: Credits,
    /// The application's idempotency key.
    pub key: String,
    pub description: String,
}

/// Everything from `since` on, or ever. Its bookings have the scope `api:<id>` in the ledger.
///
/// Errors: [`Error::NotFound`].
pub async fn activity(db: &PgPool, id: ApiKeyId, since: Option<OffsetDateTime>, lines: i64) -> Result<Activity> {
    let key = sqlx::query!("select name, counter, created_at, revoked_at from api_keys where id = $1", id as ApiKeyId)
        .fetch_optional(db)
        .await?
        .ok_or(Error::NotFound)?;
    let scope = format!("api:{id}");
    let sums = sqlx::query!(
        r#"select count(*) as "transactions!", count(distinct account_id) as "wallets!",
            coalesce(-sum(net), 0)::bigint as "credits!: Credits", min(created_at) as first_at, max(created_at) as last_at
        from credit_transactions where scope = $1 and ($2::timestamptz is null or created_at >= $2)"#,
        scope,
        since,
    )
    .fetch_one(db)
    .await?;
    let newest = sqlx::query_as!(
        Line,
        r#"select t.created_at as at, t.id as "transaction: TransactionId", wallet.owner_id as "person: PersonId",
            -t.net as "credits!: Credits", t.key, t.description
        from credit_transactions t join credit_accounts wallet on wallet.id = t.account_id
        where t.scope = $1 and ($2::timestamptz is null or t.created_at >= $2)
        order by t.created_at desc, t.id desc limit $3"#,
        scope,
        since,
        lines.clamp(0, LINES_MAX),
    )
    .fetch_all(db)
    .await?;
    Ok(Activity {
        id,
        name: key.name,
        counter: key.counter,
        created_at: key.created_at,
        revoked_at: key.revoked_at,
        transactions: sums.transactions,
        wallets: sums.wallets,
        credits: sums.credits,
        first_at: sums.first_at,
        last_at: sums.last_at,
        newest,
    })
}
