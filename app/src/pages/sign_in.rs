//! Signing in.

use atlas::people::Visitor;
use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use crate::actions::session::{SIGN_IN_FORM, SignIn as SignInAction, next_path};
use crate::flash::{self, Flash, Form, form_of};
use crate::pages::query;
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::parts::problem::problem;
use crate::parts::whop::WhopButton;
use crate::request::{Request, see_other};

#[component]
pub fn SignIn() -> impl IntoView {
    let next = next_path(&query("next"));
    view! { <Suspense>{Suspend::new(async move { draw(next).await })}</Suspense> }
}

async fn draw(next: String) -> AnyView {
    match visit(&next).await {
        Ok(flash) => {
            let form = form_of(flash.as_ref(), SIGN_IN_FORM);
            view! { <SignInPage flash form next /> }.into_any()
        }
        Err(error) => problem(&error),
    }
}

/// The message left for this page; whoever is signed in already is sent on.
pub(super) async fn visit(next: &str) -> atlas::Result<Option<Flash>> {
    let request = Request::current()?;
    match request.visitor().await? {
        Visitor::Nobody => {}
        Visitor::SettingUp(_) => see_other(paths::SECOND_FACTOR),
        Visitor::Person(_) | Visitor::Viewing(_) | Visitor::DoneViewing(_) => see_other(next),
    }
    flash::take(&request).await
}

#[component]
fn SignInPage(flash: Option<Flash>, form: Form, next: String) -> impl IntoView {
    let other = paths::with_next(paths::SIGN_UP, &next);
    view! {
        <Title text="Sign in · Atlas Credits" />
        <main id="main" class="page page--form">
            <div class="page-head"><h1>"Sign in"</h1></div>
            <FlashNotice flash />
            <ErrorSummary form=form.clone() />
            <form class="form" method="post" action=SignInAction::PATH>
                <input r#type="hidden" name="next" value=next.clone() />
                <TextField form=form.clone() name="email" label="Email" kind="email" autocomplete="username" />
                <TextField form name="password" label="Password" kind="password" autocomplete="current-password" />
                <div class="form-foot">
                    <button class="button button--primary button--wide" r#type="submit">"Sign in"</button>
                </div>
            </form>
            <WhopButton next />
            <p class="muted">
                "New here? "<a href=other>"Create an account"</a><br />
                <a href=paths::FORGOT_PASSWORD>"Forgot your password?"</a><br />
                "You opened your account elsewhere? Confirm its address first: the mail has a link."
            </p>
        </main>
    }
}
