//! Credits: whole numbers, never fractions.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of credits. One credit is the smallest unit; the ledger holds amounts within ± 10^12.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credits(i64);

impl Credits {
    pub const ZERO: Self = Self(0);
    /// The largest amount that one operation may move: 10^12 credits.
    pub const MAX: Self = Self(1_000_000_000_000);

    pub const fn new(credits: i64) -> Self {
        Self(credits)
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    /// Reads whole credits as people type them (`100,000`, `100 000`, `100000`), from 1 to [`Self::MAX`].
    pub fn parse_typed(text: &str) -> Option<Self> {
        let grouping = |c: char| matches!(c, ',' | ' ' | '\u{a0}' | '\u{202f}' | '\'');
        let digits: String = text.trim().chars().filter(|c| !grouping(*c)).collect();
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let credits = plain.then(|| digits.parse().ok().map(Self))??;
        (Self::ZERO < credits && credits <= Self::MAX).then_some(credits)
    }

    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(credits) => Some(Self(credits)),
            None => None,
        }
    }

    /// With a sign, as a ledger shows a movement: `+5,000`, `−120`.
    pub fn signed(self) -> String {
        if self.0 > 0 { format!("+{self}") } else { self.to_string() }
    }
}

/// Grouped by thousands, with a true minus sign: `5,000`, `−120`.
impl fmt::Display for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("−")?;
        }
        f.write_str(&group_thousands(self.0.unsigned_abs()))
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn group_thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_read_as_people_type_them_and_nothing_else_does() {
        for text in ["100000", "100,000", "100 000", "100\u{202f}000"] {
            assert_eq!(Credits::parse_typed(text), Some(Credits::new(100_000)), "{text}");
        }
        for text in ["", "0", "-5", "1.5", "1e3", "١٢", "99999999999999999999", "1000000000001", "+7", ","] {
            assert_eq!(Credits::parse_typed(text), None, "{text}");
        }
    }

    #[test]
    fn credits_are_grouped_and_signed() {
        assert_eq!(Credits::new(9_999_999_999).to_string(), "9,999,999,999");
        assert_eq!(Credits::new(0).to_string(), "0");
        assert_eq!(Credits::new(100).to_string(), "100");
        assert_eq!(Credits::new(5_000).signed(), "+5,000");
        assert_eq!(Credits::new(-120).signed(), "−120");
        assert_eq!(Credits::new(i64::MIN).to_string(), "−9,223,372,036,854,775,808");
    }
}
