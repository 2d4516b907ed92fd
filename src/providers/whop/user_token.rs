//! Who looks at us from inside Whop. Whop puts a short-lived token into the header `x-whop-user-token` of each request that
//! its frame makes: a JWT, ES256, from the issuer `urn:whopcom:exp-proxy`, for our app (npm's @whop/sdk 2.6.0,
//! `lib/verify-user-token`, which is also where the key's form comes from).

use std::fmt;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use time::OffsetDateTime;

const ISSUER: &str = "urn:whopcom:exp-proxy";
/// Whop's tokens are of some hundred bytes.
const TOKEN_BYTES_MAX: usize = 4_096;
const SUBJECT_BYTES_MAX: usize = 200;

/// The keys that Whop signs with, and what our app is called there.
#[derive(Clone)]
pub struct UserTokens {
    app_id: String,
    keys: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    id: Option<String>,
    key: DecodingKey,
}

/// Proof that a request comes from inside Whop, and from whom: only [`UserTokens::verify`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhopUser {
    subject: String,
}

impl WhopUser {
    /// `user_…`
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

/// Not one of the forms of a key, or no P-256 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is neither a JWK nor a JWKS with P-256 keys")]
pub struct BadKeys;

/// The reasons are for the log; whoever sent it learns none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    #[error("no token of ours")]
    Form,
    #[error("no key fits")]
    Key,
    #[error("signature, issuer or audience")]
    Claims,
    #[error("it has ended")]
    Ended,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Several { keys: Vec<Jwk> },
    One(Box<Jwk>),
}

/// What we read of a token. An `aud` that is a list is refused: it might be meant for somebody else as well.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[expect(dead_code, reason = "that it is one text is the check")]
    aud: String,
    exp: i64,
}

impl UserTokens {
    /// `keys`: a JWK or a JWKS, as JSON.
    pub fn new(app_id: &str, keys: &str) -> Result<Self, BadKeys> {
        let keys = match serde_json::from_str(keys).map_err(|_| BadKeys)? {
            Written::Several { keys } => keys,
            Written::One(key) => vec![*key],
        };
        let keys = keys.into_iter().map(Key::read).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() || app_id.is_empty() {
            return Err(BadKeys);
        }
        Ok(Self { app_id: app_id.to_owned(), keys })
    }

    /// Whose token it is, if it is good at `now`.
    pub fn verify(&self, token: &str, now: OffsetDateTime) -> Result<WhopUser, BadToken> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(BadToken::Form);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| BadToken::Form)?;
        let key = self.key(header.kid.as_deref()).ok_or(BadToken::Key)?;
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[&self.app_id]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Our own clock says when it ends, so that tests can move it.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &rules).map_err(|_| BadToken::Claims)?.claims;
        if claims.exp <= now.unix_timestamp() {
            return Err(BadToken::Ended);
        }
        if claims.sub.is_empty() || claims.sub.len() > SUBJECT_BYTES_MAX {
            return Err(BadToken::Claims);
        }
        Ok(WhopUser { subject: claims.sub })
    }

    /// By its id; a single key needs none.
    fn key(&self, id: Option<&str>) -> Option<&DecodingKey> {
        let named = id.and_then(|id| self.keys.iter().find(|key| key.id.as_deref() == Some(id)));
        let only = || self.keys.first().filter(|key| self.keys.len() == 1 && (key.id.is_none() || id.is_none()));
        named.or_else(only).map(|key| &key.key)
    }
}

impl Key {
    fn read(jwk: Jwk) -> Result<Self, BadKeys> {
        match &jwk.algorithm {
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {}
            _ => return Err(BadKeys),
        }
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| BadKeys)?;
        Ok(Self { id: jwk.common.key_id, key })
    }
}

impl fmt::Debug for UserTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserTokens").field("app_id", &self.app_id).field("keys", &self.keys.len()).finish()
    }
}

#[cfg(test)]
mod tests;
