//! Keeps the payment's page up to date while something is still expected: listens, and asks when listening fails.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{EventSource, MessageEvent};

use crate::live::refresh;

/// Between two questions when the stream is broken: from one second, growing to ten.
const ASK_FIRST_MS: u64 = 1_000;
const ASK_LAST_MS: u64 = 10_000;
/// After this long it stops; the page says how to check again.
const GIVE_UP_MS: u64 = 120_000;

/// `events`: the address of the order's event stream. Each message carries the order's version; the page's own stands
/// on the element `#order`, which says with `data-open` whether anything is still expected.
#[island]
pub fn OrderWatch(events: String) -> impl IntoView {
    let (news, set_news) = signal(String::new());
    Effect::new(move |_| watch(&events, set_news));
    view! { <p class="visually-hidden" role="status">{move || news.get()}</p> }
}

struct Watch {
    stream: RefCell<Option<EventSource>>,
    polling: Cell<bool>,
    announce: WriteSignal<String>,
}

fn watch(events: &str, announce: WriteSignal<String>) {
    let Ok(stream) = EventSource::new(events) else { return };
    let watch = Rc::new(Watch { stream: RefCell::new(Some(stream.clone())), polling: Cell::new(false), announce });

    let listener = Rc::clone(&watch);
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        if event.data().as_string() != on_page("data-version") {
            let watch = Rc::clone(&listener);
            spawn_local(async move {
                if refresh().await.is_err() {
                    poll(watch, ASK_FIRST_MS, 0);
                } else {
                    watch.after_refresh();
                }
            });
        }
    });
    let failing = Rc::clone(&watch);
    let on_error = Closure::<dyn Fn()>::new(move || poll(Rc::clone(&failing), ASK_FIRST_MS, 0));
    stream.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    stream.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    // They live as long as the page.
    on_message.forget();
    on_error.forget();
}

impl Watch {
    /// Says what the page now shows, and stops listening when nothing more is expected.
    fn after_refresh(&self) {
        if let Some(heading) = document().query_selector("h1").ok().flatten().and_then(|heading| heading.text_content())
        {
            self.announce.set(heading);
        }
        if on_page("data-open").is_none()
            && let Some(stream) = self.stream.take()
        {
            stream.close();
        }
    }
}

/// Asks again and again, slower each time, until the order is closed or the time is up.
fn poll(watch: Rc<Watch>, wait_ms: u64, waited_ms: u64) {
    if waited_ms == 0 && watch.polling.replace(true) {
        return;
    }
    if waited_ms >= GIVE_UP_MS || on_page("data-open").is_none() {
        watch.polling.set(false);
        return;
    }
    let ask = move || {
        spawn_local(async move {
            if refresh().await.is_ok() {
                watch.after_refresh();
            }
            poll(watch, (wait_ms * 2).min(ASK_LAST_MS), waited_ms + wait_ms);
        });
    };
    set_timeout(ask, Duration::from_millis(wait_ms));
}

/// An attribute of the order as the page shows it now.
fn on_page(attribute: &str) -> Option<String> {
    document().get_element_by_id("order").and_then(|order| order.get_attribute(attribute))
}
