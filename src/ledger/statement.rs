//! The statement: every movement of a wallet with the balance after it, and the story behind each.

pub mod csv;
pub mod overview;
pub mod story;

use domain::ledger::TransactionKind;
use domain::{Credits, OrderId, PersonId, TransactionId};
use sqlx::PgPool;
use time::macros::date;
use time::{Date, OffsetDateTime};

use crate::Result;

pub const PAGE_LINES: usize = 50;
/// Nothing moved before it; PostgreSQL knows no days as early as an address may name.
const FIRST_DAY: Date = date!(0001 - 01 - 01);

/// One movement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub transaction: TransactionId,
    pub kind: TransactionKind,
    /// Its number in the wallet; pages are cut by it.
    pub seq: i64,
    pub at: OffsetDateTime,
    pub description: String,
    pub net: Credits,
    pub debt_change: Credits,
    pub balance_after: Credits,
    pub order: Option<OrderId>,
}

/// Which movements to show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    pub direction: Direction,
    /// First and last day, UTC, both included.
    pub from: Option<Date>,
    pub to: Option<Date>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    Both,
    /// Only credits that came in.
    In,
    /// Only credits that went out.
    Out,
}

impl Direction {
    /// As it stands in the address of a page; empty for both.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Both => "",
            Self::In => "in",
            Self::Out => "out",
        }
    }

    pub fn parse(word: &str) -> Self {
        match word {
            "in" => Self::In,
            "out" => Self::Out,
            _ => Self::Both,
        }
    }

    const fn sign(self) -> i16 {
        match self {
            Self::Both => 0,
            Self::In => 1,
            Self::Out => -1,
        }
    }
}

/// A page of the statement, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub lines: Vec<Line>,
    /// Ask for lines before this number to go on; none at the end.
    pub older: Option<i64>,
}

/// The movements before number `before` (none: from the newest), newest first.
pub async fn page(db: &PgPool, owner: PersonId, filter: Filter, before: Option<i64>) -> Result<Page> {
    Ok(cut(lines(db, owner, filter, None, before, PAGE_LINES + 1).await?))
}

/// The statement as it stood at `at`: what was booked by then, newest first, before number `before`.
pub async fn page_as_of(db: &PgPool, owner: PersonId, at: OffsetDateTime, before: Option<i64>) -> Result<Page> {
    Ok(cut(lines(db, owner, Filter::default(), Some(at), before, PAGE_LINES + 1).await?))
}

fn cut(mut lines: Vec<Line>) -> Page {
    let more = lines.len() > PAGE_LINES;
    lines.truncate(PAGE_LINES);
    let older = if more { lines.last().map(|line| line.seq) } else { None };
    Page { lines, older }
}

/// Uses the index `credit_transactions_statement`.
async fn lines(
    db: &PgPool,
    owner: PersonId,
    filter: Filter,
    as_of: Option<OffsetDateTime>,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<Line>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = sqlx::query!(
        r#"select t.id as "id: TransactionId", t.kind as "kind: TransactionKind", t.last_seq, t.created_at, t.description,
            t.net as "net: Credits", t.debt_change as "debt_change: Credits", t.balance_after as "balance_after: Credits",
            t.order_id as "order_id: OrderId"
        from credit_transactions t
        where t.account_id = (select id from credit_accounts where owner_id = $1 and kind = 'wallet')
            and t.last_seq < coalesce($2, 9223372036854775807)
            and ($3::smallint = 0 or sign(t.net) = $3)
            and ($4::date is null or t.created_at >= $4::date::timestamp at time zone 'UTC')
            and ($5::date is null or t.created_at < ($5::date + 1)::timestamp at time zone 'UTC')
            and ($7::timestamptz is null or t.created_at <= $7)
        order by t.last_seq desc
        limit $6"#,
        owner as PersonId,
        before,
        filter.direction.sign(),
        filter.from.map(|day| day.max(FIRST_DAY)),
        filter.to.map(|day| day.max(FIRST_DAY)),
        limit,
        as_of,
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
