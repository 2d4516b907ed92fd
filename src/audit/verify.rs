//! Checking the chain: every entry hashes to what it says, and follows the one before.

use sqlx::PgPool;

use crate::Result;

const PART: i64 = 10_000;

/// How the chain stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many entries were looked at.
    pub entries: i64,
    /// The newest one's hash, hexadecimal. Kept elsewhere, it tells whether entries were cut off the end.
    pub hash: Option<String>,
    /// The numbers of those that do not hold.
    pub broken: Vec<i64>,
}

/// Looks at every entry, a part at a time.
pub async fn verify(db: &PgPool) -> Result<Verified> {
    let newest = sqlx::query!(
        r#"select number, encode(hash, 'hex') as "hash!" from audit_entries order by number desc limit 1"#
    )
    .fetch_optional(db)
    .await?;
    let Some(newest) = newest else { return Ok(Verified::default()) };
    let mut broken = Vec::new();
    let mut from = 1;
    while from <= newest.number {
        let to = newest.number.min(from + PART - 1);
        let part = sqlx::query_scalar!(r#"select number as "number!" from audit_broken($1, $2)"#, from, to);
        broken.extend(part.fetch_all(db).await?);
        from = to + 1;
    }
    let entries =
        sqlx::query_scalar!(r#"select count(*) as "count!" from audit_entries where number <= $1"#, newest.number)
            .fetch_one(db)
            .await?;
    Ok(Verified { entries, hash: Some(newest.hash), broken })
}

/// Whether the entry of this number still has the hash that was noted down.
pub async fn still_has(db: &PgPool, number: i64, hash: &str) -> Result<bool> {
    let stored =
        sqlx::query_scalar!(r#"select encode(hash, 'hex') as "hash!" from audit_entries where number = $1"#, number)
            .fetch_optional(db)
            .await?;
    Ok(stored.is_some_and(|stored| stored.eq_ignore_ascii_case(hash.trim())))
}
