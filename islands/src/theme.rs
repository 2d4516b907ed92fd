//! Light or dark, at once and remembered. Without scripts the same buttons post to the server.

use domain::paths;
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

const YEAR_SECONDS: u32 = 365 * 24 * 60 * 60;

/// Two buttons; CSS shows the one for the other scheme. `next`: the page to come back to.
#[island]
pub fn ThemeSwitch(next: String) -> impl IntoView {
    let choose = move |event: MouseEvent, theme: &str| {
        event.prevent_default();
        let document = document();
        if let Some(root) = document.document_element() {
            let _ = root.set_attribute("data-theme", theme);
        }
        if let Ok(document) = document.dyn_into::<web_sys::HtmlDocument>() {
            let _ = document.set_cookie(&format!("theme={theme}; Path=/; Max-Age={YEAR_SECONDS}; SameSite=Lax"));
        }
    };
    view! {
        <form class="theme-switch" method="post" action=paths::CHOOSE_THEME>
            <input r#type="hidden" name="next" value=next />
            <button
                class="icon-button theme-to-dark" name="theme" value="dark" aria-label="Use dark colours"
                on:click=move |event| choose(event, "dark")
            >
                <svg class="icon" aria-hidden="true"><use href="/icons.svg#moon"></use></svg>
            </button>
            <button
                class="icon-button theme-to-light" name="theme" value="light" aria-label="Use light colours"
                on:click=move |event| choose(event, "light")
            >
                <svg class="icon" aria-hidden="true"><use href="/icons.svg#sun"></use></svg>
            </button>
        </form>
    }
}
