//! Everybody, found by their address or id.

use atlas::Result;
use atlas::people::desk::{self, FOUND_MAX, Found};
use atlas::people::roles::Support;
use domain::{Credits, Role, paths};
use leptos::prelude::*;
use leptos_meta::Title;

use super::for_staff;
use crate::pages::query;
use crate::parts::records::{Column, Record, Records};
use crate::parts::small::Moment;
use crate::request::Request;
use crate::words;

#[component]
pub fn People() -> impl IntoView {
    let (search, apart) = (query("q"), query("path") == "own");
    let page = for_staff(move |request, support| draw(request, support, search, apart));
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

async fn draw(request: Request, support: Support, search: String, apart: bool) -> Result<AnyView> {
    let db = &request.ctx().db;
    let found = if apart { desk::set_apart(db, &support).await? } else { desk::search(db, &support, &search).await? };
    let many = i64::try_from(found.len()).is_ok_and(|found| found >= FOUND_MAX);
    Ok(view! {
        <Title text="People · Atlas Credits" />
        <main id="main" class="page">
            <div class="page-head"><h1>"People"</h1></div>
            <form class="filters" method="get" action=paths::ADMIN_PEOPLE role="search" aria-label="Find people">
                <div class="field">
                    <label for="q">"Search"</label>
                    <input class="input" r#type="search" id="q" name="q" value=search placeholder="Begin of an email, or an id"
                        autocomplete="off" spellcheck="false" />
                </div>
                <button class="button" r#type="submit">"Find"</button>
            </form>
            {apart.then(|| view! {
                <p>"Those with a payment path of their own. "<a href=paths::ADMIN_PEOPLE>"Show everybody"</a></p>
            })}
            <List found />
            {many.then(|| view! { <p class="muted">{format!("The first {FOUND_MAX}. Type more of the address to find others.")}</p> })}
        </main>
    }
    .into_any())
}

#[component]
fn List(found: Vec<Found>) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("Person"),
        Column::Text("Name"),
        Column::Text("Role"),
        Column::Number("Credits"),
        Column::Number("Owed"),
        Column::Text("Since"),
    ];
    let records = found.into_iter().map(|person| {
        Record::from(vec![
            view! { <a href=paths::admin_person(person.id)><bdi>{person.known_as}</bdi></a> }.into_any(),
            Some(person.name).filter(|name| !name.is_empty()).map(|name| view! { <bdi>{name}</bdi> }).into_any(),
            (person.role != Role::Buyer).then(|| words::role(person.role)).into_any(),
            person.posted.to_string().into_any(),
            (person.debt > Credits::ZERO).then(|| person.debt.to_string()).into_any(),
            view! { <Moment at=person.since /> }.into_any(),
        ])
    });
    view! {
        <Records id="people-title" title="Newest first" columns=COLUMNS records=records.collect()
            none="Nobody is found by this. Search by the begin of an email, or by an id." />
    }
}
