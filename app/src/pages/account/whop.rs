//! The person's account at Whop: linked or not, and what can be done about it.

use atlas::people::identities::WaysIn;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::actions::whop::{LinkWhop, UnlinkWhop};
use crate::parts::small::Moment;

/// `offered`: people can sign in with Whop here. A link from before stays to be seen, and to be ended.
#[component]
pub fn WhopAccount(ways: WaysIn, offered: bool) -> impl IntoView {
    let WaysIn { password, identities } = ways;
    (offered || !identities.is_empty()).then(|| {
        let none = identities.is_empty();
        view! {
            <section class="stack" aria-labelledby="whop-title">
                <h2 id="whop-title">"Sign in with Whop"</h2>
                {identities
                    .into_iter()
                    .map(|identity| {
                        let name = if identity.label.is_empty() { "Your Whop account".to_owned() } else { identity.label };
                        view! {
                            <div class="device">
                                <div>
                                    <p class="device-name"><bdi>{name}</bdi></p>
                                    <p class="muted">"Linked " <Moment at=identity.linked_at /></p>
                                </div>
                                {password
                                    .then(|| {
                                        view! {
                                            <form method="post" action=UnlinkWhop::PATH>
                                                <input r#type="hidden" name="identity" value=identity.id.to_string() />
                                                <button class="button" r#type="submit">"Unlink"</button>
                                            </form>
                                        }
                                    })}
                            </div>
                        }
                    })
                    .collect_view()}
                {(!none && !password)
                    .then(|| {
                        view! {
                            <p class="muted">
                                "This is how you sign in. To unlink it, set a password first: you would have no other way in."
                            </p>
                        }
                    })}
                {(none && offered)
                    .then(|| {
                        view! {
                            <p class="muted">"Link your Whop account, and you can sign in with it beside your password."</p>
                            <form method="post" action=LinkWhop::PATH>
                                <button class="button" r#type="submit">"Link Whop"</button>
                            </form>
                        }
                    })}
            </section>
        }
    })
}
