//! The bearer key. Two reads are public, as at Whop: a checkout configuration and a plan, with private fields left out.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::error::ApiError;
use crate::sandbox::Sandbox;

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
    /// The account, by its key.
    Account,
    /// Nobody we know; only public reads get this far.
    Anyone,
}

impl Caller {
    pub fn is_known(self) -> bool {
        self == Self::Account
    }
}

/// Lets requests with the right key through, and public reads without any key.
pub async fn check(State(sandbox): State<Sandbox>, mut request: Request, next: Next) -> Response {
    let caller = match bearer(request.headers()) {
        Some(key) if key == sandbox.settings().api_key => Caller::Account,
        None if is_public(request.method(), request.uri().path()) => Caller::Anyone,
        _ => return ApiError::unauthorized().into_response(),
    };
    request.extensions_mut().insert(caller);
    next.run(request).await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    // Something other than a bearer is a wrong key, not a missing one.
    Some(value.strip_prefix("Bearer ").unwrap_or_default())
}

fn is_public(method: &Method, path: &str) -> bool {
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    method == Method::GET
        && matches!(parts[..], [.., "checkout_configurations" | "plans" | "variants", id] if id.contains('_'))
        && parts.len() <= 4
}
