//! The numbers of a period, of the one before it, and of each of its steps, from one moment.

use domain::{Credits, OrderId};
use sqlx::{PgConnection, PgPool};
use time::{Duration, OffsetDateTime};

use super::period::{Between, Period, Step, Wanted, period};
use super::standing::{Standing, standing};
use super::totals::{Figure, KINDS, Totals};
use crate::people::roles::Support;
use crate::{Context, Result};

/// What is drawn step by step.
const DRAWN: [&str; 2] = ["sold", "used"];
/// What is in the wallets, and what they owe.
const LEVELS: [&str; 2] = ["posted", "debt"];

#[derive(Debug, Clone)]
pub struct Overview {
    pub period: Period,
    pub totals: Totals,
    pub before: Option<Totals>,
    pub steps: Vec<(Step, Totals)>,
    /// At the end of the period, or now.
    pub outstanding: Outstanding,
    pub outstanding_before: Option<Outstanding>,
    /// At most ten, the slowest first; exact.
    pub slowest: Vec<Slow>,
    pub standing: Standing,
}

/// Credits that people can still spend, held ones included; and what they owe after refunds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outstanding {
    pub credits: Credits,
    pub owed: Credits,
}

/// A payment whose credits came late.
#[derive(Debug, Clone)]
pub struct Slow {
    pub order: Option<OrderId>,
    pub took: Duration,
    pub granted_at: OffsetDateTime,
}

pub async fn overview(ctx: &Context, by: &Support, wanted: Wanted) -> Result<Overview> {
    let now = ctx.now();
    let period = period(&ctx.db, now, wanted).await?;
    let mut tx = snapshot(&ctx.db).await?;
    let spans: Vec<Between<OffsetDateTime>> = [period.whole].into_iter().chain(period.before).collect();
    let found = read(&mut tx, &period, &spans).await?;
    let slowest = slowest(&mut tx, period.whole).await?;
    let standing = standing(&mut tx, by, now).await?;
    tx.commit().await?;
    let mut wholes = found.wholes.into_iter();
    let mut levels = found.levels.into_iter();
    Ok(Overview {
        totals: wholes.next().unwrap_or_default(),
        before: wholes.next(),
        outstanding: levels.next().unwrap_or_default(),
        outstanding_before: levels.next(),
        steps: period.steps.iter().cloned().zip(found.steps).collect(),
        period,
        slowest,
        standing,
    })
}

/// All that is read in it is from one moment.
async fn snapshot(db: &PgPool) -> Result<sqlx::PgTransaction<'static>> {
    let mut tx = db.begin().await?;
    sqlx::query!("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
    Ok(tx)
}

struct Found {
    wholes: Vec<Totals>,
    steps: Vec<Totals>,
    levels: Vec<Outstanding>,
}

async fn read(db: &mut PgConnection, period: &Period, spans: &[Between<OffsetDateTime>]) -> Result<Found> {
    let from = |spans: &[Between<OffsetDateTime>]| spans.iter().map(|span| span.from).collect::<Vec<_>>();
    let to = |spans: &[Between<OffsetDateTime>]| spans.iter().map(|span| span.to).collect::<Vec<_>>();
    let steps: Vec<_> = period.steps.iter().map(|step| step.during).collect();
    let rows = sqlx::query!(
        r#"select 'whole' as "of!", bin as "bin!", kind as "kind!", part as "part!", count as "count!", sum as "sum!"
        from figures_in($1, $2, $3)
        union all select 'step', bin, kind, part, count, sum from figures_in($4, $5, $6)
        union all select 'level', bin, kind, part, count, sum
            from figures_in(array_fill(timestamptz '2000-01-01 00:00+00', array[cardinality($2::timestamptz[])]), $2, $7)"#,
        &from(spans),
        &to(spans),
        &KINDS.map(str::to_owned),
        &from(&steps),
        &to(&steps),
        &DRAWN.map(str::to_owned),
        &LEVELS.map(str::to_owned),
    )
    .fetch_all(db)
    .await?;
    let mut found = Found {
        wholes: vec![Totals::default(); spans.len()],
        steps: vec![Totals::default(); steps.len()],
        levels: vec![Outstanding::default(); spans.len()],
    };
    for row in rows {
        let nth = usize::try_from(row.bin).unwrap_or(usize::MAX);
        let figure = Figure { count: row.count, sum: row.sum };
        match (row.of.as_str(), row.kind.as_str()) {
            ("level", kind) => {
                let Some(level) = found.levels.get_mut(nth) else { continue };
                let credits = Credits::new(figure.sum);
                if kind == "debt" { level.owed = credits } else { level.credits = credits }
            }
            (of, _) => {
                let totals = if of == "step" { &mut found.steps } else { &mut found.wholes };
                let Some(totals) = totals.get_mut(nth) else { continue };
                totals.add(row.kind, row.part, figure);
            }
        }
    }
    Ok(found)
}

async fn slowest(db: &mut PgConnection, during: Between<OffsetDateTime>) -> Result<Vec<Slow>> {
    let rows = sqlx::query!(
        r#"select order_id as "order: OrderId", took_ms as "took_ms!", granted_at as "granted_at!"
        from slowest_credits($1, $2)"#,
        during.from,
        during.to,
    )
    .fetch_all(db)
    .await?;
    let slow = rows.into_iter().map(|row| Slow {
        order: row.order,
        took: Duration::milliseconds(row.took_ms),
        granted_at: row.granted_at,
    });
    Ok(slow.collect())
}
