//! Where somebody is signed in, and ending it there.

use atlas::people::sessions::of_others::Listed;
use domain::PersonId;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::actions::admin::people::{EndSessionsOf, SESSIONS_FORM};
use crate::flash::{Flash, Form, form_of};
use crate::parts::browser;
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::folded::Folded;
use crate::parts::small::Moment;
use crate::words;

const PREFIX: &str = "sessions-";

pub fn form(flash: Option<&Flash>) -> Form {
    form_of(flash, SESSIONS_FORM)
}

/// One form: its reason holds for whichever of its buttons is pressed.
#[component]
pub fn Sessions(person: PersonId, sessions: Vec<Listed>, may_end: bool, form: Form) -> impl IntoView {
    let now = words::signed_in_at(sessions.len());
    let (open, ends) = (form.came_back(), may_end && !sessions.is_empty());
    let listed = sessions.into_iter().map(|session| view! { <Row session may_end /> }).collect_view();
    let list = view! { <ul class="devices" role="list">{listed}</ul> };
    view! {
        <Folded title="See where they are signed in" now open>
            {if ends {
                view! {
                    <ErrorSummary form=form.clone() prefix=PREFIX />
                    <form class="form" method="post" action=EndSessionsOf::PATH>
                        <input r#type="hidden" name="person" value=person.to_string() />
                        <TextField form name="reason" label="Why it ends there" autocomplete="off" prefix=PREFIX
                            help="Kept in the audit. Whoever is signed out can sign in again." />
                        {list}
                        <div class="form-foot">
                            <button class="button" r#type="submit" name="session" value="all">"End all"</button>
                        </div>
                    </form>
                }
                .into_any()
            } else {
                list.into_any()
            }}
        </Folded>
    }
}

#[component]
fn Row(session: Listed, may_end: bool) -> impl IntoView {
    let name = browser::name(session.agent.as_deref());
    let label = format!("End {name}");
    view! {
        <li class="device">
            <div>
                <p class="device-name">{name}{session.network.map(|network| view! { ", "<code>{network}</code> })}</p>
                <p class="muted">"Last used "<Moment at=session.seen_at />", since "<Moment at=session.since /></p>
            </div>
            {may_end.then(|| view! {
                <button class="button" r#type="submit" name="session" value=session.id.to_string() aria-label=label>"End"</button>
            })}
        </li>
    }
}
