//! The `id_token`: a JWT signed with ES256 (RFC 7515, RFC 7518), and the key set that it is checked against.

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::{Code, Lie};
use crate::api;
use crate::clock::Moment;
use crate::sandbox::Sandbox;
use crate::world::World;

/// How long an `id_token` is good.
const SECONDS: i64 = 3600;

/// The key of this run.
pub struct SigningKey {
    id: String,
    pair: EcdsaKeyPair,
}

impl SigningKey {
    pub fn fresh() -> anyhow::Result<Self> {
        let random = SystemRandom::new();
        let refused = |_| anyhow::anyhow!("no signing key could be made");
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(refused)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)
            .map_err(|error| anyhow::anyhow!("a fresh signing key is not accepted: {error}"))?;
        let public = pair.public_key().as_ref();
        Ok(Self { id: URL_SAFE_NO_PAD.encode(&public[1..9]), pair })
    }

    /// As RFC 7517 writes it. The public key is 4, then x and y with 32 bytes each (SEC 1, uncompressed point).
    fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", encoded(header), encoded(claims));
        // It fails only when the system has no randomness.
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes());
        let signature = signature.map(|signature| URL_SAFE_NO_PAD.encode(signature)).unwrap_or_default();
        format!("{text}.{signature}")
    }
}

pub async fn jwks(State(sandbox): State<Sandbox>) -> Response {
    api::ok(&json!({ "keys": [sandbox.signing_key().jwk()] }))
}

/// The token that belongs to a code, truthful or not.
pub fn issue(key: &SigningKey, world: &World, code: &Code) -> Option<String> {
    let lies = |lie| world.faults.oauth_lies.contains(&lie);
    if lies(Lie::NoIdToken) {
        return None;
    }
    let base = world.settings.public_url.as_str();
    let client = world.settings.client.as_ref()?;
    let began = Moment::now().unix_seconds() - if lies(Lie::Expired) { 2 * SECONDS } else { 0 };
    let claims = json!({
        "iss": if lies(Lie::Issuer) { "https://issuer.example" } else { base },
        "aud": if lies(Lie::Audience) { "app_SomebodyElse01" } else { &client.id },
        "sub": code.person_id,
        "nonce": if lies(Lie::Nonce) { Some("of somebody else") } else { code.nonce.as_deref() },
        "iat": began,
        "exp": began + SECONDS,
    });
    if lies(Lie::AlgNone) {
        return Some(format!("{}.{}.", encoded(&json!({ "alg": "none", "typ": "JWT" })), encoded(&claims)));
    }
    let kid = if lies(Lie::UnknownKey) { "a-key-of-nobody" } else { &key.id };
    let token = key.sign(&json!({ "alg": "ES256", "typ": "JWT", "kid": kid }), &claims);
    if lies(Lie::Signature) {
        let mut other = claims;
        other["sub"] = json!("user_SomebodyElse01");
        let header = token.split('.').next()?;
        return Some(format!("{header}.{}.{}", encoded(&other), token.rsplit('.').next()?));
    }
    Some(token)
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
