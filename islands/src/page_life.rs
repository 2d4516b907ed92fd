//! Small comforts for every page: a form is sent once, times show the reader's own zone.

use js_sys::{Date, Object};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{Element, Event, SubmitEvent};

#[island]
pub fn PageLife() -> impl IntoView {
    Effect::new(|_| {
        send_forms_once();
        show_local_times();
    });
}

/// Marks the pressed button busy, and stops a second press until the next page. The server would make one order of both
/// all the same; this only spares the wait.
fn send_forms_once() {
    let on_submit = Closure::<dyn Fn(Event)>::new(|event: Event| {
        let Some(form) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else { return };
        // What a form fetches as a file leaves the page as it is.
        if event.default_prevented() || form.has_attribute("data-fetches-file") {
            return;
        }
        if form.has_attribute("data-sent") {
            event.prevent_default();
            return;
        }
        let _ = form.set_attribute("data-sent", "");
        let button = event.dyn_ref::<SubmitEvent>().and_then(SubmitEvent::submitter);
        if let Some(button) = button {
            let _ = button.set_attribute("aria-busy", "true");
        }
    });
    // Coming back by the browser's Back button shows the page as it was left; it must be usable again.
    let on_show = Closure::<dyn Fn()>::new(|| {
        for form in all("form[data-sent]") {
            let _ = form.remove_attribute("data-sent");
        }
        for button in all("[aria-busy]") {
            let _ = button.remove_attribute("aria-busy");
        }
    });
    let _ = document().add_event_listener_with_callback("submit", on_submit.as_ref().unchecked_ref());
    let _ = window().add_event_listener_with_callback("pageshow", on_show.as_ref().unchecked_ref());
    // The page's life is theirs too.
    on_submit.forget();
    on_show.forget();
}

/// Each time gets a tooltip in the reader's own zone and language.
pub(crate) fn show_local_times() {
    for time in all("time[datetime]") {
        let Some(instant) = time.get_attribute("datetime") else { continue };
        let date = Date::new(&instant.into());
        if let Some(text) = date.to_locale_string("default", &Object::new()).as_string() {
            let _ = time.set_attribute("title", &text);
        }
    }
}

/// Every element that matches.
pub(crate) fn all(selector: &str) -> Vec<Element> {
    let Ok(found) = document().query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.get(index)?.dyn_into().ok()).collect()
}
