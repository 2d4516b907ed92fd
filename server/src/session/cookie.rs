//! The session cookie's name, and its attributes when it is taken back.

use axum::response::Response;
use http::{HeaderValue, header};

/// Browsers hold `__Host-` cookies to our host and to https, and refuse them over plain http.
pub const fn name(secure: bool) -> &'static str {
    if secure { "__Host-sid" } else { "sid" }
}

/// A browser ignores a removal of a `__Host-` cookie that is not Secure; the session layer sends it bare.
pub async fn keep_host_prefix(mut response: Response) -> Response {
    if let header::Entry::Occupied(mut cookies) = response.headers_mut().entry(header::SET_COOKIE) {
        for cookie in cookies.iter_mut() {
            if let Ok(text) = cookie.to_str()
                && text.starts_with("__Host-")
                && !text.contains("; Secure")
                && let Ok(whole) = HeaderValue::from_str(&format!("{text}; HttpOnly; SameSite=Lax; Secure"))
            {
                *cookie = whole;
            }
        }
    }
    response
}
