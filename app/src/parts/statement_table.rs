//! The statement as a table, grouped by day; the overview shows its first lines.

use atlas::ledger::statement::Line;
use domain::paths;
use leptos::prelude::*;

use super::small::SignedCredits;
use crate::words;

#[component]
pub fn StatementTable(lines: Vec<Line>, caption: &'static str) -> impl IntoView {
    let groups = by_day(lines)
        .into_iter()
        .map(|(day, lines)| {
            view! {
                <tbody>
                    <tr class="statement-day"><th colspan="4" scope="rowgroup">{words::day(day)}</th></tr>
                    {lines.into_iter().map(|line| view! { <StatementLine line /> }).collect::<Vec<_>>()}
                </tbody>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <table class="table statement">
            <caption class="visually-hidden">{caption}</caption>
            <thead>
                <tr>
                    <th scope="col">"Time (UTC)"</th>
                    <th scope="col">"What"</th>
                    <th scope="col" class="number">"Credits"</th>
                    <th scope="col" class="number">"Balance"</th>
                </tr>
            </thead>
            {groups}
        </table>
    }
}

#[component]
fn StatementLine(line: Line) -> impl IntoView {
    view! {
        <tr>
            <td class="statement-time">
                <time datetime=words::machine_time(line.at)>{words::clock_time(line.at)}</time>
            </td>
            <td class="statement-what">
                <details class="story">
                    <summary>{line.description}</summary>
                    <dl class="facts">
                        <div><dt>"Kind"</dt><dd>{words::transaction_kind(line.kind)}</dd></div>
                        <div><dt>"When"</dt><dd>{words::moment(line.at)}</dd></div>
                        {line.order.map(|order| view! {
                            <div><dt>"Order"</dt><dd><a href=paths::payment_status(order)>{order.short()}</a></dd></div>
                        })}
                    </dl>
                    <p><a href=paths::transaction(line.transaction)>"The whole story"</a></p>
                </details>
            </td>
            <td class="statement-amount number"><SignedCredits amount=line.net /></td>
            <td class="statement-balance number" data-label="Balance">{line.balance_after.to_string()}</td>
        </tr>
    }
}

/// Lines that follow each other on one day (UTC), together.
fn by_day(lines: Vec<Line>) -> Vec<(time::Date, Vec<Line>)> {
    let mut groups: Vec<(time::Date, Vec<Line>)> = Vec::new();
    for line in lines {
        let day = line.at.to_offset(time::UtcOffset::UTC).date();
        match groups.last_mut() {
            Some((last, lines)) if *last == day => lines.push(line),
            _ => groups.push((day, vec![line])),
        }
    }
    groups
}
