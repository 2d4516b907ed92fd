//! Where somebody is signed in, and how to end it there.

use atlas::people::sessions::Listed;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::actions::sessions::{EndOtherSessions, EndSession};
use crate::parts::browser;
use crate::parts::small::Moment;

#[component]
pub fn Sessions(sessions: Vec<Listed>) -> impl IntoView {
    let others = sessions.iter().any(|session| !session.is_this_one);
    view! {
        <section class="stack" aria-labelledby="sessions-title">
            <h2 id="sessions-title">"Where you are signed in"</h2>
            <ul class="devices" role="list">{sessions.into_iter().map(|session| view! { <Row session /> }).collect_view()}</ul>
            {if others {
                view! {
                    <form method="post" action=EndOtherSessions::PATH>
                        <button class="button" r#type="submit">"Sign out everywhere else"</button>
                    </form>
                }
                .into_any()
            } else {
                view! { <p class="muted">"You are signed in nowhere else."</p> }.into_any()
            }}
        </section>
    }
}

/// In place of them, for an admin who looks at somebody's pages.
#[component]
pub fn NotShown() -> impl IntoView {
    view! {
        <section class="stack" aria-labelledby="sessions-title">
            <h2 id="sessions-title">"Where you are signed in"</h2>
            <p class="muted">"The person sees their browsers here. They are not shown to you."</p>
        </section>
    }
}

#[component]
fn Row(session: Listed) -> impl IntoView {
    let name = browser::name(session.agent.as_deref());
    let label = format!("Sign out {name}");
    view! {
        <li class="device">
            <div>
                <p class="device-name">{name}</p>
                <p class="muted">
                    {if session.is_this_one {
                        view! { "This browser" }.into_any()
                    } else {
                        view! { "Last used " <Moment at=session.seen_at /> }.into_any()
                    }}
                </p>
            </div>
            {(!session.is_this_one)
                .then(|| {
                    view! {
                        <form method="post" action=EndSession::PATH>
                            <input r#type="hidden" name="session" value=session.id.to_string() />
                            <button class="button" r#type="submit" aria-label=label>"Sign out"</button>
                        </form>
                    }
                })}
        </li>
    }
}
