//! Reads JSON bodies from the raw text, so that numbers keep their digits. An empty body counts as `{}`.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// Largest request body.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A JSON body. Unknown fields are ignored, as Whop does.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state).await.map_err(|error| ApiError::bad(error.body_text()))?;
        parse(&bytes).map(Self)
    }
}

/// Reads a body that has already been received.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let bytes = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes };
    serde_json::from_slice(bytes).map_err(|error| ApiError::bad(format!("The request body is not valid: {error}")))
}
