//! What moved in somebody's wallet: the last few, or a page of the older ones.

use atlas::ledger::statement::{Line, Page};
use domain::{Credits, PersonId, paths};
use leptos::prelude::*;

use crate::parts::records::{Column, Record, Records};
use crate::parts::small::{Moment, SignedCredits};
use crate::words;

/// Of the newest page only so many, for what else there is stands below.
const LAST: usize = 10;

#[component]
pub fn Movements(
    movements: Page,
    of: PersonId,
    /// Where the page begins; none: with the newest.
    before: Option<i64>,
) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("What"),
        Column::Number("Credits"),
        Column::Number("Owed"),
        Column::Number("Balance"),
        Column::Text("Order"),
        Column::Text("When"),
    ];
    let here = paths::admin_person(of);
    let Page { mut lines, mut older, .. } = movements;
    if before.is_none() && lines.len() > LAST {
        lines.truncate(LAST);
        older = lines.last().map(|line| line.seq);
    }
    let older = older.map(|before| {
        let href = format!("{}#moved-title", paths::with_query(&here, &[("before", &before.to_string())]));
        view! { <a class="button" rel="next" href=href>"Older movements"</a> }
    });
    view! {
        <Records id="moved-title" title="What moved, newest first" columns=COLUMNS records=lines.into_iter().map(record).collect()
            none="Nothing has moved yet." />
        <nav class="cluster pager" aria-label="Movements">
            {before.map(|_| view! { <a class="button" href=format!("{here}#moved-title")>"Newest movements"</a> })}
            {older}
        </nav>
    }
}

fn record(line: Line) -> Record {
    Record::from(vec![
        view! { {words::transaction_kind(line.kind)}<span class="muted">" "<bdi>{line.description}</bdi></span> }
            .into_any(),
        view! { <SignedCredits amount=line.net /> }.into_any(),
        (line.debt_change != Credits::ZERO).then(|| line.debt_change.signed()).into_any(),
        line.balance_after.to_string().into_any(),
        line.order.map(|order| view! { <a href=paths::admin_order(order)>{order.short()}</a> }).into_any(),
        view! { <Moment at=line.at /> }.into_any(),
    ])
}
