//! Whop's error envelope: `{"error": {"type": "...", "message": "...", "code": "..."}}`.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal.
#[derive(Clone, Debug)]
pub struct ApiError {
    pub status: StatusCode,
    kind: &'static str,
    pub message: String,
    code: Option<&'static str>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into(), code: None }
    }

    /// The request makes no sense.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "The API key is missing or not valid here")
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// Nothing of that kind has this id.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("{what} not found"))
    }

    /// The state does not allow it.
    pub fn conflict(kind: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, kind, message)
    }

    pub fn server(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", message)
    }

    /// An error made on request, with the type and words that belong to its status.
    pub fn of_status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (kind, message) = match status.as_u16() {
            401 => return Self::unauthorized(),
            403 => ("forbidden", "This key lacks a permission"),
            404 => ("not_found", "Not found"),
            409 => ("conflict", "The resource is in another state"),
            410 => ("gone", "This endpoint was removed"),
            422 => ("unprocessable_entity", "The request could not be processed"),
            429 => ("rate_limit_exceeded", "Rate limit exceeded. Try again in 1 second"),
            503 => ("service_unavailable", "Whop is not available at the moment"),
            400..=499 => ("bad_request", "The request was refused"),
            _ => ("server_error", "Something went wrong"),
        };
        Self::new(status, kind, message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut error = json!({ "type": self.kind, "message": self.message });
        if let (Some(code), Some(fields)) = (self.code, error.as_object_mut()) {
            fields.insert("code".to_owned(), code.into());
        }
        let mut response = super::json(self.status, &json!({ "error": error }));
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert("retry-after", axum::http::HeaderValue::from_static("1"));
        }
        response
    }
}
