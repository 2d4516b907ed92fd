//! The pages behind links that went out by mail. Opening one changes nothing; each has one form that does.

use atlas::Result;
use atlas::people::links::{self, Link, Purpose, Token};
use axum::http::StatusCode;
use axum::http::header::REFERRER_POLICY;
use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use crate::actions::email::{CONFIRM_EMAIL_FORM, ConfirmEmail, KEEP_EMAIL_FORM, KeepEmail};
use crate::actions::reset::{RESET_FORM, ResetPassword};
use crate::flash::{self, Flash, Form, form_of};
use crate::pages::query;
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::parts::problem::problem;
use crate::request::{Request, set_header, set_status};

const NEW_PASSWORD_HELP: &str = "At least 8 characters, better 15 or more; a few words in a row are easy to remember.";

#[component]
pub fn ResetPasswordPage() -> impl IntoView {
    let token = query("token");
    view! { <Suspense>{Suspend::new(linked(Purpose::ResetPassword, token, reset))}</Suspense> }
}

#[component]
pub fn ConfirmEmailPage() -> impl IntoView {
    let token = query("token");
    view! { <Suspense>{Suspend::new(linked(Purpose::ConfirmEmail, token, confirm))}</Suspense> }
}

#[component]
pub fn KeepEmailPage() -> impl IntoView {
    let token = query("token");
    view! { <Suspense>{Suspend::new(linked(Purpose::KeepEmail, token, keep))}</Suspense> }
}

/// What a page behind a link is drawn from.
struct Opened {
    link: Link,
    token: String,
    flash: Option<Flash>,
    /// Whether the one whose link it is is signed in here.
    is_theirs: bool,
}

async fn linked(purpose: Purpose, token: String, draw: impl FnOnce(Opened) -> AnyView) -> AnyView {
    // The address of this page is as good as the link.
    set_header(REFERRER_POLICY, "no-referrer");
    match open(purpose, token).await {
        Ok(Some(opened)) => draw(opened),
        Ok(None) => over(purpose),
        Err(error) => problem(&error),
    }
}

async fn open(purpose: Purpose, token: String) -> Result<Option<Opened>> {
    let request = Request::current()?;
    let Some(parsed) = Token::parse(&token) else { return Ok(None) };
    let Some(link) = links::look(request.ctx(), purpose, &parsed).await? else { return Ok(None) };
    let is_theirs = request.person().await?.is_some_and(|person| person.id() == link.person);
    Ok(Some(Opened { link, token, flash: flash::take(&request).await?, is_theirs }))
}

fn reset(opened: Opened) -> AnyView {
    let form = form_of(opened.flash.as_ref(), RESET_FORM);
    let Opened { link, token, flash, .. } = opened;
    view! {
        <Title text="Choose a new password · Atlas Credits" />
        <main id="main" class="page page--form">
            <div class="page-head"><h1>"Choose a new password"</h1></div>
            <FlashNotice flash />
            <ErrorSummary form=form.clone() />
            <NewPasswordForm action=ResetPassword::PATH form token address=link.address button="Set password" />
            <p class="muted">"It signs you out everywhere."</p>
        </main>
    }
    .into_any()
}

fn confirm(opened: Opened) -> AnyView {
    let form = form_of(opened.flash.as_ref(), CONFIRM_EMAIL_FORM);
    let Opened { link, token, flash, is_theirs } = opened;
    view! {
        <Title text="Confirm your address · Atlas Credits" />
        <main id="main" class="page page--form">
            <div class="page-head"><h1>"Confirm your address"</h1></div>
            <FlashNotice flash />
            <ErrorSummary form=form.clone() />
            <p>"From now on "<strong>{link.address.clone()}</strong>" is the address of your account."</p>
            <form class="form" method="post" action=ConfirmEmail::PATH>
                <input r#type="hidden" name="token" value=token />
                {(!is_theirs)
                    .then(|| view! {
                        <Username address=link.address />
                        <TextField form name="password" label="Password" kind="password" autocomplete="current-password"
                            help="The one you chose for this account; you aren’t signed in to it here." />
                    })}
                <div class="form-foot">
                    <button class="button button--primary button--wide" r#type="submit">"Confirm address"</button>
                </div>
            </form>
            {(!is_theirs)
                .then(|| view! {
                    <p class="muted">
                        "You don’t know the password? "<a href=paths::FORGOT_PASSWORD>"Choose a new one"</a>
                        ". You opened no account? Then close this page."
                    </p>
                })}
        </main>
    }
    .into_any()
}

fn keep(opened: Opened) -> AnyView {
    let form = form_of(opened.flash.as_ref(), KEEP_EMAIL_FORM);
    let Opened { link, token, flash, .. } = opened;
    view! {
        <Title text="Take your account back · Atlas Credits" />
        <main id="main" class="page page--form">
            <div class="page-head"><h1>"Take your account back"</h1></div>
            <FlashNotice flash />
            <ErrorSummary form=form.clone() />
            <p>
                "Your account gets its address "<strong>{link.address.clone()}</strong>" again, and everybody is signed out. "
                "Whoever changed it may know your password, so choose a new one."
            </p>
            <NewPasswordForm action=KeepEmail::PATH form token address=link.address button="Take my account back" />
        </main>
    }
    .into_any()
}

#[component]
fn NewPasswordForm(
    action: &'static str,
    form: Form,
    token: String,
    address: String,
    button: &'static str,
) -> impl IntoView {
    view! {
        <form class="form" method="post" action=action>
            <input r#type="hidden" name="token" value=token />
            <Username address />
            <TextField form name="new" label="New password" kind="password" autocomplete="new-password"
                help=NEW_PASSWORD_HELP />
            <div class="form-foot">
                <button class="button button--primary button--wide" r#type="submit">{button}</button>
            </div>
        </form>
    }
}

/// Tells password managers whose password it is.
#[component]
fn Username(address: String) -> impl IntoView {
    view! {
        <input class="visually-hidden" r#type="email" autocomplete="username" value=address tabindex="-1"
            aria-hidden="true" readonly=true />
    }
}

/// The link was used, or it is too old, or it never was.
fn over(purpose: Purpose) -> AnyView {
    set_status(StatusCode::GONE);
    let (way, words) = match purpose {
        Purpose::ResetPassword => (paths::FORGOT_PASSWORD, "Ask for a new link"),
        Purpose::ConfirmEmail => (paths::ACCOUNT, "Go to your account"),
        Purpose::KeepEmail => (paths::SIGN_IN, "Sign in"),
    };
    view! {
        <Title text="This link is over · Atlas Credits" />
        <main id="main" class="page page--reading">
            <section class="empty">
                <h1>"This link is over"</h1>
                <p>"It was used already, or it is too old. Nothing was changed."</p>
                <p><a class="button" href=way>{words}</a></p>
            </section>
        </main>
    }
    .into_any()
}
