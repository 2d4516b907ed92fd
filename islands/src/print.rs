//! Prints the page.

use leptos::prelude::*;

/// Shown only where scripts run; the browser's own menu prints as well.
#[island]
pub fn PrintButton() -> impl IntoView {
    view! {
        <button class="button scripted" r#type="button" on:click=|_| { let _ = window().print(); }>
            <svg class="icon" aria-hidden="true"><use href="/icons.svg#print"></use></svg>
            "Print"
        </button>
    }
}
