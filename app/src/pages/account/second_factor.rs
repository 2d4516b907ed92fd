//! Setting up a second factor, for whoever has just shown again that it is them.

mod picture;

use atlas::Result;
use atlas::people::fresh::Fresh;
use atlas::people::second_factor::set_up::{self, Pending};
use atlas::people::second_factor::{self, Standing};
use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;
use secrecy::ExposeSecret as _;

use crate::actions::second_factor::{BeginSecondFactor, FinishSecondFactor, RemoveSecondFactor, SET_UP_FORM};
use crate::flash::{self, Form, form_of};
use crate::pages::for_fresh;
use crate::parts::field::{CodeField, ErrorSummary};
use crate::parts::notice::FlashNotice;
use crate::parts::small::Moment;
use crate::request::Request;

#[component]
pub fn SecondFactorPage() -> impl IntoView {
    view! { <Suspense>{Suspend::new(for_fresh(paths::SECOND_FACTOR, draw))}</Suspense> }
}

async fn draw(request: Request, fresh: Fresh) -> Result<AnyView> {
    let flash = flash::take(&request).await?;
    let form = form_of(flash.as_ref(), SET_UP_FORM);
    let pending = set_up::pending(request.ctx(), &fresh).await?;
    let standing = second_factor::standing(request.ctx(), fresh.person()).await?;
    let is_required = second_factor::is_required(request.ctx(), fresh.person().role());
    let below = match pending {
        Some(pending) => steps(pending, form.clone()),
        None => view! { <Present standing is_required /> }.into_any(),
    };
    Ok(view! {
        <Title text="Second factor · Atlas Credits" />
        <main id="main" class="page page--reading">
            <div class="page-head"><h1>"Second factor"</h1></div>
            <FlashNotice flash />
            <ErrorSummary form />
            {below}
            <p class="muted"><a href=paths::ACCOUNT>"Back to your account"</a></p>
        </main>
    }
    .into_any())
}

/// How it is, and what can be done about it.
#[component]
fn Present(standing: Standing, is_required: bool) -> impl IntoView {
    let is_on = standing.on_since.is_some();
    let class = if is_on { "button" } else { "button button--primary" };
    view! {
        <section class="stack" aria-label="How it is">
            {match standing.on_since {
                Some(since) => view! {
                    <p>
                        "On since " <Moment at=since /> ". Signing in takes your password and a code from your authenticator. "
                        {format!("{} of your recovery codes are left.", standing.codes_left)}
                    </p>
                }
                .into_any(),
                None => view! {
                    <p>
                        "Off. With it, signing in also takes a code that an app on your phone shows. Then nobody gets in with "
                        "your password alone."
                    </p>
                }
                .into_any(),
            }}
            {(is_required && !is_on).then(|| view! { <p><strong>"Your role needs one. Set it up to go on."</strong></p> })}
            <div class="form-foot">
                <form method="post" action=BeginSecondFactor::PATH>
                    <button class=class r#type="submit">
                        {if is_on { "Set it up anew, with new recovery codes" } else { "Set it up" }}
                    </button>
                </form>
                {(is_on && !is_required)
                    .then(|| view! {
                        <form method="post" action=RemoveSecondFactor::PATH>
                            <button class="button" r#type="submit">"Remove the second factor"</button>
                        </form>
                    })}
            </div>
        </section>
    }
}

fn steps(pending: Pending, form: Form) -> AnyView {
    let secret = in_groups(pending.secret.expose_secret());
    let codes = pending.codes.iter().map(|code| view! { <li><code>{code.shown()}</code></li> }).collect_view();
    view! {
        <section class="stack" aria-labelledby="scan-title">
            <h2 id="scan-title">"1. Add it to your authenticator"</h2>
            <p>"Scan this with an app such as 2FAS, Aegis, 1Password or Google Authenticator, or type the key into it."</p>
            {picture::of(pending.url.expose_secret())}
            <p>"Key: "<code class="secret-key">{secret}</code></p>
        </section>
        <section class="stack" aria-labelledby="keep-title">
            <h2 id="keep-title">"2. Keep these recovery codes"</h2>
            <p>
                "Print them or write them down. Each signs you in once when your phone is lost. They are shown only now, until "
                "the next step is done."
            </p>
            <ul class="recovery-codes" role="list">{codes}</ul>
        </section>
        <section class="stack" aria-labelledby="prove-title">
            <h2 id="prove-title">"3. Show that it works"</h2>
            <form class="form" method="post" action=FinishSecondFactor::PATH>
                <CodeField form help="The six digits that your authenticator shows now." />
                <div class="form-foot">
                    <button class="button button--primary" r#type="submit">"Turn it on"</button>
                </div>
            </form>
        </section>
    }
    .into_any()
}

/// Four letters at a time, as authenticators show them.
fn in_groups(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}
