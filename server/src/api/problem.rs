//! Every answer that is not the one asked for, with a code that programs act on and a sentence for whoever reads logs.

use atlas::{Error, Refusal};
use axum::Json;
use axum::response::{IntoResponse, Response};
use domain::FieldErrors;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// Come again after this long: a batch or two have gone by.
const RETRY_SOON: HeaderValue = HeaderValue::from_static("1");
/// Long enough for a database to fail over in a few attempts.
const RETRY_LATER: HeaderValue = HeaderValue::from_static("2");

#[derive(Debug)]
pub enum Problem {
    BadRequest(&'static str),
    Unauthenticated,
    NotEnoughCredits,
    CreditsAreOwed,
    MissingScope,
    UnknownOwner,
    UnsupportedMediaType,
    Invalid(String),
    KeyReused,
    TooManyRequests,
    KeyTooBusy { seconds: u64 },
    Broken,
    Unavailable,
}

impl Problem {
    fn parts(self) -> (StatusCode, &'static str, String) {
        let (status, code, message) = match self {
            Self::BadRequest(message) => (StatusCode::BAD_REQUEST, "bad_request", message),
            Self::Unauthenticated => {
                (StatusCode::UNAUTHORIZED, "unauthenticated", "Send a valid key: Authorization: Bearer cred_live_…")
            }
            Self::NotEnoughCredits => {
                (StatusCode::PAYMENT_REQUIRED, "not_enough_credits", "The wallet holds fewer credits than that.")
            }
            Self::CreditsAreOwed => (
                StatusCode::PAYMENT_REQUIRED,
                "credits_are_owed",
                "Credits are owed after a refund. They have to be repaid before more can be spent.",
            ),
            Self::MissingScope => (StatusCode::FORBIDDEN, "missing_scope", "This key was not made for that."),
            Self::UnknownOwner => (StatusCode::NOT_FOUND, "unknown_owner", "There is no wallet of this owner."),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send JSON, uncompressed, with Content-Type: application/json.",
            ),
            Self::Invalid(message) => return (StatusCode::UNPROCESSABLE_ENTITY, "invalid", message),
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "This Idempotency-Key was used for a different request.",
            ),
            Self::TooManyRequests => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                "Too many spends of this wallet are waiting. Repeat with the same Idempotency-Key.",
            ),
            Self::KeyTooBusy { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                "This key is used too often. Nothing was done; repeat with the same Idempotency-Key.",
            ),
            Self::Broken => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "broken",
                "Something broke on our side. Repeat with the same Idempotency-Key to learn what became of it.",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Whether this was done is not known yet. Repeat with the same Idempotency-Key.",
            ),
        };
        (status, code, message.to_owned())
    }

    fn header(&self) -> Option<(http::HeaderName, HeaderValue)> {
        match self {
            Self::Unauthenticated => Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            Self::TooManyRequests => Some((header::RETRY_AFTER, RETRY_SOON)),
            Self::KeyTooBusy { seconds } => Some((header::RETRY_AFTER, HeaderValue::from(*seconds))),
            Self::Unavailable => Some((header::RETRY_AFTER, RETRY_LATER)),
            _ => None,
        }
    }
}

impl From<FieldErrors> for Problem {
    fn from(errors: FieldErrors) -> Self {
        let sentences: Vec<String> = errors.iter().map(|(field, rule)| format!("{field} {rule}")).collect();
        Self::Invalid(sentences.join("; "))
    }
}

/// Also writes the log of what went wrong on our side.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(Refusal::UnknownApiKey) => Self::Unauthenticated,
            Error::Refused(Refusal::NotEnoughCredits) => Self::NotEnoughCredits,
            Error::Refused(Refusal::CreditsAreOwed) => Self::CreditsAreOwed,
            Error::Refused(Refusal::KeyUsedForAnotherRequest) => Self::KeyReused,
            Error::Refused(Refusal::NoWallet) => Self::UnknownOwner,
            Error::Refused(Refusal::WalletTooBusy) => Self::TooManyRequests,
            Error::Forbidden => Self::MissingScope,
            Error::Invalid(errors) => errors.into(),
            // Logged once for its whole batch.
            Error::Unavailable(_) => Self::Unavailable,
            Error::NotFound | Error::Refused(_) | Error::Broken(_) => {
                tracing::error!(error = ?error, "a spend broke");
                Self::Broken
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let header = self.header();
        let (status, code, message) = self.parts();
        let mut response = (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response();
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

pub async fn method_not_allowed() -> Response {
    let body = json!({ "error": { "code": "method_not_allowed", "message": "Send a POST request." } });
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")], Json(body)).into_response()
}
