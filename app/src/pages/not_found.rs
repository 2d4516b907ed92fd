//! The page for an address where nothing is.

use leptos::prelude::*;

use crate::parts::problem::{not_found, not_while_viewing};
use crate::request::Request;

#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <Suspense>
            {Suspend::new(async {
                match Request::current() {
                    Ok(request) if request.was_refused_while_viewing() => not_while_viewing(&request),
                    _ => not_found(),
                }
            })}
        </Suspense>
    }
}
