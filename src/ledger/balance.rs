//! What is in a wallet, now and over the last days.

use domain::{Credits, PersonId};
use sqlx::{PgExecutor, PgPool};
use time::{Date, OffsetDateTime};

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

/// What was in the wallet at the end of a day (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayEnd {
    pub day: Date,
    pub balance: Credits,
}

/// What the overview shows: the wallet now, and over the last days.
#[derive(Debug, Clone)]
pub struct Overview {
    pub balance: Balance,
    pub history: Vec<DayEnd>,
}

/// The balance and its history of `days` days up to `today`.
pub async fn overview(db: &PgPool, owner: PersonId, today: Date, days: i32) -> Result<Overview> {
    Ok(Overview { balance: balance(db, owner).await?, history: history(db, owner, today, days).await? })
}

/// The balance at the end of each of the last `days` days, oldest first, today last.
pub async fn history(db: impl PgExecutor<'_>, owner: PersonId, today: Date, days: i32) -> Result<Vec<DayEnd>> {
    // The statement's index finds the last movement before each midnight only by reading back, so the movements of the
    // window are read once, and the balance before them comes from the newest older one.
    let rows = sqlx::query!(
        r#"with wallet as (
            select id from credit_accounts where owner_id = $1 and kind = 'wallet'
        ), moved as (
            select distinct on ((created_at at time zone 'UTC')::date)
                (created_at at time zone 'UTC')::date as day, balance_after
            from credit_transactions
            where account_id = (select id from wallet) and created_at >= ($2::date - $3::int)::timestamp at time zone 'UTC'
            order by (created_at at time zone 'UTC')::date, last_seq desc
        ), before as (
            select balance_after from credit_transactions
            where account_id = (select id from wallet) and created_at < ($2::date - $3::int)::timestamp at time zone 'UTC'
            order by last_seq desc limit 1
        )
        select calendar.day::date as "day!",
            coalesce(
                (select moved.balance_after from moved where moved.day <= calendar.day order by moved.day desc limit 1),
                (select balance_after from before), 0
            ) as "balance!: Credits"
        from generate_series($2::date - ($3::int - 1), $2::date, interval '1 day') as calendar (day)
        order by calendar.day"#,
        owner as PersonId,
        today,
        days,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| DayEnd { day: row.day, balance: row.balance }).collect())
}
