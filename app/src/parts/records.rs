//! A section with a heading and a table. Where it is narrow, each row becomes a card whose cells say their column's title.

use leptos::prelude::*;

/// A column: its title, and whether it holds numbers.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    Text(&'static str),
    Number(&'static str),
}

impl Column {
    const fn title(self) -> &'static str {
        match self {
            Self::Text(title) | Self::Number(title) => title,
        }
    }

    const fn class(self) -> Option<&'static str> {
        match self {
            Self::Text(_) => None,
            Self::Number(_) => Some("number"),
        }
    }
}

/// One row: a cell for each column, the first of which names it.
pub struct Record {
    pub cells: Vec<AnyView>,
    /// What stands below it, over the whole width.
    pub under: Option<AnyView>,
}

impl From<Vec<AnyView>> for Record {
    fn from(cells: Vec<AnyView>) -> Self {
        Self { cells, under: None }
    }
}

#[component]
pub fn Records(
    id: &'static str,
    title: &'static str,
    columns: &'static [Column],
    records: Vec<Record>,
    /// Said where there are none; without it the whole section is left out then.
    #[prop(optional)]
    none: Option<&'static str>,
) -> impl IntoView {
    if records.is_empty() {
        let said = none?;
        return Some(
            view! {
                <section class="stack" aria-labelledby=id><h2 id=id>{title}</h2><p class="muted">{said}</p></section>
            }
            .into_any(),
        );
    }
    let head = columns.iter().map(|column| view! { <th scope="col" class=column.class()>{column.title()}</th> });
    let rows = records.into_iter().map(|record| {
        let mut cells = record.cells.into_iter();
        let name = cells.next();
        let others = columns.iter().skip(1).zip(cells).map(|(column, cell)| {
            view! { <td data-label=column.title() class=column.class()>{cell}</td> }
        });
        let under = record.under.map(|under| view! { <tr><td colspan=columns.len().to_string()>{under}</td></tr> });
        view! {
            <tr><th scope="row">{name}</th>{others.collect_view()}</tr>
            {under}
        }
    });
    let table = view! {
        <table class="table">
            <thead><tr>{head.collect_view()}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    Some(view! { <section class="stack" aria-labelledby=id><h2 id=id>{title}</h2>{table}</section> }.into_any())
}
