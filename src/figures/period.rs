//! Which time somebody looks at: days of a zone, cut into steps for the charts, beside the same span before it.

use domain::FieldErrors;
use sqlx::PgExecutor;
use time::macros::format_description;
use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time};

use super::zone::Zone;
use crate::Result;

/// The longest span between two dates that is drawn, in days.
pub const DAYS_MAX: i64 = 1_100;
/// Up to so many days, each is a step of its own; beyond that each month is.
const DAYS_DRAWN_MAX: i64 = 92;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// So many days, today the last of them.
    Days(u8),
    /// Twelve calendar months, this one the last of them.
    Year,
    /// Both included.
    Between { first: Date, last: Date },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// With the same span right before; if this one still runs, with its part up to the same time of day.
    Before,
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub span: Span,
    pub zone: Zone,
    pub compare: Compare,
}

/// How wide the steps of a chart are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    Hour,
    Day,
    Month,
}

/// From the first moment up to, and without, the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Between<T> {
    pub from: T,
    pub to: T,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub during: Between<OffsetDateTime>,
    /// When it begins, by the clocks of the zone.
    pub begins: PrimitiveDateTime,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    pub wanted: Wanted,
    pub whole: Between<OffsetDateTime>,
    /// The first and the last day.
    pub days: Between<Date>,
    pub before: Option<Between<OffsetDateTime>>,
    pub width: Width,
    /// Without gaps, oldest first; those that lie ahead are left out.
    pub steps: Vec<Step>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { span: Span::Days(30), zone: Zone::UTC, compare: Compare::Before }
    }
}

impl Wanted {
    /// Reads what stands in the address; what doesn't read is as it is by itself, and said.
    pub fn parse(period: &str, from: &str, to: &str, zone: &str, compare: &str) -> (Self, FieldErrors) {
        let mut errors = FieldErrors::default();
        let span = match period {
            "" | "30d" => Some(Span::Days(30)),
            "today" => Some(Span::Days(1)),
            "7d" => Some(Span::Days(7)),
            "90d" => Some(Span::Days(90)),
            "12m" => Some(Span::Year),
            "dates" => between(from, to, &mut errors),
            _ => {
                errors.add("period", "Choose a period from the list.");
                None
            }
        };
        let zone = if zone.is_empty() { Some(Zone::UTC) } else { Zone::parse(zone) };
        if zone.is_none() {
            errors.add("zone", "Choose a time zone from the list.");
        }
        let compare = if compare == "nothing" { Compare::Nothing } else { Compare::Before };
        let normal = Self::default();
        (Self { span: span.unwrap_or(normal.span), zone: zone.unwrap_or(normal.zone), compare }, errors)
    }

    /// As it stands in the address.
    pub fn period(&self) -> &'static str {
        match self.span {
            Span::Days(1) => "today",
            Span::Days(7) => "7d",
            Span::Days(90) => "90d",
            Span::Days(_) => "30d",
            Span::Year => "12m",
            Span::Between { .. } => "dates",
        }
    }
}

fn between(from: &str, to: &str, errors: &mut FieldErrors) -> Option<Span> {
    let read = |field: &str, text: &str, errors: &mut FieldErrors| {
        let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
        let day = day.filter(|day| (2000..=2100).contains(&day.year()));
        if day.is_none() {
            errors.add(field, "Give a day as year-month-day, such as 2026-11-01.");
        }
        day
    };
    let (first, last) = (read("from", from, errors), read("to", to, errors));
    let (first, last) = (first?, last?);
    if last < first {
        errors.add("to", "Choose a last day that is not before the first.");
        return None;
    }
    if (last - first).whole_days() >= DAYS_MAX {
        errors.add("to", "Choose at most three years.");
        return None;
    }
    Some(Span::Between { first, last })
}

/// By the clocks of a zone.
#[derive(Debug, PartialEq, Eq)]
struct Local {
    whole: Between<PrimitiveDateTime>,
    before: Between<PrimitiveDateTime>,
    width: Width,
    steps: Vec<PrimitiveDateTime>,
}

/// Finds the moments that it begins and ends at; PostgreSQL knows the zones.
pub async fn period(db: impl PgExecutor<'_> + Copy, now: OffsetDateTime, wanted: Wanted) -> Result<Period> {
    let local_now = sqlx::query_scalar!(
        r#"select $1::timestamptz at time zone $2 as "now!: PrimitiveDateTime""#,
        now,
        wanted.zone.as_str(),
    )
    .fetch_one(db)
    .await?;
    let local = plan(wanted.span, local_now);
    let ends = [local.whole.from, local.whole.to, local.before.from, local.before.to];
    let clocks: Vec<PrimitiveDateTime> = ends.into_iter().chain(local.steps.iter().copied()).collect();
    let moments = sqlx::query_scalar!(
        r#"select local at time zone $2 as "moment!" from unnest($1::timestamp[]) with ordinality as l (local, nth) order by nth"#,
        &clocks,
        wanted.zone.as_str(),
    )
    .fetch_all(db)
    .await?;
    let [from, to, before_from, before_to, starts @ ..] = moments.as_slice() else {
        return Err(crate::Error::broken("a period without an end"));
    };
    let ends = starts.iter().skip(1).chain([to]);
    let steps = starts
        .iter()
        .zip(ends)
        .zip(&local.steps)
        .map(|((from, to), begins)| Step { during: Between { from: *from, to: *to }, begins: *begins });
    // Where clocks go forward, an hour has no time in it.
    let steps = steps.filter(|step| step.during.from < step.during.to && step.during.from <= now).collect();
    let compares = wanted.compare == Compare::Before && before_from < before_to;
    Ok(Period {
        wanted,
        whole: Between { from: *from, to: *to },
        days: Between { from: local.whole.from.date(), to: local.whole.to.date().saturating_sub(Duration::DAY) },
        before: compares.then_some(Between { from: *before_from, to: *before_to }),
        width: local.width,
        steps,
    })
}

fn plan(span: Span, now: PrimitiveDateTime) -> Local {
    let tomorrow = now.date().saturating_add(Duration::DAY);
    let (first, after) = match span {
        Span::Days(days) => (tomorrow.saturating_sub(Duration::days(days.max(1).into())), tomorrow),
        Span::Year => (months_before(first_of_month(now.date()), 11), tomorrow),
        Span::Between { first, last } => (first, last.saturating_add(Duration::DAY)),
    };
    let days = (after - first).whole_days();
    let back = |date: Date| match span {
        Span::Year => months_before(date, 12),
        Span::Days(_) | Span::Between { .. } => date.saturating_sub(Duration::days(days)),
    };
    let runs = after > now.date() && first <= now.date();
    let before_to =
        if runs { next_quarter(PrimitiveDateTime::new(back(now.date()), now.time())) } else { midnight(back(after)) };
    let width = match span {
        Span::Year => Width::Month,
        _ if days == 1 => Width::Hour,
        _ if days <= DAYS_DRAWN_MAX => Width::Day,
        _ => Width::Month,
    };
    Local {
        whole: Between { from: midnight(first), to: midnight(after) },
        before: Between { from: midnight(back(first)), to: before_to },
        width,
        steps: steps(first, after, width),
    }
}

fn steps(first: Date, after: Date, width: Width) -> Vec<PrimitiveDateTime> {
    let mut starts = vec![midnight(first)];
    while let Some(last) = starts.last() {
        let next = match width {
            Width::Hour => last.saturating_add(Duration::HOUR),
            Width::Day => last.saturating_add(Duration::DAY),
            Width::Month => midnight(first_of_month(first_of_month(last.date()).saturating_add(Duration::days(31)))),
        };
        if next >= midnight(after) {
            break;
        }
        starts.push(next);
    }
    starts
}

const fn midnight(day: Date) -> PrimitiveDateTime {
    PrimitiveDateTime::new(day, Time::MIDNIGHT)
}

fn first_of_month(day: Date) -> Date {
    day.replace_day(1).unwrap_or(day)
}

/// The same day of an earlier month, or its last one.
fn months_before(day: Date, months: i32) -> Date {
    let count = day.year() * 12 + i32::from(u8::from(day.month())) - 1 - months;
    let month = u8::try_from(count.rem_euclid(12) + 1).ok().and_then(|month| Month::try_from(month).ok());
    let (year, month) = (count.div_euclid(12), month.unwrap_or(Month::January));
    let last = month.length(year);
    Date::from_calendar_date(year, month, day.day().min(last)).unwrap_or(day)
}

fn next_quarter(at: PrimitiveDateTime) -> PrimitiveDateTime {
    let into = i64::from(at.minute()) % 15 * 60 + i64::from(at.second());
    let down = at.replace_nanosecond(0).unwrap_or(at).saturating_sub(Duration::seconds(into));
    if into == 0 && at.nanosecond() == 0 { at } else { down.saturating_add(Duration::minutes(15)) }
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;

    #[test]
    fn a_period_that_runs_is_compared_up_to_the_same_time_of_day() {
        let today = plan(Span::Days(1), datetime!(2026-11-22 10:07:30));
        assert_eq!(today.whole, Between { from: datetime!(2026-11-22 0:00), to: datetime!(2026-11-23 0:00) });
        assert_eq!(today.before, Between { from: datetime!(2026-11-21 0:00), to: datetime!(2026-11-21 10:15) });
        assert_eq!((today.width, today.steps.len()), (Width::Hour, 24));

        let year = plan(Span::Year, datetime!(2028-02-29 12:00));
        assert_eq!(year.whole, Between { from: datetime!(2027-03-01 0:00), to: datetime!(2028-03-01 0:00) });
        assert_eq!(year.before, Between { from: datetime!(2026-03-01 0:00), to: datetime!(2027-02-28 12:00) });
        assert_eq!((year.width, year.steps.len()), (Width::Month, 12));

        let past = Span::Between { first: date!(2026 - 01 - 30), last: date!(2026 - 02 - 02) };
        let past = plan(past, datetime!(2026-11-22 10:07:30));
        assert_eq!(past.before, Between { from: datetime!(2026-01-26 0:00), to: datetime!(2026-01-30 0:00) });
        assert_eq!(past.steps.len(), 4);
        let long = Span::Between { first: date!(2026 - 01 - 30), last: date!(2026 - 06 - 01) };
        let starts = plan(long, datetime!(2026-11-22 10:07:30)).steps;
        assert_eq!((starts.len(), starts.first()), (6, Some(&datetime!(2026-01-30 0:00))));
        assert_eq!(starts.last(), Some(&datetime!(2026-06-01 0:00)));
    }

    #[test]
    fn what_does_not_read_is_said_and_is_as_it_is_by_itself() {
        let (wanted, errors) = Wanted::parse("dates", "2026-02-30", "", "Mars/Base", "");
        assert_eq!(wanted, Wanted::default());
        let fields: Vec<_> = errors.iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["from", "to", "zone"]);
        for (from, to) in [("2026-02-02", "2026-02-01"), ("2020-01-01", "2026-01-01")] {
            assert!(Wanted::parse("dates", from, to, "", "").1.of("to").is_some(), "{from} to {to}");
        }
        let (wanted, errors) = Wanted::parse("dates", "2026-02-01", "2026-02-01", "Asia/Kathmandu", "nothing");
        assert!(errors.is_empty());
        assert_eq!(
            (wanted.period(), wanted.zone.place(), wanted.compare),
            ("dates", "Kathmandu".to_owned(), Compare::Nothing)
        );
        for period in ["today", "7d", "30d", "90d", "12m"] {
            assert_eq!(Wanted::parse(period, "", "", "", "").0.period(), period);
        }
    }
}
