//! The headers that tell a browser what our answers may not be used for. On every answer: files, errors, redirects too.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue};

/// For what is no page. Pages set their own, with a nonce.
const NOTHING_ALLOWED: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

const ALWAYS: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    // Where `report-to csp` of a policy leads.
    (HeaderName::from_static("reporting-endpoints"), "csp=\"/csp-report\""),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "geolocation=(), camera=(), microphone=(), payment=(self \"https://whop.com\"), usb=()",
    ),
];

/// What an answer may say otherwise itself.
const UNLESS_SET: [(HeaderName, &str); 3] = [
    (CONTENT_SECURITY_POLICY, NOTHING_ALLOWED),
    (REFERRER_POLICY, "strict-origin-when-cross-origin"),
    // Balances and orders must not be found in a shared computer's cache. Files say otherwise.
    (CACHE_CONTROL, "no-store"),
];

/// Set by a handler on an answer that its own policy lets others frame: then no older header must forbid it.
#[derive(Debug, Clone, Copy)]
pub struct Framed;

const HTTPS_ONLY: &str = "max-age=63072000; includeSubDomains; preload";

#[derive(Clone, Copy)]
pub struct Secure {
    https: bool,
}

impl Secure {
    pub fn new(public_url: &str) -> Self {
        Self { https: public_url.starts_with("https://") }
    }
}

pub async fn secure(State(secure): State<Secure>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let framed = response.extensions().get::<Framed>().is_some();
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in UNLESS_SET {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if framed {
        headers.remove(X_FRAME_OPTIONS);
    }
    if secure.https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HTTPS_ONLY));
    }
    response
}
