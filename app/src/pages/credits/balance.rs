//! The balance, large, with its line over the last days.

use std::fmt::Write as _;

use atlas::ledger::balance::Balance;
use atlas::ledger::statement::overview::DayEnd;
use domain::Credits;
use leptos::prelude::*;

use crate::words;

/// The chart's own units; CSS gives it its size.
const WIDTH: i64 = 480;
const HEIGHT: i64 = 96;

#[component]
pub fn BalanceSection(balance: Balance, history: Vec<DayEnd>) -> impl IntoView {
    let held = (balance.held > Credits::ZERO).then(|| {
        view! {
            <div>
                <dt>"Held"</dt>
                <dd><strong>{balance.held.to_string()}</strong>" reserved for work under way"</dd>
            </div>
        }
    });
    let debt = (balance.debt > Credits::ZERO).then(|| {
        view! {
            <div data-tone="bad">
                <dt>"Owed"</dt>
                <dd><strong>{balance.debt.to_string()}</strong>" after a refund; your next purchase repays it first"</dd>
            </div>
        }
    });
    let lines = (held.is_some() || debt.is_some()).then(|| view! { <dl class="balance-lines">{held}{debt}</dl> });
    view! {
        <section class="balance" aria-labelledby="balance-title">
            <div>
                <h2 class="balance-label" id="balance-title">"Your balance"</h2>
                <p class="balance-figure">
                    <span class="balance-number">{balance.available().to_string()}</span>
                    <span class="balance-unit">"credits"</span>
                </p>
                {lines}
            </div>
            <BalanceChart history />
        </section>
    }
}

#[component]
fn BalanceChart(history: Vec<DayEnd>) -> impl IntoView {
    let (Some(first), Some(last)) = (history.first().copied(), history.last().copied()) else { return ().into_any() };
    let lowest = history.iter().map(|day| day.balance).min().unwrap_or_default();
    let highest = history.iter().map(|day| day.balance).max().unwrap_or_default();
    let paths = draw_line(&history);
    let rows = history
        .iter()
        .rev()
        .map(|day| {
            view! { <tr><td>{words::day(day.day)}</td><td class="number">{day.balance.to_string()}</td></tr> }
        })
        .collect::<Vec<_>>();
    view! {
        <figure class="balance-chart">
            <figcaption class="balance-label">"Last 30 days"</figcaption>
            <svg class="chart" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" role="img"
                aria-labelledby="chart-title chart-desc">
                <title id="chart-title">"Balance over the last 30 days"</title>
                <desc id="chart-desc">{format!("From {} to {} credits; lowest {lowest}, highest {highest}.", first.balance, last.balance)}</desc>
                <path class="chart-area" d=paths.area />
                <path class="chart-zero" d=format!("M0 {HEIGHT}H{WIDTH}") />
                <path class="chart-line" d=paths.line />
                <path class="chart-now" d=paths.now />
            </svg>
            <p class="chart-axis"><span>{short_day(first)}</span><span>{short_day(last)}</span></p>
            <details class="disclosure">
                <summary>"As a table"</summary>
                <table class="table">
                    <caption class="visually-hidden">"Balance at the end of each day (UTC)"</caption>
                    <thead><tr><th scope="col">"Day"</th><th scope="col" class="number">"Credits"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        </figure>
    }
    .into_any()
}

fn short_day(day: DayEnd) -> String {
    format!("{} {}", day.day.day(), &day.day.month().to_string()[..3])
}

struct ChartPaths {
    line: String,
    area: String,
    /// A path without length, drawn as a dot by its round cap.
    now: String,
}

/// A stepped line: a balance stays what it is until it moves.
fn draw_line(history: &[DayEnd]) -> ChartPaths {
    let top = history.iter().map(|day| day.balance.get()).max().unwrap_or_default().max(1);
    let steps = i64::try_from(history.len()).unwrap_or(i64::MAX).saturating_sub(1).max(1);
    // A little air above the highest point; wide integers, as balances may be large.
    let height = |balance: i64| {
        let drawn = i128::from(balance.max(0)) * i128::from(HEIGHT - 8) / i128::from(top);
        HEIGHT - i64::try_from(drawn).unwrap_or(HEIGHT)
    };
    let mut line = String::new();
    let mut end = (0, HEIGHT);
    for (day, index) in history.iter().zip(0_i64..) {
        let (x, y) = (index * WIDTH / steps, height(day.balance.get()));
        // Writing to a string can't fail.
        let _ = if index == 0 { write!(line, "M{x} {y}") } else { write!(line, "H{x}V{y}") };
        end = (x, y);
    }
    let area = format!("{line}V{HEIGHT}H0Z");
    ChartPaths { line, area, now: format!("M{} {}h0", end.0, end.1) }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn the_line_steps_from_day_to_day_and_fits_its_box() {
        let day = |balance| DayEnd { day: date!(2026 - 11 - 21), balance: Credits::new(balance) };
        let paths = draw_line(&[day(0), day(5_000), day(2_500)]);
        assert_eq!(paths.line, "M0 96H240V8H480V52");
        assert_eq!(paths.area, "M0 96H240V8H480V52V96H0Z");
        assert_eq!(paths.now, "M480 52h0");
        assert_eq!(draw_line(&[day(i64::MAX)]).line, "M0 8");
        assert_eq!(draw_line(&[]).line, "");
    }
}
