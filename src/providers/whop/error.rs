//! What can go wrong in a call to Whop, and what it means to whoever asked.

use std::time::Duration;

use crate::providers::ProviderError;

/// Why a call gave no result. No secret is in any of these texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhopError {
    /// No answer: not connected, cut off, or not in time. A POST may have been carried out.
    #[error("no answer from Whop: {0}")]
    Unreachable(String),
    /// An answer that is not what the API promises.
    #[error("Whop's answer can't be read: {0}")]
    Unreadable(String),
    /// An answer with an error status.
    #[error("Whop answered {0}")]
    Api(ApiError),
    /// Something of ours can't be sent: an id, a key or a setting.
    #[error("can't ask Whop: {0}")]
    Unsendable(&'static str),
}

/// An error as Whop words it (Whop API, errors): `type` and `code` are open lists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status} {kind}: {message}")]
pub struct ApiError {
    pub status: u16,
    /// `bad_request`, `rate_limit_exceeded`, …; empty when it was not said.
    pub kind: String,
    pub code: Option<String>,
    /// At most 300 characters, without control characters.
    pub message: String,
    /// How long Whop asks us to wait.
    pub retry_after: Option<Duration>,
}

impl ApiError {
    /// Whether Whop itself says that it may work later. 409 does so only when an idempotency key was sent: the first
    /// request with that key is still running, or Whop has lost its outcome.
    pub const fn is_temporary(&self) -> bool {
        matches!(self.status, 408 | 409 | 429) || self.status >= 500
    }
}

impl From<WhopError> for ProviderError {
    fn from(error: WhopError) -> Self {
        match error {
            WhopError::Unreachable(_) => Self::Unreachable(error.to_string()),
            WhopError::Unreadable(_) => Self::Unreadable(error.to_string()),
            WhopError::Api(ref answer) if answer.status == 404 => Self::NotFound,
            WhopError::Api(ref answer) if answer.is_temporary() => Self::Unreachable(error.to_string()),
            WhopError::Unsendable(_) | WhopError::Api(_) => Self::Misconfigured(error.to_string()),
        }
    }
}
