//! What all routes under `/api/v1` share: keys, versions, errors, pages, idempotency.

pub mod auth;
pub mod body;
pub mod error;
pub mod idempotency;
pub mod page;
pub mod query;
pub mod version;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

/// An answer as JSON. Written straight from its type, so that numbers keep their digits.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => error::ApiError::server(error.to_string()).into_response(),
    }
}

/// `200` with JSON.
pub fn ok(value: &impl Serialize) -> Response {
    json(StatusCode::OK, value)
}
