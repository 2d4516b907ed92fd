//! Recovery codes: each signs in once when the authenticator is lost.

use rand::Rng as _;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// So many at a time.
pub const CODES: usize = 10;
/// 120 bits, so that a plain hash protects them (ASVS 6.5.2 asks for 112).
const LETTERS_EACH: usize = 24;
const GROUP: usize = 6;
/// 32 of them; none looks like another.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// One that may be shown to its owner, once: `ABCDEF-GHJKLM-NPQRST-UVWXYZ`.
#[derive(Debug, Clone)]
pub struct RecoveryCode(SecretString);

impl RecoveryCode {
    pub(super) fn fresh() -> Self {
        let mut random = rand::rng();
        let letters: String =
            (0..LETTERS_EACH).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())])).collect();
        Self(SecretString::from(letters))
    }

    /// As people type it: in any case, with whatever between the groups. None: no code looks like that.
    pub(super) fn parse(typed: &str) -> Option<Self> {
        let letters: String =
            typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
        let ours = letters.len() == LETTERS_EACH && letters.bytes().all(|letter| LETTERS.contains(&letter));
        ours.then(|| Self(SecretString::from(letters)))
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// In groups, for its owner's eyes.
    pub fn shown(&self) -> String {
        let groups: Vec<&str> =
            (0..LETTERS_EACH / GROUP).map(|group| &self.expose()[group * GROUP..(group + 1) * GROUP]).collect();
        groups.join("-")
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.expose()).into()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = RecoveryCode::fresh();
        for typed in
            [code.shown(), code.shown().to_lowercase(), code.shown().replace('-', " "), format!(" {} ", code.expose())]
        {
            assert_eq!(RecoveryCode::parse(&typed).unwrap().hash(), code.hash(), "{typed}");
        }
        for bad in ["", "123456", &"A".repeat(23), &"A".repeat(25), &"0".repeat(24), &"é".repeat(24)] {
            assert!(RecoveryCode::parse(bad).is_none(), "{bad:?}");
        }
        assert_ne!(RecoveryCode::fresh().expose(), code.expose());
        assert!(!format!("{code:?}").contains(code.expose()));
    }
}
