//! Identifiers as Whop writes them: a prefix that names the kind, then letters and digits. A seed makes them repeatable.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LETTERS: usize = 14;

/// Makes identifiers and secrets.
pub struct Ids(StdRng);

impl Ids {
    /// With a seed the same run gives the same ids; without one they are random.
    pub fn new(seed: Option<u64>) -> Self {
        Self(generator(seed, 0))
    }

    /// A fresh id, such as `pay_8Zq0aFh2LmX1Wc`.
    pub fn fresh(&mut self, prefix: &str) -> String {
        format!("{prefix}{}", self.word(LETTERS))
    }

    /// Random letters and digits.
    pub fn word(&mut self, letters: usize) -> String {
        (0..letters).map(|_| char::from(ALPHABET[self.0.random_range(0..ALPHABET.len())])).collect()
    }

    /// A licence key, `ABCDE-FGHIJ-...`: four groups of six.
    pub fn license_key(&mut self) -> String {
        let groups: Vec<String> = (0..4).map(|_| self.word(6).to_uppercase()).collect();
        groups.join("-")
    }

    /// A webhook secret: `ws_` and 64 hexadecimal digits (Whop documentation, webhooks).
    pub fn webhook_secret(&mut self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = (0..64).map(|_| char::from(DIGITS[self.0.random_range(0..DIGITS.len())]));
        "ws_".chars().chain(digits).collect()
    }
}

/// A random source; `stream` keeps ids and faults apart, so that a fault does not change the ids that follow.
pub fn generator(seed: Option<u64>, stream: u64) -> StdRng {
    match seed {
        Some(seed) => StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(stream)),
        None => StdRng::from_os_rng(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let (mut one, mut two, mut other) = (Ids::new(Some(7)), Ids::new(Some(7)), Ids::new(Some(8)));
        let id = one.fresh("pay_");
        assert_eq!(id, two.fresh("pay_"));
        assert_ne!(id, other.fresh("pay_"));
        assert_ne!(id, one.fresh("pay_"));
    }
}
