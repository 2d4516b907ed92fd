//! The first steps, for whoever has the code from the server's log. Once there is an admin, there is no such page.

mod steps;

use atlas::set_up::standing::{Standing, standing};
use atlas::set_up::{Installer, is_open};
use atlas::{Error, Result};
use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use crate::actions::set_up::{ADMIN_FORM, CODE_FORM, EnterSetUp, KEYS_FORM, WEBHOOK_FORM};
use crate::flash::{self, Flash, Form, form_of};
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::parts::problem::problem;
use crate::request::Request;

#[component]
pub fn SetUp() -> impl IntoView {
    view! {
        <Suspense>
            {Suspend::new(async { draw().await.unwrap_or_else(|error| problem(&error)) })}
        </Suspense>
    }
}

async fn draw() -> Result<AnyView> {
    let request = Request::current()?;
    if !is_open(&request.ctx().db).await? {
        return Err(Error::NotFound);
    }
    if let Some(installer) = request.installer().await? {
        return draw_steps(&request, &installer).await;
    }
    let flash = flash::take(&request).await?;
    let form = form_of(flash.as_ref(), CODE_FORM);
    Ok(view! { <Enter flash form /> }.into_any())
}

async fn draw_steps(request: &Request, installer: &Installer) -> Result<AnyView> {
    let standing = standing(request.ctx(), installer, request.site().whop.as_ref()).await?;
    let flash = flash::take(request).await?;
    Ok(view! { <Steps flash standing /> }.into_any())
}

#[component]
fn Enter(flash: Option<Flash>, form: Form) -> impl IntoView {
    view! {
        <Title text="Set up Atlas · Atlas Credits" />
        <main id="main" class="page page--form">
            <div class="page-head"><h1>"Set up Atlas"</h1></div>
            <FlashNotice flash />
            <ErrorSummary form=form.clone() />
            <p>
                "Nobody looks after this Atlas yet. When it started, it wrote a code into its log; whoever can read that may go on. "
                <code>"atlas set-up code"</code>" makes a new one."
            </p>
            <form class="form" method="post" action=EnterSetUp::PATH>
                <TextField form name="code" label="Code from the log" autocomplete="off"
                    help="Four groups of six. It is good for 24 hours, and until the first admin is made." />
                <div class="form-foot">
                    <button class="button button--primary button--wide" r#type="submit">"Go on"</button>
                </div>
            </form>
        </main>
    }
}

#[component]
fn Steps(flash: Option<Flash>, standing: Standing) -> impl IntoView {
    let form = |name| form_of(flash.as_ref(), name);
    let (keys, webhook, admin) = (form(KEYS_FORM), form(WEBHOOK_FORM), form(ADMIN_FORM));
    let is_ready = standing.is_ready();
    let whop = match standing.whop {
        Some(whop) => (steps::keys(&keys, &whop), steps::webhook(&whop)).into_any(),
        None => view! { <steps::NoWhop /> }.into_any(),
    };
    view! {
        <Title text="Set up Atlas · Atlas Credits" />
        <main id="main" class="page page--reading">
            <div class="page-head"><h1>"Set up Atlas"</h1></div>
            <FlashNotice flash=flash.clone() />
            <ErrorSummary form=keys />
            <ErrorSummary form=webhook />
            <ErrorSummary form=admin.clone() />
            <p class="muted">
                "Each step says how it stands. You may leave and come back with the same code; "<code>"atlas doctor"</code>
                " says the same and more."
            </p>
            <steps::Database version=standing.database />
            {whop}
            <steps::Plans count=standing.plans />
            <steps::FirstAdmin form=admin is_ready />
            <section class="stack" aria-labelledby="purchase-title">
                <h2 id="purchase-title">"6. A test purchase"</h2>
                <p>
                    "Once you are the admin, this page ends and "<a href=paths::CREDITS>"your credits"</a>
                    " open. Buy the smallest plan: the credits are to arrive by themselves, within seconds of paying."
                </p>
            </section>
        </main>
    }
}
