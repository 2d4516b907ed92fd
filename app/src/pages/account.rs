//! What people see and change about themselves.

mod browser;
mod sessions;

use atlas::Result;
use atlas::people::{self, SignedIn, account};
use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use crate::actions::account::{ChangePassword, NAME_FORM, PASSWORD_FORM, RenamePerson};
use crate::actions::session::SignOut;
use crate::flash::{self, form_of};
use crate::pages::for_person;
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::parts::small::Moment;
use crate::request::Request;

#[component]
pub fn Account() -> impl IntoView {
    view! { <Suspense>{Suspend::new(for_person(paths::ACCOUNT, draw))}</Suspense> }
}

async fn draw(request: Request, person: SignedIn) -> Result<AnyView> {
    let since = account::since(request.ctx(), &person).await?;
    let open = people::sessions::list(request.ctx(), &person, request.session_hash()?).await?;
    let flash = flash::take(&request).await?;
    let name_form = form_of(flash.as_ref(), NAME_FORM);
    let password_form = form_of(flash.as_ref(), PASSWORD_FORM);
    Ok(view! {
        <Title text="Your account · Atlas Credits" />
        <main id="main" class="page page--reading">
            <div class="page-head"><h1>"Account"</h1></div>
            <FlashNotice flash />
            <section class="stack" aria-labelledby="who-title">
                <h2 id="who-title">"You"</h2>
                <dl class="facts">
                    <div><dt>"Email"</dt><dd>{person.email().to_owned()}</dd></div>
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
                <ErrorSummary form=password_form.clone() />
                <form class="form" method="post" action=ChangePassword::PATH>
                    <input class="visually-hidden" r#type="email" autocomplete="username" value=person.email().to_owned()
                        tabindex="-1" aria-hidden="true" readonly=true />
                    <TextField form=password_form.clone() name="current" label="Present password" kind="password"
                        autocomplete="current-password" />
                    <TextField form=password_form name="new" label="New password" kind="password" autocomplete="new-password"
                        help="At least 8 characters. Changing it signs you out everywhere else." />
                    <div class="form-foot"><button class="button" r#type="submit">"Change password"</button></div>
                </form>
            </section>
            <sessions::Sessions sessions=open />
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
