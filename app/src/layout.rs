//! What surrounds every page: the way past the header, the header, the foot.

use atlas::people::{Owner, Visitor};
use domain::{Role, paths};
use islands::page_life::PageLife;
use islands::theme::ThemeSwitch;
use leptos::either::Either;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_location;

use crate::actions::session::SignOut;
use crate::parts::small::Icon;
use crate::parts::viewing::ViewingBanner;
use crate::request::Request;

#[component]
pub fn Layout(children: Children) -> impl IntoView {
    view! {
        <a class="skip-link" href="#main">"Skip to the content"</a>
        <Suspense>{header()}</Suspense>
        {children()}
        <footer class="site-footer">
            <div class="site-footer-row">
                <p>"Atlas Credits. Paid once, yours until used."</p>
                <nav aria-label="Foot">
                    <a href=paths::CREDITS>"Credits"</a>
                    <a href=paths::TRANSACTIONS>"Transactions"</a>
                </nav>
            </div>
        </footer>
        <PageLife />
    }
}

/// The header, once it is known who asks. A session that can't be read shows the header of nobody; the page below says
/// what is wrong.
fn header() -> impl IntoView {
    let path = use_location().pathname.get_untracked();
    Suspend::new(async move {
        let (visitor, person) = match Request::current() {
            Ok(request) => (request.visitor().await.ok(), request.owner().await.ok().flatten()),
            Err(_) => (None, None),
        };
        view! { <Header visitor person path /> }
    })
}

#[component]
fn Header(visitor: Option<Visitor>, person: Option<Owner>, path: String) -> impl IntoView {
    let current = |href: &'static str| (path == href).then_some("page");
    let nav = person.is_some().then(|| {
        view! {
            <nav class="site-nav" aria-label="Main">
                <a href=paths::CREDITS aria-current=current(paths::CREDITS)>"Credits"</a>
                <a href=paths::TRANSACTIONS aria-current=current(paths::TRANSACTIONS)>"Transactions"</a>
                <a href=paths::ACCOUNT aria-current=current(paths::ACCOUNT)>"Account"</a>
            </nav>
        }
    });
    let (next, is_own) = (path.clone(), !matches!(visitor, Some(Visitor::Viewing(_) | Visitor::DoneViewing(_))));
    view! {
        <header class="site-header">
            {visitor.map(|visitor| view! { <ViewingBanner visitor /> })}
            <div class="site-header-row">
                <a class="brand" href=paths::HOME>
                    <svg class="brand-mark" viewBox="0 0 24 24" aria-hidden="true">
                        <use href="/icons.svg#mark"></use>
                    </svg>
                    "Atlas"
                </a>
                {nav}
                <div class="site-tools">
                    {person.as_ref().map(|person| view! {
                        <a class="balance-chip" href=paths::CREDITS data-live="balance-chip">
                            <span>{person.available().to_string()}</span>
                            <span class="balance-chip-unit">"credits"</span>
                        </a>
                    })}
                    {is_own.then(|| view! { <ThemeSwitch next /> })}
                    {match person {
                        Some(person) => Either::Left(view! { <AccountMenu person /> }),
                        None => Either::Right(is_own.then(|| view! { <a class="button" href=paths::SIGN_IN>"Sign in"</a> })),
                    }}
                </div>
            </div>
        </header>
    }
}

#[component]
fn AccountMenu(person: Owner) -> impl IntoView {
    let initial = person.display_name().chars().next().map(|letter| letter.to_uppercase().to_string());
    view! {
        <button class="account-button" r#type="button" popovertarget="account-menu" aria-label="Account menu">
            <span class="account-initial" aria-hidden="true">{initial}</span>
        </button>
        <div class="account-menu" popover="auto" id="account-menu">
            <p class="account-who">
                <bdi>{person.display_name().to_owned()}</bdi>
                <span class="muted">{person.email().to_owned()}</span>
            </p>
            <a href=paths::ACCOUNT>"Account"</a>
            {(person.role() > Role::Buyer).then(|| view! { <a href=paths::ADMIN>"Administration"</a> })}
            <form method="post" action=SignOut::PATH>
                <button class="button button--plain" r#type="submit"><Icon name="exit" />"Sign out"</button>
            </form>
        </div>
    }
}
