//! Who did what: the entries, newest first, searched.

mod changed;

use std::collections::HashMap;

use atlas::Result;
use atlas::audit::What;
use atlas::audit::list::{Entry, Filter, before};
use atlas::people::desk::known_as;
use atlas::people::find;
use atlas::people::roles::Admin;
use domain::{PersonId, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use time::{Date, Duration, Time};

use self::changed::Changed;
use super::for_admin;
use crate::pages::query;
use crate::parts::days::{self, DayFields};
use crate::parts::records::{Column, Record, Records};
use crate::parts::small::Moment;
use crate::request::Request;

const PAGE_ENTRIES: i64 = 50;

/// What the address asks for. A value that doesn't read is as good as none.
#[derive(Clone)]
struct Asked {
    /// An address or a person's id.
    who: String,
    deed: Option<&'static str>,
    from: Option<Date>,
    to: Option<Date>,
    before: Option<i64>,
}

#[component]
pub fn Audit() -> impl IntoView {
    let deed = query("deed");
    let asked = Asked {
        who: query("who").trim().to_owned(),
        deed: What::ALL.iter().map(|what| what.as_str()).find(|word| *word == deed),
        from: days::typed(&query("from")),
        to: days::typed(&query("to")),
        before: query("before").parse().ok(),
    };
    let page = for_admin(move |request, admin| draw(request, admin, asked));
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

async fn draw(request: Request, admin: Admin, asked: Asked) -> Result<AnyView> {
    let db = &request.ctx().db;
    let person = match asked.who.parse::<PersonId>() {
        Ok(id) => Some(id),
        Err(_) if asked.who.is_empty() => None,
        Err(_) => find(db, &asked.who).await?,
    };
    let filter = Filter {
        person,
        address: Some(asked.who.to_lowercase()).filter(|who| !who.is_empty()),
        deed: asked.deed.map(ToOwned::to_owned),
        since: asked.from.map(|day| day.with_time(Time::MIDNIGHT).assume_utc()),
        until: asked.to.map(|day| day.with_time(Time::MIDNIGHT).assume_utc() + Duration::DAY),
    };
    let mut entries = before(db, &filter, asked.before.unwrap_or(i64::MAX), PAGE_ENTRIES + 1).await?;
    let more = entries.len() > usize::try_from(PAGE_ENTRIES).unwrap_or(usize::MAX);
    entries.truncate(usize::try_from(PAGE_ENTRIES).unwrap_or(usize::MAX));
    let people: Vec<PersonId> =
        entries.iter().flat_map(|entry| [entry.actor_id, person_about(entry)]).flatten().collect();
    let names = known_as(db, &admin, &people).await?;
    let older = entries.last().filter(|_| more).map(|entry| entry.number);
    Ok(view! {
        <Title text="Audit · Atlas Credits" />
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>"Audit"</h1>
                    <p class="page-lead">"Nothing in it can be changed or taken out: "<code>"atlas audit verify"</code>" shows that."</p>
                </div>
            </div>
            <Filters asked=asked.clone() />
            <Found entries names />
            <nav class="cluster pager" aria-label="Pages">
                {asked.before.map(|_| view! { <a class="button" href=address(&asked, None)>"Newest"</a> })}
                {older.map(|before| view! { <a class="button" rel="next" href=address(&asked, Some(before))>"Older"</a> })}
            </nav>
        </main>
    }
    .into_any())
}

#[component]
fn Filters(asked: Asked) -> impl IntoView {
    let deeds = What::ALL.iter().map(|what| {
        let word = what.as_str();
        view! { <option value=word selected=asked.deed == Some(word)>{word.replace('_', " ")}</option> }
    });
    view! {
        <form class="filters" method="get" action=paths::ADMIN_AUDIT role="search" aria-label="Filter the audit">
            <div class="field">
                <label for="who">"Person"</label>
                <input class="input" r#type="search" id="who" name="who" value=asked.who.clone()
                    placeholder="Email or id" autocomplete="off" spellcheck="false" />
            </div>
            <div class="field">
                <label for="deed">"Deed"</label>
                <select class="input" id="deed" name="deed">
                    <option value="" selected=asked.deed.is_none()>"Any"</option>
                    {deeds.collect_view()}
                </select>
            </div>
            <DayFields from=asked.from to=asked.to />
            <button class="button" r#type="submit">"Find"</button>
        </form>
    }
}

#[component]
fn Found(entries: Vec<Entry>, names: HashMap<PersonId, String>) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("Deed"),
        Column::Text("By"),
        Column::Text("About"),
        Column::Text("What changed, and why"),
        Column::Text("From"),
        Column::Text("When"),
    ];
    let records = entries.into_iter().map(|entry| {
        let about = match (entry.about.as_str(), person_about(&entry)) {
            (_, Some(person)) => person_link(&names, person),
            ("order", _) => {
                let href = format!("{}/{}", paths::ADMIN_ORDERS, entry.about_id);
                view! { <a href=href>"an order"</a> }.into_any()
            }
            ("address", _) => "an address".into_any(),
            (kind, _) => view! { {kind.replace('_', " ")}" "<code>{entry.about_id.clone()}</code> }.into_any(),
        };
        Record::from(vec![
            view! { {entry.deed.replace('_', " ")}<span class="muted">{format!(" #{}", entry.number)}</span> }
                .into_any(),
            match (entry.actor_id, entry.part) {
                (Some(person), _) => person_link(&names, person),
                (None, Some(part)) => format!("{} ({part})", entry.actor).into_any(),
                (None, None) => entry.actor.into_any(),
            },
            about,
            view! {
                {entry.why.map(|why| view! { <p><bdi>{why}</bdi></p> })}
                <Changed change=entry.change />
            }
            .into_any(),
            entry.network.into_any(),
            view! { <Moment at=entry.at /> }.into_any(),
        ])
    });
    view! {
        <Records id="entries-title" title="Newest first" columns=COLUMNS records=records.collect()
            none="No entry fits this search." />
    }
}

/// Whom it is about, if it is about a person.
fn person_about(entry: &Entry) -> Option<PersonId> {
    (entry.about == "person").then(|| entry.about_id.parse().ok()).flatten()
}

/// By what they are known, or by their number: the entry outlives whoever left.
fn person_link(names: &HashMap<PersonId, String>, person: PersonId) -> AnyView {
    let name = names.get(&person).cloned().unwrap_or_else(|| person.short());
    view! { <a href=paths::admin_person(person)><bdi>{name}</bdi></a> }.into_any()
}

fn address(asked: &Asked, before: Option<i64>) -> String {
    let from = asked.from.map(days::written).unwrap_or_default();
    let to = asked.to.map(days::written).unwrap_or_default();
    let before = before.map(|number| number.to_string()).unwrap_or_default();
    let deed = asked.deed.unwrap_or_default();
    paths::with_query(
        paths::ADMIN_AUDIT,
        &[("who", &asked.who), ("deed", deed), ("from", &from), ("to", &to), ("before", &before)],
    )
}
