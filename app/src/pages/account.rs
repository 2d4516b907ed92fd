//! What people see and change about themselves.

pub mod delete;
pub mod email;
mod membership;
mod own_data;
pub mod password;
pub mod second_factor;
mod sessions;
mod whop;

use atlas::Result;
use atlas::people::{self, Owner, account};
use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use crate::actions::account::{NAME_FORM, RenamePerson};
use crate::actions::licence::LICENCE_FORM;
use crate::actions::session::SignOut;
use crate::flash::{self, form_of};
use crate::pages::for_owner;
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::parts::small::Moment;
use crate::request::Request;

#[component]
pub fn Account() -> impl IntoView {
    view! { <Suspense>{Suspend::new(for_owner(paths::ACCOUNT, draw))}</Suspense> }
}

async fn draw(request: Request, person: Owner) -> Result<AnyView> {
    let since = account::since(request.ctx(), &person).await?;
    // Only whoever is signed in: to others the names of their browsers are no use.
    let open = match request.person().await? {
        Some(person) => Some(people::sessions::list(request.ctx(), &person, request.session_hash()?).await?),
        None => None,
    };
    let ways = people::identities::ways_in(&request.ctx().db, &person).await?;
    let standing = atlas::memberships::check::look(request.ctx(), &person).await?;
    let flash = flash::take(&request).await?;
    let licence_form = form_of(flash.as_ref(), LICENCE_FORM);
    let name_form = form_of(flash.as_ref(), NAME_FORM);
    Ok(view! {
        <Title text="Your account · Atlas Credits" />
        <main id="main" class="page page--reading">
            <div class="page-head"><h1>"Account"</h1></div>
            <FlashNotice flash />
            <email::ClaimNotice person=person.clone() />
            <section class="stack" aria-labelledby="who-title">
                <h2 id="who-title">"You"</h2>
                <dl class="facts">
                    <div>
                        <dt>"Email"</dt>
                        <dd>{person.email().to_owned()}" "<a href=paths::CHANGE_EMAIL>"Change email"</a></dd>
                    </div>
                    <div><dt>"Here since"</dt><dd><Moment at=since /></dd></div>
                </dl>
                <ErrorSummary form=name_form.clone() />
                <form class="form" method="post" action=RenamePerson::PATH>
                    <TextField form=name_form name="name" label="Name" autocomplete="name" optional=true
                        initial=person.name().to_owned() help="Stands on your receipts. Leave it empty to use your email." />
                    <div class="form-foot"><button class="button" r#type="submit">"Save name"</button></div>
                </form>
            </section>
            <section class="stack" aria-labelledby="password-title">
                <h2 id="password-title">"Password"</h2>
                <p><a class="button" href=paths::CHANGE_PASSWORD>"Change password"</a></p>
            </section>
            <section class="stack" aria-labelledby="factor-title">
                <h2 id="factor-title">"Second factor"</h2>
                <p>
                    {if person.has_second_factor() {
                        "On: signing in takes a code from your authenticator."
                    } else {
                        "Off: your password alone signs you in."
                    }}
                </p>
                <p><a class="button" href=paths::SECOND_FACTOR>"Manage second factor"</a></p>
            </section>
            <whop::WhopAccount ways offered=request.ctx().whop_oauth.is_some() />
            <membership::MembershipAccount standing form=licence_form />
            {match open {
                Some(sessions) => view! { <sessions::Sessions sessions /> }.into_any(),
                None => view! { <sessions::NotShown /> }.into_any(),
            }}
            <own_data::OwnData />
            <section class="stack" aria-labelledby="out-title">
                <h2 id="out-title">"Leave"</h2>
                <form method="post" action=SignOut::PATH>
                    <button class="button" r#type="submit">"Sign out"</button>
                </form>
            </section>
        </main>
    }
    .into_any())
}
