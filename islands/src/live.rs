//! Bringing parts of a page up to date: the server draws the page again, and the parts marked `data-live` are taken
//! from it. So there is one drawing of each state, and it is the server's.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DomParser, Response, SupportedType};

use crate::page_life::{all, show_local_times};

/// Fetches this page again and takes over its live parts. Errors: no answer, or one that is no page.
pub(crate) async fn refresh() -> Result<(), JsValue> {
    let address = window().location().href()?;
    let response: Response = JsFuture::from(window().fetch_with_str(&address)).await?.dyn_into()?;
    if !response.ok() {
        return Err(JsValue::NULL);
    }
    let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    let fresh = DomParser::new()?.parse_from_string(&text, SupportedType::TextHtml)?;
    for part in all("[data-live]") {
        let name = part.get_attribute("data-live").unwrap_or_default();
        if let Some(newer) = fresh.query_selector(&format!("[data-live=\"{name}\"]"))? {
            part.replace_with_with_node_1(&newer)?;
        }
    }
    if let Some(title) = fresh.query_selector("title")?.and_then(|title| title.text_content()) {
        document().set_title(&title);
    }
    show_local_times();
    Ok(())
}
