//! What one attempt to sign in is made of. A random handle stays in the browser; state, nonce and code verifier follow from it
//! by HMAC, so that nothing of them has to be stored, and none of them tells another.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::Rng as _;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const HANDLE_BYTES: usize = 32;

/// What the browser holds in its cookie.
#[derive(Clone)]
pub struct Handle(SecretString);

impl Handle {
    pub fn fresh() -> Self {
        let bytes: [u8; HANDLE_BYTES] = rand::rng().random();
        Self(SecretString::from(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// None: no handle of ours looks like that.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == HANDLE_BYTES).then(|| Self(SecretString::from(text)))
    }

    /// For the cookie, and for nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What the attempt is stored under.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.expose()).into()
    }

    /// 256 bits that nobody else's attempt has.
    pub fn state(&self) -> String {
        self.derived("state")
    }

    pub fn is_state(&self, given: &str) -> bool {
        self.state().as_bytes().ct_eq(given.as_bytes()).into()
    }

    pub fn nonce(&self) -> String {
        self.derived("nonce")
    }

    /// 43 characters of those that RFC 7636 allows.
    pub fn verifier(&self) -> SecretString {
        SecretString::from(self.derived("verifier"))
    }

    /// By the method S256.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.derived("verifier")))
    }

    fn derived(&self, what: &str) -> String {
        // A key of any length is taken.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.expose().as_bytes()) else { return String::new() };
        mac.update(what.as_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle(…)")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn t48_nothing_that_travels_tells_anything_else() {
        let (one, two) = (Handle::fresh(), Handle::fresh());
        let mut seen = BTreeSet::new();
        for handle in [&one, &two] {
            let verifier = handle.verifier();
            for value in
                [handle.expose(), &handle.state(), &handle.nonce(), verifier.expose_secret(), &handle.challenge()]
            {
                assert_eq!(value.len(), 43, "256 bits");
                assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
                assert!(seen.insert(value.to_owned()), "twice");
            }
        }
        assert!(one.is_state(&one.state()) && !one.is_state(&two.state()) && !one.is_state(""));
        assert_eq!(one.challenge(), URL_SAFE_NO_PAD.encode(Sha256::digest(one.verifier().expose_secret())));
    }

    #[test]
    fn only_handles_are_read() {
        let handle = Handle::fresh();
        assert_eq!(Handle::parse(handle.expose()).unwrap().state(), handle.state());
        let short = &handle.expose()[1..];
        for odd in ["", "a", short, &format!("{}=", handle.expose()), "ä", &format!(" {short}")] {
            assert!(Handle::parse(odd).is_none(), "{odd}");
        }
        assert_eq!(format!("{handle:?}"), "Handle(…)");
    }
}
