//! Something that can be done, folded away until it is wanted.

use leptos::prelude::*;

#[component]
pub fn Folded(
    title: &'static str,
    /// How it stands now.
    #[prop(default = String::new())]
    now: String,
    /// Open from the start: its form came back.
    open: bool,
    children: Children,
) -> impl IntoView {
    let now = (!now.is_empty()).then(|| view! { <span class="muted">{now}</span> });
    view! {
        <details class="disclosure deed" open=open>
            <summary><span>{title}</span>{now}</summary>
            {children()}
        </details>
    }
}
