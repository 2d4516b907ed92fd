//! Every answer that is not the one asked for, as RFC 9457 has it (`application/problem+json`): a code that programs act on,
//! and a sentence for whoever reads logs.

mod refusals;

use atlas::Error;
use axum::response::{IntoResponse, Response};
use domain::FieldErrors;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

/// What `type` begins with; the code follows.
pub const TYPES: &str = "urn:problem-type:atlas:";
const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");
/// Come again after this long: a batch or two have gone by.
const RETRY_SOON: HeaderValue = HeaderValue::from_static("1");
/// Long enough for a database to fail over in a few attempts.
const RETRY_LATER: HeaderValue = HeaderValue::from_static("2");
/// What a program lacks is for a person to set right.
const RETRY_IN_A_MINUTE: HeaderValue = HeaderValue::from_static("60");

#[derive(Debug)]
pub enum Problem {
    BadRequest(&'static str),
    Unauthenticated,
    NotEnoughCredits,
    CreditsAreOwed,
    MissingScope,
    UnknownOwner,
    UnsupportedMediaType,
    /// What is wrong with each field.
    Invalid(FieldErrors),
    KeyReused,
    /// Too many spends of one wallet at once.
    TooManyRequests,
    KeyTooBusy {
        seconds: u64,
    },
    Broken,
    Unavailable,
    /// Nobody is signed in, and it takes somebody.
    NotSignedIn,
    /// A key was sent where it takes a person.
    TakesAPerson,
    /// Another role is needed, or there is nothing of that name for this one.
    Forbidden,
    NotFound,
    /// Whoever asks has to show again that it is them.
    ConfirmFirst {
        confirm_at: String,
    },
    /// Declined, for a reason that they can act on.
    Refused {
        status: StatusCode,
        code: &'static str,
        message: String,
        retry_after: Option<HeaderValue>,
    },
    /// Somebody was faster; and this is how it stands now.
    Overtaken {
        code: &'static str,
        message: String,
        current: Value,
    },
}

/// The body of a problem. `error` repeats code and sentence where the clients of the first version look for them.
pub fn body(status: StatusCode, code: &str, detail: &str) -> Map<String, Value> {
    let title = code.replace('_', " ");
    let body = json!({
        "type": format!("{TYPES}{code}"),
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
        "error": { "code": code, "message": detail },
    });
    body.as_object().cloned().unwrap_or_default()
}

/// A problem as it is sent.
pub fn answer(status: StatusCode, body: Map<String, Value>) -> Response {
    (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], Value::Object(body).to_string()).into_response()
}

impl Problem {
    fn parts(&self) -> (StatusCode, &'static str, String) {
        let (status, code, message) = match self {
            Self::BadRequest(message) => (StatusCode::BAD_REQUEST, "bad_request", *message),
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
            Self::Invalid(errors) => return (StatusCode::UNPROCESSABLE_ENTITY, "invalid", in_one_line(errors)),
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
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "unauthorized", "You are not signed in. Sign in first."),
            Self::TakesAPerson => (
                StatusCode::FORBIDDEN,
                "takes_a_person",
                "This takes a person who is signed in. A key may not do it, and beside a key no cookie counts.",
            ),
            Self::Forbidden => {
                (StatusCode::FORBIDDEN, "forbidden", "Your account may not do this. Nothing was changed.")
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "There is nothing of this name."),
            Self::ConfirmFirst { .. } => (
                StatusCode::FORBIDDEN,
                "confirm_first",
                "Confirm first that it is you, at confirm_at; then send this again. Nothing was changed.",
            ),
            Self::Refused { status, code, message, .. } => return (*status, code, message.clone()),
            Self::Overtaken { code, message, .. } => return (StatusCode::CONFLICT, code, message.clone()),
        };
        (status, code, message.to_owned())
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Unauthenticated => Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            Self::TooManyRequests => Some((header::RETRY_AFTER, RETRY_SOON)),
            Self::KeyTooBusy { seconds } => Some((header::RETRY_AFTER, HeaderValue::from(*seconds))),
            Self::Unavailable => Some((header::RETRY_AFTER, RETRY_LATER)),
            Self::Refused { retry_after: Some(after), .. } => Some((header::RETRY_AFTER, after.clone())),
            _ => None,
        }
    }

    /// The member that only this problem has.
    fn member(&self) -> Option<(&'static str, Value)> {
        match self {
            Self::Invalid(errors) => {
                let named = errors.iter().map(|(field, detail)| json!({ "field": field, "detail": detail }));
                Some(("errors", named.collect()))
            }
            Self::ConfirmFirst { confirm_at } => Some(("confirm_at", json!(confirm_at))),
            Self::Overtaken { current, .. } => Some(("current", current.clone())),
            _ => None,
        }
    }
}

fn in_one_line(errors: &FieldErrors) -> String {
    let sentences: Vec<String> = errors.iter().map(|(field, rule)| format!("{field}: {rule}")).collect();
    sentences.join("; ")
}

impl From<FieldErrors> for Problem {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}

/// Also writes the log of what went wrong on our side.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusals::said(refusal),
            Error::Forbidden => Self::MissingScope,
            Error::NotFound => Self::NotFound,
            Error::Invalid(errors) => errors.into(),
            Error::Unavailable(_) => {
                tracing::error!(error = ?error, "a request for JSON could not reach what it needs");
                Self::Unavailable
            }
            Error::Broken(_) => {
                tracing::error!(error = ?error, "a request for JSON broke");
                Self::Broken
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code, message) = self.parts();
        let mut body = body(status, code, &message);
        if let Some((name, value)) = self.member() {
            body.insert(name.to_owned(), value);
        }
        let mut response = answer(status, body);
        if let Some((name, value)) = self.header() {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// The router says which methods there are (`Allow`).
pub async fn method_not_allowed() -> Response {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    answer(status, body(status, "method_not_allowed", "This address takes other methods; Allow names them."))
}
