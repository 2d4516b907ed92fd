//! What somebody sees who came back from Whop with something that is no answer to what this browser asked.

use axum::http::StatusCode;
use domain::paths;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::request::set_status;

#[component]
pub fn SignInRefused() -> impl IntoView {
    view! { <Suspense>{Suspend::new(async { draw() })}</Suspense> }
}

fn draw() -> impl IntoView {
    set_status(StatusCode::BAD_REQUEST);
    view! {
        <Title text="Not signed in · Atlas Credits" />
        <main id="main" class="page page--reading">
            <section class="empty">
                <h1>"That didn’t sign you in"</h1>
                <p>
                    "What came back from Whop doesn’t belong to a sign-in that this browser began in the last ten minutes. Nothing \
                     was changed. This also happens when a sign-in is open in two tabs: start once more, in one."
                </p>
                <p><a class="button button--primary" href=paths::SIGN_IN>"Start again"</a></p>
            </section>
        </main>
    }
}
