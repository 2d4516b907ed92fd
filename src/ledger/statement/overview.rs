//! A wallet at a glance, from one query: its newest movements, and what was in it at the end of each of the last days.

use domain::ledger::TransactionKind;
use domain::{Credits, OrderId, PersonId, TransactionId};
use sqlx::PgExecutor;
use time::{Date, Duration, OffsetDateTime, UtcOffset};

use super::Line;
use crate::Result;

/// What was in the wallet at the end of a day (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayEnd {
    pub day: Date,
    pub balance: Credits,
}

/// How much of the past to show.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The last day (UTC), and how many there are up to it, at least one.
    pub today: Date,
    pub days: u8,
    /// How many of the newest movements.
    pub lines: usize,
}

/// The newest movements, newest first, and the days, oldest first, today last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    pub recent: Vec<Line>,
    pub history: Vec<DayEnd>,
}

/// Reads the wallet's movements once, back from the newest, by the index `credit_transactions_statement`.
pub async fn overview(db: impl PgExecutor<'_>, owner: PersonId, span: Span) -> Result<Overview> {
    let mut lines = telling(db, owner, span).await?;
    let history = day_ends(&lines, span);
    lines.truncate(span.lines);
    Ok(Overview { recent: lines, history })
}

/// The lines that tell the rest, newest first: the newest ones, the last of each day of the span, and the last before it.
async fn telling(db: impl PgExecutor<'_>, owner: PersonId, span: Span) -> Result<Vec<Line>> {
    let rows = sqlx::query!(
        r#"select line.id as "id: TransactionId", line.kind as "kind: TransactionKind", line.last_seq, line.created_at,
            line.description, line.net as "net: Credits", line.debt_change as "debt_change: Credits",
            line.balance_after as "balance_after: Credits", line.order_id as "order_id: OrderId"
        from (
            select t.id, t.kind, t.last_seq, t.created_at, t.description, t.net, t.debt_change, t.balance_after, t.order_id,
                row_number() over newest_first as place, lag(t.created_at) over newest_first as next_at
            from credit_transactions t
            where t.account_id = (select id from credit_accounts where owner_id = $1 and kind = 'wallet')
            window newest_first as (order by t.last_seq desc)
        ) line
        where line.place <= $3 or (
            line.next_at >= $2
            and (line.created_at at time zone 'UTC')::date <> (line.next_at at time zone 'UTC')::date
        )
        order by line.last_seq desc"#,
        owner as PersonId,
        span.first_day().midnight().assume_utc(),
        i64::try_from(span.lines.max(1)).unwrap_or(i64::MAX),
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Line {
            transaction: row.id,
            kind: row.kind,
            seq: row.last_seq,
            at: row.created_at,
            description: row.description,
            net: row.net,
            debt_change: row.debt_change,
            balance_after: row.balance_after,
            order: row.order_id,
        })
        .collect())
}

impl Span {
    fn first_day(self) -> Date {
        self.today.saturating_sub(Duration::days(i64::from(self.days) - 1))
    }
}

/// A day ends with what its last movement left, or with what the day before it ended with; at first with nothing.
fn day_ends(newest_first: &[Line], span: Span) -> Vec<DayEnd> {
    let mut oldest_first = newest_first.iter().rev().peekable();
    let mut balance = Credits::ZERO;
    (0..i64::from(span.days))
        .map(|later| {
            let day = span.first_day().saturating_add(Duration::days(later));
            while let Some(line) = oldest_first.next_if(|line| day_of(line.at) <= day) {
                balance = line.balance_after;
            }
            DayEnd { day, balance }
        })
        .collect()
}

fn day_of(at: OffsetDateTime) -> Date {
    at.to_offset(UtcOffset::UTC).date()
}
