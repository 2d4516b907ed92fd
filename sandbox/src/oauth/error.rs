//! The authorisation server's refusals: `{"error": "...", "error_description": "..."}` (RFC 6749, 5.2).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::api;

/// A refusal by code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub &'static str, pub &'static str);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(error, description) = self;
        let status = match error {
            "invalid_client" | "invalid_token" => StatusCode::UNAUTHORIZED,
            "insufficient_scope" => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        };
        api::json(status, &json!({ "error": error, "error_description": description }))
    }
}

/// A failure made on request.
pub fn of_status(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let error = if status == StatusCode::TOO_MANY_REQUESTS { "rate_limit_exceeded" } else { "server_error" };
    api::json(status, &json!({ "error": error, "error_description": "This was asked for" }))
}
