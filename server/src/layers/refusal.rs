//! What a layer answers when it does not let a request through: a plain page for people, JSON for programs. It needs
//! nothing of the application, which may be what just failed.

use axum::response::{Html, IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, header};

use super::request;
use crate::api::problem;

/// `sentence` is shown as it is: it must come from us.
pub fn refuse(asked_with: &HeaderMap, status: StatusCode, sentence: &'static str) -> Response {
    let id = request::id(asked_with);
    let accepts = asked_with.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accepts.contains("text/html") {
        let mut body = problem::body(status, code(status), sentence);
        body.insert("request_id".to_owned(), id.into());
        return problem::answer(status, body);
    }
    let title = status.canonical_reason().unwrap_or("Sorry");
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · Atlas</title>\
         <main><h1>{title}</h1><p>{sentence}</p><p><a href=\"/\">Back to the start</a></p>\
         <p><small>Request <code>{id}</code></small></p></main></html>"
    );
    (status, Html(page)).into_response()
}

/// For programs to act on; docs/api.md lists them.
fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "bad_request",
        StatusCode::UNAUTHORIZED => "unauthorized",
        StatusCode::FORBIDDEN => "forbidden",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
        StatusCode::REQUEST_TIMEOUT => "request_timeout",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::URI_TOO_LONG => "address_too_long",
        StatusCode::MISDIRECTED_REQUEST => "misdirected",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable",
        _ => "broken",
    }
}
