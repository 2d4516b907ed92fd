//! Checking an id_token (OpenID Connect Core 3.1.3.7): signed with ES256 by a key of the issuer's, which we fetch from the issuer
//! and never from the token, and saying exactly what we asked for.

use std::sync::{PoisonError, RwLock};

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use time::{Duration, OffsetDateTime};

use super::OauthError;

/// Their clock may be ahead of ours, or behind.
const CLOCKS_APART_MAX: Duration = Duration::minutes(1);
/// A key that nobody knows is asked for at most this often.
const ASK_AGAIN_AFTER: Duration = Duration::minutes(1);
/// Keys are asked for again after a day, so that one that was taken back is forgotten.
const KEPT_FOR: Duration = Duration::hours(24);
const SUBJECT_BYTES_MAX: usize = 200;

/// A person at the issuer, by the one name that never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(pub String);

/// What is wrong with an id_token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadIdToken {
    #[error("it is no JWT that names its key")]
    Form,
    #[error("nobody knows the key it names")]
    Key,
    #[error("its signature is wrong, or it is not signed with ES256")]
    Signature,
    #[error("it comes from another issuer")]
    Issuer,
    #[error("it is for another client")]
    Audience,
    #[error("its time is over, or has not begun")]
    Time,
    #[error("it answers another question")]
    Nonce,
    #[error("it names nobody")]
    Subject,
}

/// What it has to say.
pub struct Wanted<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    pub nonce: &'a str,
    pub now: OffsetDateTime,
}

/// The issuer's public keys, as far as they are known.
pub struct Keys {
    url: String,
    known: RwLock<Option<Known>>,
}

struct Known {
    set: JwkSet,
    at: OffsetDateTime,
}

impl Keys {
    pub const fn at(url: String) -> Self {
        Self { url, known: RwLock::new(None) }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The key of this name; `fetch` asks for all of them, when this one is not known or was learned long ago.
    pub async fn find<Fetching>(
        &self,
        kid: &str,
        now: OffsetDateTime,
        fetch: impl FnOnce() -> Fetching,
    ) -> Result<Option<DecodingKey>, OauthError>
    where
        Fetching: Future<Output = Result<JwkSet, OauthError>>,
    {
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = &*known {
                let (age, key) = ((now - known.at).abs(), usable(&known.set, kid));
                if age < ASK_AGAIN_AFTER || (age < KEPT_FOR && key.is_some()) {
                    return Ok(key);
                }
            }
        }
        let set = fetch().await?;
        let key = usable(&set, kid);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Known { set, at: now });
        Ok(key)
    }
}

fn usable(set: &JwkSet, kid: &str) -> Option<DecodingKey> {
    let jwk = set.find(kid)?;
    let AlgorithmParameters::EllipticCurve(curve) = &jwk.algorithm else { return None };
    (curve.curve == EllipticCurve::P256).then(|| DecodingKey::from_jwk(jwk).ok()).flatten()
}

/// The key that a token names, if it is one that we could check at all.
pub fn key_id(token: &SecretString) -> Option<String> {
    let header = decode_header(token.expose_secret()).ok()?;
    header.kid.filter(|_| header.alg == Algorithm::ES256)
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    sub: String,
    exp: i64,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

pub fn check(token: &SecretString, key: &DecodingKey, wanted: &Wanted<'_>) -> Result<Subject, BadIdToken> {
    let mut validation = Validation::new(Algorithm::ES256);
    // Of the claims it would compare times with a clock that is not ours, and say less about what is wrong.
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let claims: Claims = decode(token.expose_secret(), key, &validation).map_err(|_| BadIdToken::Signature)?.claims;
    let for_us = match &claims.aud {
        Audience::One(audience) => audience == wanted.audience,
        Audience::Several(several) => matches!(&several[..], [audience] if audience == wanted.audience),
    };
    let (now, apart) = (wanted.now.unix_timestamp(), CLOCKS_APART_MAX.whole_seconds());
    let nonce = claims.nonce.unwrap_or_default();
    if claims.iss != wanted.issuer {
        Err(BadIdToken::Issuer)
    } else if !for_us {
        Err(BadIdToken::Audience)
    } else if claims.exp.saturating_add(apart) <= now || claims.iat.is_some_and(|iat| iat.saturating_sub(apart) > now) {
        Err(BadIdToken::Time)
    } else if nonce.is_empty() || !bool::from(nonce.as_bytes().ct_eq(wanted.nonce.as_bytes())) {
        Err(BadIdToken::Nonce)
    } else if claims.sub.is_empty() || claims.sub.len() > SUBJECT_BYTES_MAX || claims.sub.chars().any(char::is_control)
    {
        Err(BadIdToken::Subject)
    } else {
        Ok(Subject(claims.sub))
    }
}
