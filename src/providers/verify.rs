//! Proof that a webhook is authentic: Standard Webhooks signatures over the raw bytes. An unverified webhook is not a
//! value, for only [`WebhookSecrets::verify`] makes a [`VerifiedDelivery`].

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use time::OffsetDateTime;

#[cfg(test)]
mod tests;

/// How far a delivery's timestamp may be from our clock, in seconds, both ways and inclusive (Standard Webhooks).
pub const TOLERANCE_SECONDS: u64 = 300;
/// A shorter secret can be guessed, and an empty one lets anybody sign.
pub const SECRET_BYTES_MIN: usize = 24;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const ID_BYTES_MAX: usize = 255;

/// Why a secret can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    #[error("a webhook secret needs at least {SECRET_BYTES_MIN} bytes")]
    TooShort,
    /// The key is the text as it stands, so a line break that slipped in would make every signature wrong.
    #[error("a webhook secret must not begin or end with white space")]
    Padded,
}

/// Why a delivery is not believed. All get the same answer; the word is for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("webhook rejected: {}", self.as_str())]
pub enum Rejection {
    /// One of the three headers is absent or empty.
    MissingHeader,
    /// One of the three headers has several values, so that it is not clear what was signed.
    RepeatedHeader,
    /// The id is not `[A-Za-z0-9_-]{1,255}`.
    Id,
    /// Not whole Unix seconds.
    Timestamp,
    /// Signed more than [`TOLERANCE_SECONDS`] ago.
    Stale,
    /// Signed more than [`TOLERANCE_SECONDS`] from now.
    Future,
    /// No signature matches, under either secret.
    Signature,
    /// Signed with the previous secret, whose time is over.
    Retired,
}

impl Rejection {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingHeader => "missing_header",
            Self::RepeatedHeader => "repeated_header",
            Self::Id => "id",
            Self::Timestamp => "timestamp",
            Self::Stale => "stale",
            Self::Future => "future",
            Self::Signature => "signature",
            Self::Retired => "retired_secret",
        }
    }
}

/// Which of our secrets had signed a delivery; during rotation both are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretUsed {
    Current,
    Previous,
}

impl SecretUsed {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Previous => "previous",
        }
    }
}

/// A delivery that was signed with our secret, lately. It may still be a repetition, or nonsense.
#[derive(Clone)]
pub struct VerifiedDelivery {
    id: String,
    timestamp: i64,
    body: Vec<u8>,
    secret_used: SecretUsed,
}

impl VerifiedDelivery {
    /// The message's id, `[A-Za-z0-9_-]{1,255}`, the same on each delivery of it: what to tell repetitions by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it was signed, in Unix seconds.
    pub const fn timestamp(&self) -> i64 {
        self.timestamp
    }

    /// The bytes that were signed.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    pub const fn secret_used(&self) -> SecretUsed {
        self.secret_used
    }
}

/// Without the body, which names people.
impl fmt::Debug for VerifiedDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedDelivery")
            .field("id", &self.id)
            .field("timestamp", &self.timestamp)
            .field("body_bytes", &self.body.len())
            .field("secret_used", &self.secret_used)
            .finish()
    }
}

/// The secrets that one endpoint's deliveries are signed with.
///
/// The key is the whole secret as UTF-8 bytes, a `ws_` in front included, decoded in no way (Whop API, webhooks).
#[derive(Debug, Clone)]
pub struct WebhookSecrets {
    current: SecretString,
    previous: Option<SecretString>,
    /// In Unix seconds.
    previous_until: i64,
}

impl WebhookSecrets {
    /// `previous` is the secret before a rotation, for as long as deliveries signed with it may still arrive.
    pub fn new(current: SecretString, previous: Option<SecretString>) -> Result<Self, WeakSecret> {
        for secret in std::iter::once(&current).chain(&previous) {
            let text = secret.expose_secret();
            if text.len() < SECRET_BYTES_MIN {
                return Err(WeakSecret::TooShort);
            }
            if text.trim() != text {
                return Err(WeakSecret::Padded);
            }
        }
        Ok(Self { current, previous, previous_until: i64::MAX })
    }

    /// From this moment on the previous secret is worth nothing, whether anybody restarts us or not.
    #[must_use]
    pub fn previous_until(self, end: OffsetDateTime) -> Self {
        Self { previous_until: end.unix_timestamp(), ..self }
    }

    /// Checks headers, age and signature, in that order. `body` is the request's body exactly as it came, `now_unix`
    /// our clock in Unix seconds.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: impl Into<Vec<u8>>,
        now_unix: i64,
    ) -> Result<VerifiedDelivery, Rejection> {
        let id = only_value(headers, &ID)?;
        let timestamp_text = only_value(headers, &TIMESTAMP)?;
        let signatures = only_value(headers, &SIGNATURE)?;
        let id = clean_id(id).ok_or(Rejection::Id)?;
        let timestamp = unix_seconds(timestamp_text).ok_or(Rejection::Timestamp)?;
        if timestamp.abs_diff(now_unix) > TOLERANCE_SECONDS {
            return Err(if timestamp < now_unix { Rejection::Stale } else { Rejection::Future });
        }
        let body = body.into();
        let signed = [id.as_bytes(), b".", timestamp_text, b".", &body];
        let secret_used = if is_signed_with(&self.current, &signed, signatures) {
            SecretUsed::Current
        } else if self.previous.as_ref().is_some_and(|secret| is_signed_with(secret, &signed, signatures)) {
            if now_unix >= self.previous_until {
                return Err(Rejection::Retired);
            }
            SecretUsed::Previous
        } else {
            return Err(Rejection::Signature);
        };
        Ok(VerifiedDelivery { id: id.to_owned(), timestamp, body, secret_used })
    }
}

fn only_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a [u8], Rejection> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map_or(&[][..], |value| value.as_bytes());
    if values.next().is_some() {
        Err(Rejection::RepeatedHeader)
    } else if first.is_empty() {
        Err(Rejection::MissingHeader)
    } else {
        Ok(first)
    }
}

/// Without a dot, so that `id.timestamp.body` can be cut in one way only.
fn clean_id(id: &[u8]) -> Option<&str> {
    let is_clean = id.len() <= ID_BYTES_MAX && id.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if is_clean { std::str::from_utf8(id).ok() } else { None }
}

/// Digits only: Rust would also read `+1` as a number.
fn unix_seconds(text: &[u8]) -> Option<i64> {
    if text.iter().all(u8::is_ascii_digit) { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}

/// Whether any `v1` token of the header is ours. Tokens of other versions and broken ones count for nothing.
fn is_signed_with(secret: &SecretString, signed: &[&[u8]], signatures: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else { return false };
    for part in signed {
        mac.update(part);
    }
    let ours = mac.finalize().into_bytes();
    signatures
        .split(|byte| *byte == b' ')
        .filter_map(|token| STANDARD.decode(token.strip_prefix(b"v1,")?).ok())
        .any(|theirs| bool::from(ours.as_slice().ct_eq(&theirs)))
}
