//! Asking for the password again, before something that can do lasting harm.

use atlas::Result;
use atlas::people::SignedIn;
use atlas::people::identities::{WaysIn, ways_in};
use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use crate::actions::confirm::{CONFIRM_FORM, ConfirmPerson};
use crate::actions::session::next_path;
use crate::flash::{self, Flash, Form, form_of};
use crate::pages::{for_anybody, query};
use crate::parts::field::{CodeField, ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::parts::whop::WhopConfirm;
use crate::request::{Request, see_other};

#[component]
pub fn Confirm() -> impl IntoView {
    let return_to = next_path(&query("return_to"));
    view! {
        <Suspense>
            {Suspend::new(async move {
                for_anybody(&return_to.clone(), |request, person| draw(request, person, return_to)).await
            })}
        </Suspense>
    }
}

async fn draw(request: Request, person: SignedIn, return_to: String) -> Result<AnyView> {
    if request.fresh(&person).await?.is_some() {
        see_other(&return_to);
    }
    let flash = flash::take_message(&request).await?;
    let form = form_of(flash.as_ref(), CONFIRM_FORM);
    let ways = ways_in(&request.ctx().db, &person).await?;
    let (email, with_code) = (person.email().to_owned(), person.has_second_factor());
    Ok(view! { <ConfirmPage flash form email with_code return_to ways /> }.into_any())
}

#[component]
fn ConfirmPage(
    flash: Option<Flash>,
    form: Form,
    email: String,
    with_code: bool,
    return_to: String,
    ways: WaysIn,
) -> impl IntoView {
    let with_whop = (!(ways.identities.is_empty() || with_code && ways.password))
        .then(|| view! { <WhopConfirm return_to=return_to.clone() /> });
    view! {
        <Title text="Confirm that it’s you · Atlas Credits" />
        <main id="main" class="page page--form">
            <div class="page-head"><h1>"Confirm that it’s you"</h1></div>
            <FlashNotice flash />
            <ErrorSummary form=form.clone() />
            <p class="muted">
                "What you are about to do could do harm in the wrong hands, so we ask once more who you are. Then you have five "
                "minutes."
            </p>
            {ways
                .password
                .then(|| {
                    view! {
                        <form class="form" method="post" action=ConfirmPerson::PATH>
                            <input r#type="hidden" name="return_to" value=return_to />
                            <input class="visually-hidden" r#type="email" autocomplete="username" value=email tabindex="-1"
                                aria-hidden="true" readonly=true />
                            <TextField form=form.clone() name="password" label="Password" kind="password"
                                autocomplete="current-password" />
                            {with_code
                                .then(|| view! {
                                    <CodeField form help="From your authenticator, or a recovery code. Each works once." />
                                })}
                            <div class="form-foot">
                                <button class="button button--primary button--wide" r#type="submit">"Confirm"</button>
                            </div>
                        </form>
                    }
                })}
            {with_whop}
            <p class="muted"><a href=paths::ACCOUNT>"Back to your account"</a></p>
        </main>
    }
}
