//! How numbers and their changes read.

use atlas::figures::period::{Between, Width};
use domain::{Credits, Money};
use time::macros::format_description;
use time::{Date, Duration, PrimitiveDateTime};

/// `1,234`.
pub fn count(number: i64) -> String {
    Credits::new(number).to_string()
}

/// `1 refund`, `2 refunds`.
pub fn counted(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// `72.9 %`.
pub fn percent(thousandths: i64) -> String {
    format!("{}.{}\u{a0}%", count(thousandths / 10), thousandths % 10)
}

pub fn percent_or_none(thousandths: Option<i64>) -> String {
    thousandths.map_or_else(|| "–".to_owned(), percent)
}

/// `+12 %`, `−3 %`, `as before`. None: there was nothing that it could be compared with.
pub fn change(now: i64, before: i64) -> Option<String> {
    if now == before {
        return Some("as before".to_owned());
    }
    let part = (i128::from(now) - i128::from(before)) * 100 / i128::from((before != 0).then_some(before.abs())?);
    let part = i64::try_from(part).unwrap_or(i64::MAX);
    Some(match part {
        0 if now > before => "a little more".to_owned(),
        0 => "a little less".to_owned(),
        _ => format!("{}\u{a0}%", Credits::new(part).signed()),
    })
}

/// In tenths of a point: `+1.2 points`.
pub fn points(now: Option<i64>, before: Option<i64>) -> Option<String> {
    let moved = now? - before?;
    let sign = if moved > 0 { "+" } else { "−" };
    Some(match moved.abs() {
        0 => "as before".to_owned(),
        moved => format!("{sign}{}.{} points", moved / 10, moved % 10),
    })
}

/// `850 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`, `3 days`.
pub fn duration(took: Duration) -> String {
    let (ms, seconds) = (took.whole_milliseconds(), took.whole_seconds());
    match seconds {
        ..1 => format!("{ms}\u{a0}ms"),
        1..60 => format!("{}.{}\u{a0}s", seconds, ms % 1000 / 100),
        60..3_600 => format!("{}\u{a0}min {}\u{a0}s", seconds / 60, seconds % 60),
        3_600..172_800 => format!("{}\u{a0}h {}\u{a0}min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} days", count(seconds / 86_400)),
    }
}

/// The amounts after the first, for what stands small beside it; and the first. Without any: nothing, in dollars.
pub fn leading(amounts: &[Money]) -> (Money, Vec<Money>) {
    let mut sorted = amounts.to_vec();
    sorted.sort_by_key(|amount| (amount.currency.code() != "USD", amount.currency.code()));
    let mut sorted = sorted.into_iter();
    (sorted.next().unwrap_or(Money::usd(0)), sorted.collect())
}

/// `1 – 30 Nov 2026`, roughly: both days, each as short as it can be.
pub fn days(days: Between<Date>) -> String {
    if days.from == days.to { day(days.from) } else { format!("{} – {}", day(days.from), day(days.to)) }
}

pub fn day(day: Date) -> String {
    day.format(format_description!("[day padding:none] [month repr:short] [year]")).unwrap_or_default()
}

/// What a step of a chart is called.
pub fn step(begins: PrimitiveDateTime, width: Width) -> String {
    let said = match width {
        Width::Hour => begins.format(format_description!("[hour]:[minute]")),
        Width::Day => begins.format(format_description!("[day padding:none] [month repr:short]")),
        Width::Month => begins.format(format_description!("[month repr:short] [year]")),
    };
    said.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_read_as_they_are() {
        assert_eq!(change(112, 100).as_deref(), Some("+12\u{a0}%"));
        assert_eq!(change(50, 100).as_deref(), Some("−50\u{a0}%"));
        assert_eq!(change(1001, 1000).as_deref(), Some("a little more"));
        assert_eq!((change(5, 0), change(0, 0).as_deref()), (None, Some("as before")));
        assert_eq!(points(Some(729), Some(731)).as_deref(), Some("−0.2 points"));
        assert_eq!(points(Some(729), None), None);
        assert_eq!(percent(1000), "100.0\u{a0}%");
    }

    #[test]
    fn durations_are_as_long_as_they_need() {
        let said = |ms| duration(Duration::milliseconds(ms)).replace('\u{a0}', " ");
        assert_eq!([0, 850, 4_260, 200_000].map(said), ["0 ms", "850 ms", "4.2 s", "3 min 20 s"]);
        assert_eq!([7_500_000, 259_200_000].map(said), ["2 h 5 min", "3 days"]);
    }
}
