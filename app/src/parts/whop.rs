//! The way to sign in with Whop, where there is one.

use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::actions::whop::ConfirmWithWhop;
use crate::request::Request;

/// A link, not a form: going there changes nothing, and it works from any page.
#[component]
pub fn WhopButton(next: String) -> impl IntoView {
    let offered = Request::current().is_ok_and(|request| request.ctx().whop_oauth.is_some());
    offered.then(|| {
        view! {
            <div class="other-way">
                <p class="muted" aria-hidden="true">"or"</p>
                <a class="button button--wide" rel="external" href=paths::with_next(paths::WHOP_AUTH, &next)>"Sign in with Whop"</a>
            </div>
        }
    })
}

/// For whoever linked an account there: showing again that it is them. A form: nobody is led into it by a link.
#[component]
pub fn WhopConfirm(return_to: String) -> impl IntoView {
    let offered = Request::current().is_ok_and(|request| request.ctx().whop_oauth.is_some());
    offered.then(|| {
        view! {
            <form method="post" action=ConfirmWithWhop::PATH>
                <input r#type="hidden" name="return_to" value=return_to />
                <button class="button button--wide" r#type="submit">"Confirm with Whop"</button>
            </form>
        }
    })
}
