//! Requests that another site made a browser send. They carry our cookie, so where they come from has to be asked.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode, header};

use super::body::{API, WEBHOOKS};
use super::refusal;
use crate::csp_reports;

/// Our own origin, as browsers write it: scheme, host, port if unusual.
#[derive(Clone)]
pub struct Origin(Arc<str>);

impl Origin {
    pub fn new(public_url: &str) -> Self {
        Self(public_url.trim_end_matches('/').to_ascii_lowercase().into())
    }
}

pub async fn refuse(State(own): State<Origin>, request: Request, next: Next) -> Response {
    if is_forged(&own, request.method(), request.uri().path(), request.headers()) {
        tracing::warn!("refused a request from another site");
        let sentence = "This request came from another site. Open the page here and try again.";
        return refusal::refuse(request.headers(), StatusCode::FORBIDDEN, sentence);
    }
    next.run(request).await
}

fn is_forged(own: &Origin, method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let changes_nothing = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    // Webhooks prove themselves by signature, programs by a key, reports change nothing: a cookie is worth nothing to any of
    // them. A browser can't be made to add Authorization for another site.
    let without_cookies = path.starts_with(WEBHOOKS) || path.starts_with(API) || path == csp_reports::PATH;
    if changes_nothing || without_cookies || headers.contains_key(header::AUTHORIZATION) {
        return false;
    }
    if let Some(site) = headers.get("sec-fetch-site") {
        return site != "same-origin" && site != "none";
    }
    match headers.get(header::ORIGIN) {
        Some(origin) => !origin.as_bytes().eq_ignore_ascii_case(own.0.as_bytes()),
        // Browsers always say where a form comes from. Without a cookie there is nothing to misuse.
        None => headers.contains_key(header::COOKIE),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn forged(method: &Method, path: &str, headers: &[(&'static str, &str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
        is_forged(&Origin::new("https://Credits.example.com"), method, path, &headers.collect())
    }

    #[test]
    fn another_sites_form_is_refused() {
        for headers in [
            &[("cookie", "sid=1"), ("sec-fetch-site", "cross-site")][..],
            &[("cookie", "sid=1"), ("sec-fetch-site", "same-site")],
            &[("cookie", "sid=1"), ("sec-fetch-site", "cross-site"), ("origin", "https://credits.example.com")],
            &[("cookie", "sid=1"), ("origin", "https://evil.example")],
            &[("cookie", "sid=1"), ("origin", "null")],
            &[("cookie", "sid=1"), ("origin", "http://credits.example.com")],
            &[("cookie", "sid=1"), ("origin", "https://credits.example.com.evil.example")],
            &[("cookie", "sid=1")],
            // Without a cookie too: nobody may be signed in to someone else's account unawares.
            &[("origin", "https://evil.example")],
        ] {
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert!(forged(&method, "/api/buy_credits", headers), "{method} {headers:?}");
            }
        }
    }

    #[test]
    fn our_own_forms_and_programs_pass() {
        for headers in [
            &[("cookie", "sid=1"), ("sec-fetch-site", "same-origin")][..],
            &[("cookie", "sid=1"), ("sec-fetch-site", "none")],
            &[("cookie", "sid=1"), ("origin", "https://credits.example.com")],
            &[("authorization", "Bearer cred_live_1"), ("origin", "https://shop.example")],
            &[],
        ] {
            assert!(!forged(&Method::POST, "/api/buy_credits", headers), "{headers:?}");
        }
        assert!(!forged(&Method::POST, "/api/webhooks/whop", &[("origin", "https://whop.com")]));
        assert!(!forged(&Method::POST, "/api/v1/spend", &[("cookie", "sid=1")]));
        assert!(!forged(&Method::GET, "/credits", &[("cookie", "sid=1"), ("sec-fetch-site", "cross-site")]));
    }
}
