//! Where those begin who look after Atlas, and what they see there.

pub mod answer;
pub mod order;
pub mod orders;

use atlas::Result;
use atlas::people::roles::{Admin as AdminRole, Support};
use domain::{Role, paths};
use leptos::prelude::*;
use leptos_meta::Title;

use crate::parts::problem::problem;
use crate::request::Request;
use crate::words;

#[component]
pub fn Admin() -> impl IntoView {
    view! { <Suspense>{Suspend::new(draw())}</Suspense> }
}

async fn draw() -> AnyView {
    match staff().await {
        Ok(staff) => view! { <AdminPage role=staff.person().role() /> }.into_any(),
        Err(error) => problem(&error),
    }
}

/// Strangers learn no more than buyers: that there is nothing.
async fn staff() -> Result<Support> {
    Request::current()?.support().await
}

/// Draws a page for whoever may read what is everybody's.
async fn for_staff<F>(draw: impl FnOnce(Request, Support) -> F) -> AnyView
where
    F: Future<Output = Result<AnyView>>,
{
    let drawn = async {
        let request = Request::current()?;
        let support = request.support().await?;
        draw(request, support).await
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
        draw(request, admin).await
    };
    drawn.await.unwrap_or_else(|error| problem(&error))
}

#[component]
fn AdminPage(role: Role) -> impl IntoView {
    let roles = Role::ALL.iter().copied().filter(|each| *each != Role::Buyer);
    view! {
        <Title text="Administration · Atlas Credits" />
        <main id="main" class="page page--reading">
            <div class="page-head"><h1>"Administration"</h1></div>
            <section class="stack" aria-labelledby="places-title">
                <h2 id="places-title">"Places"</h2>
                <p><a href=paths::ADMIN_ORDERS>"Orders"</a>": every order with its whole story, and the requests that wait."</p>
            </section>
            <section class="stack" aria-labelledby="roles-title">
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
        </main>
    }
}
