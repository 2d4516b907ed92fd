//! The frame of every page: the head, the strip that says that no money moves here, and the headers that keep it closed.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

/// No scripts at all. `form-action` stays open, because a paid form leads back to the seller's site.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A whole page.
pub fn page(status: StatusCode, title: &str, head: &Markup, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                title { (title) " · Sandbox" }
                link rel="icon" type="image/svg+xml" href="/icons/favicon.svg";
                link rel="stylesheet" href="/style.css";
                (head)
            }
            body {
                aside class="strip" aria-label="Notice" { strong { "Sandbox" } " No real money moves here." }
                (body)
            }
        }
    };
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, page.into_string()).into_response()
}
