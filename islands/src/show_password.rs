//! Shows a password while it is typed, and hides it again.

use leptos::prelude::*;

/// A button over the password field with the id `field`. Without scripts it isn't shown.
#[island]
pub fn ShowPassword(field: String) -> impl IntoView {
    let (shown, set_shown) = signal(false);
    let controls = field.clone();
    let toggle = move |_| {
        let show = !shown.get_untracked();
        if let Some(input) = document().get_element_by_id(&field) {
            let _ = input.set_attribute("type", if show { "text" } else { "password" });
        }
        set_shown.set(show);
    };
    view! {
        <button class="button button--plain scripted" r#type="button" aria-controls=controls on:click=toggle>
            {move || if shown.get() { "Hide" } else { "Show" }}
            <span class="visually-hidden">" what is typed"</span>
        </button>
    }
}
