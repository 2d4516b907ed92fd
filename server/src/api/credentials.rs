//! What an application says about itself in the headers. Each exactly once: two values could mean one thing to a proxy
//! and another to us.

use atlas::api_keys::secret::KeyHash;
use atlas::orders::FormKey;
use atlas::spends::IdempotencyKey;
use http::{HeaderMap, HeaderName, header};

use super::problem::Problem;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The key of `Authorization: Bearer cred_live_…`, as its hash.
pub fn key(headers: &HeaderMap) -> Result<KeyHash, Problem> {
    let text = only(headers, &header::AUTHORIZATION).ok_or(Problem::Unauthenticated)?;
    let (scheme, key) = text.split_once(' ').ok_or(Problem::Unauthenticated)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::Unauthenticated);
    }
    KeyHash::of(key.trim_matches(' ')).ok_or(Problem::Unauthenticated)
}

pub fn idempotency_key(headers: &HeaderMap) -> Result<IdempotencyKey, Problem> {
    only(headers, &IDEMPOTENCY_KEY)
        .and_then(IdempotencyKey::parse)
        .ok_or(Problem::BadRequest("Send one Idempotency-Key header, 1 to 255 visible ASCII characters."))
}

/// The key of an order: what forms carry in a field.
pub fn form_key(headers: &HeaderMap) -> Result<FormKey, Problem> {
    only(headers, &IDEMPOTENCY_KEY)
        .and_then(|text| FormKey::parse("key", text).ok())
        .ok_or(Problem::BadRequest("Send one Idempotency-Key header: 8 to 128 letters, digits, - or _."))
}

/// The same, where it may be left out.
pub fn form_key_if_any(headers: &HeaderMap) -> Result<Option<FormKey>, Problem> {
    headers.contains_key(IDEMPOTENCY_KEY).then(|| form_key(headers)).transpose()
}

/// Errors: 415 for anything but plain JSON.
pub fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = only(headers, &header::CONTENT_TYPE).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") && !headers.contains_key(header::CONTENT_ENCODING) {
        Ok(())
    } else {
        Err(Problem::UnsupportedMediaType)
    }
}

fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}
