//! Copies a text, and says that it did.

use leptos::prelude::*;

/// A small button that puts `text` on the clipboard. Without scripts it isn't shown; the text beside it can be selected.
#[island]
pub fn CopyButton(text: String, label: String) -> impl IntoView {
    let (copied, set_copied) = signal(false);
    let copy = move |_| {
        let clipboard = window().navigator().clipboard();
        let _promise = clipboard.write_text(&text);
        set_copied.set(true);
        set_timeout(move || set_copied.set(false), std::time::Duration::from_secs(2));
    };
    view! {
        <button class="icon-button scripted" r#type="button" aria-label=label on:click=copy>
            <svg class="icon" aria-hidden="true">
                <use href=move || if copied.get() { "/icons.svg#check" } else { "/icons.svg#copy" }></use>
            </svg>
        </button>
        <span class="visually-hidden" role="status">{move || if copied.get() { "Copied" } else { "" }}</span>
    }
}
