//! The smallest pieces: icons, badges, moments, ids.

use domain::Credits;
use islands::copy::CopyButton;
use leptos::prelude::*;
use time::OffsetDateTime;

use crate::words::{self, Tone};

/// An icon of the sprite; says nothing to a screen reader.
#[component]
pub fn Icon(name: &'static str) -> impl IntoView {
    view! { <svg class="icon" aria-hidden="true"><use href=format!("/icons.svg#{name}")></use></svg> }
}

/// A state: words, colour and shape.
#[component]
pub fn Badge(words: &'static str, tone: Tone) -> impl IntoView {
    view! { <span class="badge" data-tone=tone.as_str()><Icon name=tone.icon() />{words}</span> }
}

/// A moment in UTC; where scripts run it turns into the reader's own time.
#[component]
pub fn Moment(at: OffsetDateTime) -> impl IntoView {
    view! { <time datetime=words::machine_time(at)>{words::moment(at)}</time> }
}

/// An id that can be copied whole.
#[component]
pub fn CopyableId(id: String, what: &'static str) -> impl IntoView {
    view! {
        <span class="copyable">
            <code>{id.clone()}</code>
            <CopyButton text=id label=format!("Copy the {what}") />
        </span>
    }
}

/// A movement of credits, signed.
#[component]
pub fn SignedCredits(amount: Credits) -> impl IntoView {
    let sign = if amount > Credits::ZERO { "plus" } else { "minus" };
    view! { <span class="amount" data-sign=sign>{amount.signed()}</span> }
}
