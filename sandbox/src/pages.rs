//! Pages for people, rendered on the server and working without a script: the checkout, and a desk that shows what happened.

pub mod checkout;
pub mod desk;
pub mod layout;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use maud::html;

use crate::api::error::ApiError;
use crate::sandbox::Sandbox;

const CSS: &str = include_str!("pages/style.css");
const PERSON_ICON: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#5b6b73" stroke-width="1.5"><circle cx="12" cy="8.5" r="4"/><path d="M4.5 20.5c1-4 4-6 7.5-6s6.5 2 7.5 6"/></svg>"##;
const CARD_ICON: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#5b6b73" stroke-width="1.5"><rect x="2.5" y="5" width="19" height="14" rx="2.5"/><path d="M2.5 10h19M6 15h4"/></svg>"##;

pub fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/style.css", get(|| async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], CSS) }))
        .route("/icons/{name}", get(icon))
        .merge(checkout::routes())
        .merge(desk::routes())
}

async fn icon(axum::extract::Path(name): axum::extract::Path<String>) -> Response {
    let svg = match name.as_str() {
        "person.svg" => PERSON_ICON,
        "card.svg" | "favicon.svg" => CARD_ICON,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response()
}

/// For addresses that do not exist: a page for browsers, the error envelope for programs.
pub async fn not_found(headers: HeaderMap) -> Response {
    let browser =
        headers.get(header::ACCEPT).and_then(|it| it.to_str().ok()).is_some_and(|it| it.contains("text/html"));
    if browser { missing("This page does not exist.") } else { ApiError::not_found("This route").into_response() }
}

/// A calm 404.
pub fn missing(why: &str) -> Response {
    let body = html! {
        main class="note" {
            h1 { "Not found" }
            p { (why) }
            p { a href="/" { "What happened in this sandbox" } }
        }
    };
    layout::page(StatusCode::NOT_FOUND, "Not found", &html! {}, &body)
}
