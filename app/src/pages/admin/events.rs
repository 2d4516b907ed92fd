//! What the provider told us, newest first; what needs somebody stands out.

mod jobs;

use atlas::Result;
use atlas::events::desk::{self, Page, STATES};
use atlas::jobs::list;
use atlas::people::roles::Support;
use domain::{EventId, Role, paths};
use leptos::prelude::*;
use leptos_meta::Title;

use self::jobs::Jobs;
use super::for_staff;
use crate::flash;
use crate::pages::query;
use crate::parts::notice::FlashNotice;
use crate::parts::records::{Column, Record, Records};
use crate::parts::small::{Badge, Moment};
use crate::request::Request;
use crate::words;

#[component]
pub fn Events() -> impl IntoView {
    let state = STATES.into_iter().find(|state| *state == query("state"));
    let before = query("before").parse().ok();
    let page = for_staff(move |request, support| draw(request, support, state, before));
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

async fn draw(
    request: Request,
    support: Support,
    state: Option<&'static str>,
    before: Option<EventId>,
) -> Result<AnyView> {
    let db = &request.ctx().db;
    let found = desk::page(db, &support, state, before).await?;
    let waiting = desk::to_look_at(db, &support).await?;
    let parked = list::parked(db, &support).await?;
    let may_act = support.person().role() >= Role::Admin;
    let flash = flash::take(&request).await?;
    let states = STATES.into_iter().map(|each| {
        view! { <option value=each selected=state == Some(each)>{words::event_state(each).0}</option> }
    });
    Ok(view! {
        <Title text="Events · Atlas Credits" />
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>"Events"</h1>
                    <p class="page-lead">{words::events_wait(waiting)}</p>
                </div>
            </div>
            <FlashNotice flash />
            <form class="filters" method="get" action=paths::ADMIN_EVENTS role="search" aria-label="Filter the events">
                <div class="field">
                    <label for="state">"State"</label>
                    <select class="input" id="state" name="state">
                        <option value="" selected=state.is_none()>"Any"</option>
                        {states.collect_view()}
                    </select>
                </div>
                <button class="button" r#type="submit">"Show"</button>
            </form>
            <Found found state before />
            <Jobs parked may_act />
        </main>
    }
    .into_any())
}

#[component]
fn Found(found: Page, state: Option<&'static str>, before: Option<EventId>) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("Event"),
        Column::Text("State"),
        Column::Text("Why"),
        Column::Text("About"),
        Column::Text("From"),
        Column::Text("Came"),
    ];
    let older = found.older.map(|before| {
        view! { <a class="button" rel="next" href=address(state, Some(before))>"Older"</a> }
    });
    let newest = before.map(|_| view! { <a class="button" href=address(state, None)>"Newest"</a> });
    let records = found.events.into_iter().map(|event| {
        let (said, tone) = words::event_state(&event.state);
        Record::from(vec![
            view! { <a href=paths::admin_event(event.id)>{event.kind}</a> }.into_any(),
            view! { <Badge words=said tone /> }.into_any(),
            event.reason.map(|reason| reason.replace('_', " ")).into_any(),
            event.object_id.map(|id| view! { <code>{id}</code> }).into_any(),
            event.provider.title().into_any(),
            view! { <Moment at=event.received_at /> }.into_any(),
        ])
    });
    view! {
        <Records id="events-title" title="Newest first" columns=COLUMNS records=records.collect()
            none="No event is in this state." />
        <nav class="cluster pager" aria-label="Pages">{newest}{older}</nav>
    }
}

fn address(state: Option<&str>, before: Option<EventId>) -> String {
    let before = before.map(|id| id.to_string());
    let query = [("state", state.unwrap_or_default()), ("before", before.as_deref().unwrap_or_default())];
    paths::with_query(paths::ADMIN_EVENTS, &query)
}
