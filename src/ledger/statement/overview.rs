//! A wallet at a glance, from one query: its newest movements, and what was in it at the end of each of the last days.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use domain::ledger::TransactionKind;
use domain::{Credits, OrderId, PersonId, TransactionId};
use sqlx::PgExecutor;
use time::{Date, Duration, UtcOffset};

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

/// Both from one moment. The balances of the days are counted back from what the newest movement left.
pub async fn overview(db: impl PgExecutor<'_>, owner: PersonId, span: Span) -> Result<Overview> {
    let rows = sqlx::query!(
        r#"with wallet as materialized (
            select id from credit_accounts where owner_id = $1 and kind = 'wallet'
        ), before as (
            -- Read back to the first day; without it the whole wallet would be.
            select last_seq from credit_transactions
            where account_id = (select id from wallet) and created_at < $2
            order by last_seq desc limit 1
        ), newest as (
            select id, kind, last_seq, created_at, description, net, debt_change, balance_after, order_id
            from credit_transactions where account_id = (select id from wallet)
            order by last_seq desc limit $3
        ), moved as (
            select array_agg(day) as days, array_agg(net) as nets from (
                select date_bin('1 day', created_at, $2) as day, sum(net)::bigint as net from credit_transactions
                where account_id = (select id from wallet) and last_seq > coalesce((select last_seq from before), 0)
                group by date_bin('1 day', created_at, $2)
            ) by_day
        )
        select newest.id as "id: TransactionId", newest.kind as "kind: TransactionKind", newest.last_seq,
            newest.created_at, newest.description, newest.net as "net: Credits",
            newest.debt_change as "debt_change: Credits", newest.balance_after as "balance_after: Credits",
            newest.order_id as "order_id: OrderId", moved.days, moved.nets
        from newest cross join moved
        order by newest.last_seq desc"#,
        owner as PersonId,
        span.first_day().midnight().assume_utc(),
        i64::try_from(span.lines.max(1)).unwrap_or(i64::MAX),
    )
    .fetch_all(db)
    .await?;
    let left = rows.first().map_or(Credits::ZERO, |row| row.balance_after);
    let (days, nets) = rows.first().map(|row| (row.days.as_deref(), row.nets.as_deref())).unwrap_or_default();
    let moved = days.unwrap_or_default().iter().map(|at| at.to_offset(UtcOffset::UTC).date());
    let moved = moved.zip(nets.unwrap_or_default().iter().copied()).collect();
    let history = day_ends(left, &moved, span);
    let lines = rows.into_iter().take(span.lines).map(|row| Line {
        transaction: row.id,
        kind: row.kind,
        seq: row.last_seq,
        at: row.created_at,
        description: row.description,
        net: row.net,
        debt_change: row.debt_change,
        balance_after: row.balance_after,
        order: row.order_id,
    });
    Ok(Overview { recent: lines.collect(), history })
}

impl Span {
    fn first_day(self) -> Date {
        self.today.saturating_sub(Duration::days(i64::from(self.days) - 1))
    }
}

/// A day began with what it ended with, less what moved in it; and so did the day before it end.
fn day_ends(left: Credits, moved: &BTreeMap<Date, i64>, span: Span) -> Vec<DayEnd> {
    // The database's clock may be a moment ahead, and its day a day.
    let later: i64 = moved.range((Excluded(span.today), Unbounded)).map(|(_, net)| net).sum();
    let mut balance = left.get() - later;
    let mut newest_first: Vec<DayEnd> = (0..i64::from(span.days))
        .map(|ago| {
            let day = span.today.saturating_sub(Duration::days(ago));
            let end = DayEnd { day, balance: Credits::new(balance) };
            balance -= moved.get(&day).copied().unwrap_or_default();
            end
        })
        .collect();
    newest_first.reverse();
    newest_first
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn days_are_counted_back_from_what_is_left() {
        let moved = [(date!(2026 - 11 - 01), 100), (date!(2026 - 11 - 03), -30), (date!(2026 - 11 - 05), 7)].into();
        let span = Span { today: date!(2026 - 11 - 04), days: 5, lines: 0 };
        let ends = day_ends(Credits::new(80), &moved, span);
        let shown: Vec<_> = ends.iter().map(|end| (end.day.day(), end.balance.get())).collect();
        assert_eq!(shown, [(31, 3), (1, 103), (2, 103), (3, 73), (4, 73)]);
    }
}
