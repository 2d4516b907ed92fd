//! Asking for a link that lets one choose a new password.

use atlas::Result;
use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use crate::actions::reset::{AskForReset, FORGOT_FORM};
use crate::flash::{self, Flash, Form, form_of};
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::parts::problem::problem;
use crate::request::Request;

#[component]
pub fn ForgotPassword() -> impl IntoView {
    view! { <Suspense>{Suspend::new(async { draw().await.unwrap_or_else(|error| problem(&error)) })}</Suspense> }
}

async fn draw() -> Result<AnyView> {
    let flash = flash::take(&Request::current()?).await?;
    let form = form_of(flash.as_ref(), FORGOT_FORM);
    Ok(view! { <ForgotPage flash form /> }.into_any())
}

#[component]
fn ForgotPage(flash: Option<Flash>, form: Form) -> impl IntoView {
    view! {
        <Title text="Forgot your password? · Atlas Credits" />
        <main id="main" class="page page--form">
            <div class="page-head"><h1>"Forgot your password?"</h1></div>
            <FlashNotice flash />
            <ErrorSummary form=form.clone() />
            <form class="form" method="post" action=AskForReset::PATH>
                <TextField form name="email" label="Email" kind="email" autocomplete="username"
                    help="We send a link there. With it you choose a new password." />
                <div class="form-foot">
                    <button class="button button--primary button--wide" r#type="submit">"Send the link"</button>
                </div>
            </form>
            <p class="muted">"It came back to you? "<a href=paths::SIGN_IN>"Sign in"</a></p>
        </main>
    }
}
