//! What a key looks like: `cred_live_`, 43 random letters and digits, six for a checksum. Scanners for leaked secrets
//! know it by its beginning; a mistyped one is told by its checksum, without asking the database.

use std::fmt;

use rand::distr::{Alphanumeric, SampleString as _};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

const BEGINNING: &str = "cred_live_";
/// 62^43 is a little more than 2^256.
const RANDOM_CHARS: usize = 43;
/// 62^6 is more than 2^32.
const CHECKSUM_CHARS: usize = 6;
/// As many random characters tell two keys of one shop apart and help nobody guess the rest.
const SHOWN_CHARS: usize = BEGINNING.len() + 4;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key's SHA-256: what is stored, and all that we remember of a key that was sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// None: it can't be a key of ours, by its form or its checksum.
    pub fn of(key: &str) -> Option<Self> {
        let random = key.strip_prefix(BEGINNING)?;
        if random.len() != RANDOM_CHARS + CHECKSUM_CHARS || !random.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let (body, given) = key.split_at(key.len() - CHECKSUM_CHARS);
        (given == checksum(body)).then(|| Self::of_whole(key))
    }

    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    fn of_whole(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }
}

/// A hash is no secret, but it is nobody's business either.
impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

/// A key nobody has seen yet.
pub(super) struct FreshKey {
    pub text: SecretString,
    pub hash: KeyHash,
    /// How it begins, for lists.
    pub prefix: String,
}

impl FreshKey {
    pub fn make() -> Self {
        let mut text = BEGINNING.to_owned();
        Alphanumeric.append_string(&mut rand::rng(), &mut text, RANDOM_CHARS);
        let checksum = checksum(&text);
        text.push_str(&checksum);
        let hash = KeyHash::of_whole(&text);
        let prefix = text[..SHOWN_CHARS].to_owned();
        Self { text: SecretString::from(text), hash, prefix }
    }
}

fn checksum(body: &str) -> String {
    let digest = Sha256::digest(body);
    let mut number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    let mut digits = [DIGITS[0]; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_fresh_key_is_known_again_and_looks_like_no_other() {
        let (one, other) = (FreshKey::make(), FreshKey::make());
        let text = one.text.expose_secret();
        assert_eq!(KeyHash::of(text).unwrap(), one.hash);
        assert_ne!(one.hash, other.hash);
        assert_eq!((text.len(), text.starts_with("cred_live_")), (59, true));
        assert!(text.starts_with(&one.prefix) && one.prefix.len() == 14);
    }

    #[test]
    fn what_is_mistyped_or_foreign_is_no_key() {
        let key = FreshKey::make().text.expose_secret().to_owned();
        for place in 0..key.len() {
            let mut typed = key.clone().into_bytes();
            typed[place] = if typed[place] == b'x' { b'y' } else { b'x' };
            assert!(KeyHash::of(&String::from_utf8(typed).unwrap()).is_none(), "another letter at {place}");
        }
        for text in
            ["", "cred_live_", &key[..58], &format!("{key}0"), &format!(" {key}"), "sk_live_1", &key.to_uppercase()]
        {
            assert!(KeyHash::of(text).is_none(), "{text}");
        }
        let umlauts = format!("cred_live_{}", "ä".repeat(30));
        assert!(KeyHash::of(&umlauts[..umlauts.len() - 2]).is_none());
    }

    #[test]
    fn the_checksum_stays_what_it_was() {
        // Or keys that were given out would no longer be taken.
        let body = format!("cred_live_{}", "A".repeat(43));
        assert_eq!(checksum(&body), "0PLXm5");
    }

    #[test]
    fn neither_key_nor_hash_is_shown() {
        let key = FreshKey::make();
        let shown = format!("{:?} {:?}", key.text, key.hash);
        assert!(
            !shown.contains(key.text.expose_secret()) && !shown.contains(&format!("{:?}", key.hash.bytes())),
            "{shown}"
        );
    }
}
