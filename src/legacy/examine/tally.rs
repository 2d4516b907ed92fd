//! What an examination found, counted.

use sqlx::PgConnection;

use crate::Result;
use crate::legacy::damage::{Damage, Gravity};
use crate::legacy::run::Read;

/// One kind of damage, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub damage: Damage,
    pub rows: i64,
    /// The old id of the first row that has it, or its place where it has none.
    pub example: String,
}

/// Profiles: how many were read, and what becomes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct People {
    pub read: i64,
    pub left_out: i64,
    /// Imported before.
    pub there: i64,
    pub new: i64,
    /// Somebody here has the email or the id.
    pub linked: i64,
    /// The same email as one before.
    pub merged: i64,
    /// The sum of all balances that could be read.
    pub credits_read: i64,
    /// What those who are not there yet begin with.
    pub credits_due: i64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Orders {
    pub read: i64,
    pub left_out: i64,
    pub there: i64,
    pub due: i64,
    /// Of those due, the ones that wait for an answer.
    pub waiting: i64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Transactions {
    pub read: i64,
    pub left_out: i64,
    pub there: i64,
    pub due: i64,
    /// What those sum to that are not left out.
    pub credits: i64,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The gravest first.
    pub findings: Vec<Finding>,
    pub people: People,
    pub orders: Orders,
    pub transactions: Transactions,
}

impl Findings {
    /// The gravest thing found; none, where all is well.
    pub fn gravest(&self) -> Option<Gravity> {
        self.findings.iter().map(|finding| finding.damage.gravity()).max()
    }

    /// How many rows there are to import.
    pub const fn due(&self) -> i64 {
        self.people.new + self.people.linked + self.people.merged + self.orders.due + self.transactions.due
    }
}

pub(super) async fn tally(tx: &mut PgConnection, read: Read) -> Result<Findings> {
    Ok(Findings {
        findings: findings(tx).await?,
        people: People { read: read.people, ..people(tx).await? },
        orders: Orders { read: read.orders, ..orders(tx).await? },
        transactions: Transactions { read: read.transactions, ..transactions(tx).await? },
    })
}

/// The same damage may be in several tables: its rows are added up, and the example is the first table's.
async fn findings(tx: &mut PgConnection) -> Result<Vec<Finding>> {
    let rows = sqlx::query!(
        r#"with people as (
            select code, count(*) as rows, min(place) as first
            from legacy_staged_people cross join unnest(faults || found) as code group by code
        ), orders as (
            select code, count(*) as rows, min(place) as first
            from legacy_staged_orders cross join unnest(faults || found) as code group by code
        ), transactions as (
            select code, count(*) as rows, min(place) as first
            from legacy_staged_transactions cross join unnest(faults || found) as code group by code
        )
        select 1 as "part!", code as "code!", rows as "rows!", first as "place!", staged.id as "id!"
            from people join legacy_staged_people staged on staged.place = people.first
        union all select 2, code, rows, first, staged.id
            from orders join legacy_staged_orders staged on staged.place = orders.first
        union all select 3, code, rows, first, staged.id
            from transactions join legacy_staged_transactions staged on staged.place = transactions.first
        order by 1, 2"#
    )
    .fetch_all(tx)
    .await?;
    let mut findings = Vec::new();
    for damage in Damage::ALL {
        let mut told = rows.iter().filter(|row| row.code == damage.code()).peekable();
        let Some(first) = told.peek() else { continue };
        let example = if first.id.is_empty() { format!("row {}", first.place) } else { first.id.clone() };
        findings.push(Finding { damage: *damage, example, rows: told.map(|row| row.rows).sum() });
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.damage.gravity()));
    Ok(findings)
}

async fn people(tx: &mut PgConnection) -> Result<People> {
    let row = sqlx::query!(
        r#"select count(*) filter (where treatment is null) as "left_out!",
            count(*) filter (where treatment = 'there') as "there!", count(*) filter (where treatment = 'new') as "new!",
            count(*) filter (where treatment = 'linked') as "linked!",
            count(*) filter (where treatment = 'merged') as "merged!",
            coalesce(sum(credits), 0)::bigint as "credits_read!",
            coalesce(sum(opening) filter (where treatment <> 'there'), 0)::bigint as "credits_due!"
        from legacy_staged_people"#
    )
    .fetch_one(tx)
    .await?;
    Ok(People {
        read: 0,
        left_out: row.left_out,
        there: row.there,
        new: row.new,
        linked: row.linked,
        merged: row.merged,
        credits_read: row.credits_read,
        credits_due: row.credits_due,
    })
}

async fn orders(tx: &mut PgConnection) -> Result<Orders> {
    let row = sqlx::query!(
        r#"select count(*) filter (where unreadable or left_out) as "left_out!", count(*) filter (where is_there) as "there!",
            count(*) filter (where not (unreadable or left_out or is_there)) as "due!",
            count(*) filter (where not (unreadable or left_out or is_there) and state = 'requested') as "waiting!"
        from legacy_staged_orders"#
    )
    .fetch_one(tx)
    .await?;
    Ok(Orders { read: 0, left_out: row.left_out, there: row.there, due: row.due, waiting: row.waiting })
}

async fn transactions(tx: &mut PgConnection) -> Result<Transactions> {
    let row = sqlx::query!(
        r#"select count(*) filter (where unreadable or left_out) as "left_out!",
            count(*) filter (where not (unreadable or left_out) and known.legacy_id is not null) as "there!",
            count(*) filter (where not (unreadable or left_out) and known.legacy_id is null) as "due!",
            coalesce(sum(staged.amount) filter (where not (unreadable or left_out)), 0)::text as "credits!"
        from legacy_staged_transactions staged left join legacy_transactions known on known.legacy_id = staged.id"#
    )
    .fetch_one(tx)
    .await?;
    Ok(Transactions {
        read: 0,
        left_out: row.left_out,
        there: row.there,
        due: row.due,
        credits: row.credits.parse().unwrap_or(i64::MAX),
    })
}
