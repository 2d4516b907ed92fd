//! The page for an address where nothing is.

use leptos::prelude::*;

use crate::parts::problem::not_found;

#[component]
pub fn NotFound() -> impl IntoView {
    view! { <Suspense>{Suspend::new(async { not_found() })}</Suspense> }
}
