//! What happened to somebody's credits in the system before this one. It moved nothing here.

use atlas::legacy::history::Line;
use leptos::prelude::*;

use crate::parts::records::{Column, Record, Records};
use crate::parts::small::{Moment, SignedCredits};

/// Nothing at all for who came later.
#[component]
pub fn BeforeTheMove(lines: Vec<Line>) -> impl IntoView {
    const COLUMNS: &[Column] =
        &[Column::Text("What"), Column::Number("Credits"), Column::Number("Balance then"), Column::Text("When")];
    let (shown, of) = (lines.len(), lines.first().map_or(0, |line| line.of));
    let is_cut = usize::try_from(of).is_ok_and(|of| of > shown);
    let records: Vec<Record> = lines
        .into_iter()
        .map(|line| {
            Record::from(vec![
                view! { <bdi>{line.kind}</bdi><span class="muted">" "<bdi>{line.description}</bdi></span> }.into_any(),
                view! { <SignedCredits amount=line.amount /> }.into_any(),
                line.balance_after.map(|balance| balance.to_string()).into_any(),
                match line.at {
                    Some(at) => view! { <Moment at /> }.into_any(),
                    None => "unknown".into_any(),
                },
            ])
        })
        .collect();
    view! {
        <Records id="before-title" title="Before the move" columns=COLUMNS records />
        {is_cut.then(|| view! { <p class="muted">{format!("The newest {shown} of {of}.")}</p> })}
    }
}
