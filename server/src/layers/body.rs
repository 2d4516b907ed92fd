//! Bodies are read whole and early, within a size and a time: what is too long gets a 413 however it was sent. Addresses have
//! a limit of their own.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{Method, StatusCode, header};

use super::refusal::refuse;

const FORM_BYTES_MAX: usize = 64 * 1024;
/// Who is not known yet has less to say.
const SIGN_IN_BYTES_MAX: usize = 16 * 1024;
const WEBHOOK_BYTES_MAX: usize = 256 * 1024;
const API_BYTES_MAX: usize = 16 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
const ADDRESS_BYTES_MAX: usize = 4 * 1024;

pub const WEBHOOKS: &str = "/api/webhooks/";
/// For programs with a key.
pub const API: &str = "/api/v1/";

/// What is posted to sign in, up, or get back in.
const SIGNING_IN: [&str; 6] =
    ["/do/sign-in", "/do/sign-up", "/do/confirm", "/do/forgot-password", "/do/reset-password", "/do/keep-email"];

/// Longer addresses than any of ours are not looked at.
pub async fn limit_address(request: Request, next: Next) -> Response {
    let bytes = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if bytes > ADDRESS_BYTES_MAX {
        return refuse(request.headers(), StatusCode::URI_TOO_LONG, "This address is longer than any of ours.");
    }
    next.run(request).await
}

pub async fn limit(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let bytes_max = bytes_max(request.uri().path());
    let (parts, body) = request.into_parts();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: usize| bytes > bytes_max) {
        return too_large(&parts.headers);
    }
    match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, bytes_max)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(_)) => too_large(&parts.headers),
        Err(_) => refuse(&parts.headers, StatusCode::REQUEST_TIMEOUT, "The request took too long to arrive."),
    }
}

fn bytes_max(path: &str) -> usize {
    if path.starts_with(WEBHOOKS) {
        WEBHOOK_BYTES_MAX
    } else if path.starts_with(API) {
        API_BYTES_MAX
    } else if SIGNING_IN.iter().any(|begin| path.starts_with(begin)) {
        SIGN_IN_BYTES_MAX
    } else {
        FORM_BYTES_MAX
    }
}

fn too_large(headers: &http::HeaderMap) -> Response {
    refuse(headers, StatusCode::PAYLOAD_TOO_LARGE, "That is more than is taken here.")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use axum::routing::post;
    use axum::{Router, middleware::from_fn};
    use tower::ServiceExt as _;

    async fn status(path: &str, body: Body) -> StatusCode {
        let site = Router::new()
            .route("/form", post(async |body: String| body))
            .route("/do/sign-in", post(async |body: String| body))
            .route("/api/webhooks/whop", post(async |body: String| body))
            .layer(from_fn(limit))
            .layer(from_fn(limit_address));
        site.oneshot(Request::post(path).body(body).unwrap()).await.unwrap().status()
    }

    fn chunked(bytes: usize) -> Body {
        let chunks = (0..bytes / 1024).map(|_| Ok::<_, std::io::Error>(vec![b'a'; 1024]));
        Body::from_stream(futures::stream::iter(chunks))
    }

    #[tokio::test]
    async fn long_bodies_are_refused_announced_or_not() {
        assert_eq!(status("/form", Body::from(vec![b'a'; FORM_BYTES_MAX])).await, StatusCode::OK);
        assert_eq!(status("/form", Body::from(vec![b'a'; FORM_BYTES_MAX + 1])).await, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(status("/form", chunked(FORM_BYTES_MAX + 1024)).await, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn who_is_not_known_has_less_to_say() {
        assert_eq!(status("/do/sign-in", Body::from(vec![b'a'; SIGN_IN_BYTES_MAX])).await, StatusCode::OK);
        let long = Body::from(vec![b'a'; SIGN_IN_BYTES_MAX + 1]);
        assert_eq!(status("/do/sign-in", long).await, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn long_addresses_are_refused() {
        let of = |bytes: usize| format!("/form?{}", "a".repeat(bytes - "/form?".len()));
        assert_eq!(status(&of(ADDRESS_BYTES_MAX), Body::empty()).await, StatusCode::OK);
        assert_eq!(status(&of(ADDRESS_BYTES_MAX + 1), Body::empty()).await, StatusCode::URI_TOO_LONG);
    }

    #[tokio::test]
    async fn webhooks_may_be_longer() {
        assert_eq!(status("/api/webhooks/whop", chunked(WEBHOOK_BYTES_MAX)).await, StatusCode::OK);
        assert_eq!(status("/api/webhooks/whop", chunked(1024 * 1024)).await, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_is_given_up() {
        let stalled = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        assert_eq!(status("/form", stalled).await, StatusCode::REQUEST_TIMEOUT);
    }
}
