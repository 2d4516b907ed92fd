//! Follows one request: gives it an id and logs how it went by the route's template, never the address as typed. Turns
//! a panic into an answer.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::time::Instant;
use tracing::Instrument as _;
use tracing::field::Empty;

use super::refusal::refuse;

/// On the request, for whoever shows or logs it, and on the answer. What a client sends under this name is replaced.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Until an answer begins; a stream may then take as long as it likes.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(15);

pub async fn follow(mut request: Request, next: Next) -> Response {
    let id = atlas::ids::fresh().to_string();
    let Ok(value) = HeaderValue::from_str(&id) else { return next.run(request).await };
    request.headers_mut().insert(REQUEST_ID, value.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = tracing::info_span!("request", request.id = %id, event.id = Empty, event.kind = Empty, outcome = Empty);
    let began = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| log(&method, route.as_ref().map_or("-", MatchedPath::as_str), response.status(), began));
    response.headers_mut().insert(REQUEST_ID, value);
    response
}

/// A panic would close the connection without a word.
pub async fn survive(request: Request, next: Next) -> Response {
    let asked_with = request.headers().clone();
    AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
        let sentence = "Something broke on our side. Please try again.";
        refuse(&asked_with, StatusCode::INTERNAL_SERVER_ERROR, sentence)
    })
}

/// Gives up a handler that takes too long; what it had not committed is undone.
pub async fn hurry(request: Request, next: Next) -> Response {
    let asked_with = request.headers().clone();
    tokio::time::timeout(HANDLER_TIMEOUT, next.run(request)).await.unwrap_or_else(|_| {
        refuse(&asked_with, StatusCode::SERVICE_UNAVAILABLE, "This takes too long just now. Please try again.")
    })
}

/// The request's id, from the request's headers.
pub fn id(asked_with: &HeaderMap) -> &str {
    asked_with.get(REQUEST_ID).and_then(|value| value.to_str().ok()).unwrap_or("-")
}

fn log(method: &http::Method, route: &str, status: StatusCode, began: Instant) {
    let (status, ms) = (status.as_u16(), began.elapsed().as_millis());
    if status >= 500 {
        tracing::error!(%method, route, status, ms, "answered");
    } else if route.starts_with("/pkg/") || route.ends_with('z') {
        tracing::debug!(%method, route, status, ms, "answered");
    } else {
        tracing::info!(%method, route, status, ms, "answered");
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::layers::Known;
    use axum::body::{Body, to_bytes};
    use axum::{Router, routing::get};
    use tower::ServiceExt as _;

    const PUBLIC_URL: &str = "https://credits.example.com";

    async fn broken() -> &'static str {
        std::panic::panic_any("the password is hunter2")
    }

    async fn ask(path: &str, accept: &str) -> (Response, String) {
        let site = Router::new()
            .route("/panic", get(broken))
            .route("/stuck", get(std::future::pending::<()>))
            .route("/fine", get(async |headers: HeaderMap| id(&headers).to_owned()));
        let site = crate::layers::wrap(site, PUBLIC_URL, Known::by(PUBLIC_URL));
        let request = Request::get(path)
            .header("host", "credits.example.com")
            .header("accept", accept)
            .header("x-request-id", "<forged>");
        let response = site.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, 10_000).await.unwrap().to_vec()).unwrap();
        (Response::from_parts(parts, Body::empty()), text)
    }

    #[tokio::test]
    async fn a_panic_is_answered_and_names_its_request_and_nothing_else() {
        for accept in ["text/html", "application/json"] {
            let (response, text) = ask("/panic", accept).await;
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert!(text.contains(response.headers()[REQUEST_ID].to_str().unwrap()), "{text}");
            assert!(!text.contains("hunter2"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_handler_that_hangs_is_given_up() {
        let (response, text) = ask("/stuck", "text/html").await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(text.contains("takes too long"), "{text}");
    }

    #[tokio::test]
    async fn the_id_is_ours_and_the_same_inside_and_out() {
        let (response, text) = ask("/fine", "*/*").await;
        assert_eq!(response.headers()[REQUEST_ID].to_str().unwrap(), text);
        assert_ne!(text, "<forged>");
    }

    #[tokio::test]
    async fn every_answer_has_the_headers() {
        for path in ["/fine", "/panic", "/nowhere"] {
            let (response, _) = ask(path, "text/html").await;
            for (name, value) in [
                ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
                ("reporting-endpoints", "csp=\"/csp-report\""),
                ("strict-transport-security", "max-age=63072000; includeSubDomains; preload"),
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "strict-origin-when-cross-origin"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
                ("cache-control", "no-store"),
            ] {
                assert_eq!(response.headers()[name], value, "{path} {name}");
            }
        }
    }
}
