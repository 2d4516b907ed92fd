//! Making an account.

use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use super::sign_in::visit;
use crate::actions::session::{SIGN_UP_FORM, SignUp as SignUpAction, next_path};
use crate::flash::{Flash, Form, form_of};
use crate::pages::query;
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::parts::problem::problem;
use crate::parts::whop::WhopButton;

#[component]
pub fn SignUp() -> impl IntoView {
    let next = next_path(&query("next"));
    view! { <Suspense>{Suspend::new(async move { draw(next).await })}</Suspense> }
}

async fn draw(next: String) -> AnyView {
    match visit(&next).await {
        Ok(flash) => {
            let form = form_of(flash.as_ref(), SIGN_UP_FORM);
            view! { <SignUpPage flash form next /> }.into_any()
        }
        Err(error) => problem(&error),
    }
}

#[component]
fn SignUpPage(flash: Option<Flash>, form: Form, next: String) -> impl IntoView {
    let other = paths::with_next(paths::SIGN_IN, &next);
    view! {
        <Title text="Create an account · Atlas Credits" />
        <main id="main" class="page page--form">
            <div class="page-head"><h1>"Create an account"</h1></div>
            <FlashNotice flash />
            <ErrorSummary form=form.clone() />
            <form class="form" method="post" action=SignUpAction::PATH>
                <input r#type="hidden" name="next" value=next.clone() />
                <TextField form=form.clone() name="email" label="Email" kind="email" autocomplete="email"
                    help="Receipts go here, and a link that shows it is yours." />
                <TextField form name="password" label="Password" kind="password" autocomplete="new-password"
                    help="At least 8 characters, better 15 or more; a few words in a row are easy to remember." />
                <div class="form-foot">
                    <button class="button button--primary button--wide" r#type="submit">"Create account"</button>
                </div>
            </form>
            <WhopButton next />
            <p class="muted">"Here before? "<a href=other>"Sign in"</a></p>
        </main>
    }
}
