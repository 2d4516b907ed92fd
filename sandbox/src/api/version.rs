//! The `Api-Version-Date` header. The sandbox speaks one version, 2026-10-15-1; it knows the others by name.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::error::ApiError;

/// Dates that Whop is known to accept, oldest first.
const KNOWN: &str = "2025-01-01 2026-06-08 2026-06-09 2026-07-08-1 2026-07-20 2026-07-22 2026-07-23 2026-07-25 2026-08-03 \
    2026-08-10 2026-08-12 2026-08-14 2026-08-21 2026-08-25-1 2026-09-02-1 2026-09-15 2026-09-22-1 2026-09-23 2026-09-24-1 \
    2026-09-25 2026-09-28 2026-09-29 2026-10-05 2026-10-05-1 2026-10-06 2026-10-06-1 2026-10-06-2 2026-10-07 2026-10-07-1 \
    2026-10-07-2 2026-10-08 2026-10-09 2026-10-09-1 2026-10-09-2 2026-10-13 2026-10-13-1 2026-10-14 2026-10-14-1 \
    2026-10-15 2026-10-15-1";

/// The header's name.
pub const HEADER: &str = "api-version-date";

/// Refuses a date that Whop does not know.
pub fn check(date: &str) -> Result<(), ApiError> {
    if KNOWN.split_whitespace().any(|known| known == date) {
        return Ok(());
    }
    let supported = KNOWN.split_whitespace().collect::<Vec<_>>().join(", ");
    Err(ApiError::bad(format!("Api-Version-Date {date} is not supported. Supported versions: {supported}")))
}

/// Checks the header of each call. Where Whop would answer in another shape, the answer says so in a header.
pub async fn layer(request: Request, next: Next) -> Response {
    let date = request.headers().get(HEADER).map(|value| value.to_str().unwrap_or_default().to_owned());
    if let Some(refusal) = date.as_deref().and_then(|date| check(date).err()) {
        return refusal.into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(HEADER, HeaderValue::from_static(crate::webhooks::API_VERSION_DATE));
    if date.as_deref() != Some(crate::webhooks::API_VERSION_DATE) {
        headers.insert(
            "sandbox-note",
            HeaderValue::from_static("answered in the shape of 2026-10-15-1; Whop would answer in an older one"),
        );
    }
    response
}
