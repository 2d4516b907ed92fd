//! What stands above every page while an admin looks at somebody's: whose it is, what can't be done, and the way back.

use atlas::people::Visitor;
use domain::PersonId;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::small::{Icon, Moment};
use crate::actions::admin::viewing::StopViewing;

/// Nothing for whoever sees their own pages.
#[component]
pub fn ViewingBanner(visitor: Visitor) -> impl IntoView {
    match visitor {
        Visitor::Viewing(viewing) => {
            let (person, until) = (viewing.owner().id(), viewing.until());
            let name = viewing.owner().display_name().to_owned();
            view! {
                <Strip person button="Stop viewing">
                    <strong>"These are the pages of "<bdi>{name}</bdi>"."</strong>
                    " Nothing can be changed. Until "<Moment at=until />"."
                </Strip>
            }
            .into_any()
        }
        Visitor::DoneViewing(person) => view! {
            <Strip person button="Go on as yourself"><strong>"You no longer view somebody else’s pages."</strong></Strip>
        }
        .into_any(),
        Visitor::Nobody | Visitor::SettingUp(_) | Visitor::Person(_) => ().into_any(),
    }
}

#[component]
fn Strip(person: PersonId, button: &'static str, children: Children) -> impl IntoView {
    view! {
        <div class="viewing">
            <div class="viewing-row">
                <Icon name="info" />
                <p>{children()}</p>
                <form method="post" action=StopViewing::PATH>
                    <input r#type="hidden" name="person" value=person.to_string() />
                    <button class="button" r#type="submit">{button}</button>
                </form>
            </div>
        </div>
    }
}
