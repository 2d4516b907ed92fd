//! Where those begin who look after Atlas, and what they see there.

pub mod answer;
pub mod approvals;
pub mod audit;
pub mod disputes;
pub mod event;
pub mod events;
pub mod order;
pub mod orders;
pub mod overview;
pub mod people;
pub mod person;
pub mod plan;
pub mod plan_new;
pub mod plans;
pub mod refund;
pub mod settings;

use atlas::people::roles::{Admin as AdminRole, Finance, Support};
use atlas::{Error, Result};
use domain::{Role, paths};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::parts::problem::problem;
use crate::request::Request;
use crate::words;

/// Draws a page for whoever may read what is everybody's.
async fn for_staff<F>(draw: impl FnOnce(Request, Support) -> F) -> AnyView
where
    F: Future<Output = Result<AnyView>>,
{
    let drawn = async {
        let request = Request::current()?;
        let support = request.support().await?;
        let role = support.person().role();
        Ok::<_, Error>(beside_places(role, draw(request, support).await?))
    };
    drawn.await.unwrap_or_else(|error| problem(&error))
}

/// Draws a page for whoever may refund.
async fn for_finance<F>(draw: impl FnOnce(Request, Finance) -> F) -> AnyView
where
    F: Future<Output = Result<AnyView>>,
{
    let drawn = async {
        let request = Request::current()?;
        let finance = request.finance().await?;
        let role = finance.person().role();
        Ok::<_, Error>(beside_places(role, draw(request, finance).await?))
    };
    drawn.await.unwrap_or_else(|error| problem(&error))
}

/// Draws a page for admins.
async fn for_admin<F>(draw: impl FnOnce(Request, AdminRole) -> F) -> AnyView
where
    F: Future<Output = Result<AnyView>>,
{
    let drawn = async {
        let request = Request::current()?;
        let admin = request.admin().await?;
        let role = admin.person().role();
        Ok::<_, Error>(beside_places(role, draw(request, admin).await?))
    };
    drawn.await.unwrap_or_else(|error| problem(&error))
}

/// What a role can go to.
fn places(role: Role) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    [
        (Role::Support, paths::ADMIN, "Overview", "what was sold, credited and used, and how it goes"),
        (Role::Support, paths::ADMIN_ORDERS, "Orders", "every order with its whole story, and the requests that wait"),
        (
            Role::Support,
            paths::ADMIN_DISPUTES,
            "Disputes",
            "which have to be answered by when, and how the others ended",
        ),
        (Role::Support, paths::ADMIN_PEOPLE, "People", "anybody’s credits, where they came from, and where they went"),
        (Role::Support, paths::ADMIN_EVENTS, "Events", "what the provider told us, and what became of it"),
        (Role::Admin, paths::ADMIN_PLANS, "Plans", "what is for sale, at which price, and how it stands at Whop"),
        (Role::Admin, paths::ADMIN_APPROVALS, "Approvals", "what another admin wants to do and may not do alone"),
        (Role::Admin, paths::ADMIN_AUDIT, "Audit", "who did what, and when"),
        (Role::Admin, paths::ADMIN_SETTINGS, "Settings", "who pays where, and stopping payments"),
    ]
    .into_iter()
    .filter(move |(least, ..)| role >= *least)
    .map(|(_, path, title, what)| (path, title, what))
}

fn beside_places(role: Role, page: AnyView) -> AnyView {
    let here = use_location().pathname.get_untracked();
    let links = places(role).map(|(path, title, _)| {
        let is_below = path != paths::ADMIN && here.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        let is_here = here == path || is_below;
        view! { <a href=path aria-current=is_here.then_some("page")>{title}</a> }
    });
    view! {
        <nav class="places" aria-label="Administration">{links.collect_view()}</nav>
        {page}
    }
    .into_any()
}

/// Where else to go, and what each role may do there.
#[component]
fn PlacesAndRoles(role: Role) -> impl IntoView {
    let roles = Role::ALL.iter().copied().filter(|each| *each != Role::Buyer);
    let others = places(role).filter(|(path, ..)| *path != paths::ADMIN);
    view! {
        <div class="figure-pair">
            <section class="figure" aria-labelledby="places-title">
                <h2 id="places-title">"Places"</h2>
                <ul class="list">
                    {others
                        .map(|(path, title, what)| view! { <li><a href=path>{title}</a>{format!(": {what}.")}</li> })
                        .collect_view()}
                </ul>
            </section>
            <section class="figure" aria-labelledby="roles-title">
                <h2 id="roles-title">"What each role may do"</h2>
                <p>"Yours is "<strong>{words::role(role)}</strong>". Each role may also do what those above it may."</p>
                <dl class="facts">
                    {roles
                        .map(|each| view! {
                            <div>
                                <dt>{words::role(each)}{(each == role).then_some(" (you)")}</dt>
                                <dd>{words::rights(each)}</dd>
                            </div>
                        })
                        .collect_view()}
                </dl>
            </section>
        </div>
    }
}
