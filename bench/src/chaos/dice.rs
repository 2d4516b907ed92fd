//! Chance that can be repeated: the same seed throws the same dice, on every machine and with every version.

use std::time::Duration;

/// `SplitMix64` (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// `purpose` keeps the dice of different parts apart: one part that throws more often changes no other.
    pub const fn new(seed: u64, purpose: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which must be above zero.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.next() % if end == 0 { 1 } else { end }
    }

    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    pub const fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    pub const fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.index(of.len())]
    }

    /// How many heads come before the first tail.
    pub const fn heads(&mut self) -> usize {
        let mut heads = 0;
        while heads < 20 && self.next() & 1 == 1 {
            heads += 1;
        }
        heads
    }

    pub const fn milliseconds(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.between(least, most))
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }

    /// An id in the form of a random UUID.
    pub fn uuid(&mut self) -> sqlx::types::Uuid {
        let bits = u128::from(self.next()) << 64 | u128::from(self.next());
        let version = bits & !(0xf << 76 | 0x3 << 62) | 4 << 76 | 2 << 62;
        sqlx::types::Uuid::from_u128(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same() {
        let throw = |seed, purpose| {
            let mut dice = Dice::new(seed, purpose);
            (0..5).map(|_| dice.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(throw(7, 1), throw(7, 1));
        assert_ne!(throw(7, 1), throw(8, 1));
        assert_ne!(throw(7, 1), throw(7, 2));
    }

    #[test]
    fn every_face_comes_up() {
        let mut dice = Dice::new(1, 1);
        let mut seen = [false; 6];
        for _ in 0..200 {
            seen[dice.index(6)] = true;
        }
        assert_eq!(seen, [true; 6]);
        assert_eq!(dice.uuid().get_version_num(), 4);
    }
}
