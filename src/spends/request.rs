//! What an application may ask for, checked before it joins a batch.

use domain::{Credits, FieldErrors, PersonId};

use crate::api_keys::secret::KeyHash;

/// Characters, not bytes.
pub const DESCRIPTION_CHARS_MAX: usize = 200;
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// A spend, who asks for it, and under which key.
#[derive(Debug, Clone)]
pub struct Request {
    pub caller: KeyHash,
    pub key: IdempotencyKey,
    pub usage: Usage,
}

/// The caller's own name for one spend: sent again with it, the spend is not done again. 1 to 255 visible ASCII
/// characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&text.len());
        (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose credits, how many, and what the owner reads about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    pub(super) owner: PersonId,
    pub(super) credits: Credits,
    pub(super) description: Option<String>,
}

impl Usage {
    /// `credits` from 1 to [`Credits::MAX`]; `description` 1 to 200 characters of one line that reads as it is stored.
    pub fn parse(owner: PersonId, credits: i64, description: Option<String>) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        if !(1..=Credits::MAX.get()).contains(&credits) {
            errors.add("credits", format!("must be a whole number from 1 to {}", Credits::MAX.get()));
        }
        if let Some(text) = &description {
            let length = text.chars().count();
            if length > DESCRIPTION_CHARS_MAX || text.trim().is_empty() || text.chars().any(is_deceptive) {
                let rule =
                    format!("must be 1 to {DESCRIPTION_CHARS_MAX} characters on one line, without control characters");
                errors.add("description", rule);
            }
        }
        if errors.is_empty() { Ok(Self { owner, credits: Credits::new(credits), description }) } else { Err(errors) }
    }
}

/// Breaks the line, is not seen, or turns round how the rest of a statement reads.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::ids;

    fn usage(credits: i64, description: Option<&str>) -> Result<Usage, FieldErrors> {
        Usage::parse(PersonId::from_uuid(ids::fresh()), credits, description.map(str::to_owned))
    }

    #[test]
    fn credits_are_whole_and_within_the_ledgers_range() {
        for fine in [1, 25, 1_000_000_000_000] {
            assert_eq!(usage(fine, None).unwrap().credits.get(), fine);
        }
        for wrong in [0, -1, 1_000_000_000_001, i64::MAX, i64::MIN] {
            assert!(usage(wrong, None).unwrap_err().of("credits").is_some(), "{wrong}");
        }
    }

    #[test]
    fn a_description_is_one_honest_line() {
        for fine in ["x", "Used for job 1", "Für Übersetzung № 7 👩‍🚀", &"ä".repeat(200)] {
            assert_eq!(usage(1, Some(fine)).unwrap().description.unwrap(), fine);
        }
        for wrong in ["", "  ", "a\nb", "a\0b", "\u{1b}[2J", "a\u{85}b", "a\u{202e}b", "a\u{2028}b", &"ä".repeat(201)]
        {
            assert!(usage(1, Some(wrong)).unwrap_err().of("description").is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn an_idempotency_key_is_visible_ascii() {
        for fine in ["1", "job-1:part/2", &"k".repeat(255)] {
            assert_eq!(IdempotencyKey::parse(fine).unwrap().as_str(), fine);
        }
        for wrong in ["", " ", "a b", "a\tb", "ä", "a\u{7f}", &"k".repeat(256)] {
            assert!(IdempotencyKey::parse(wrong).is_none(), "{wrong:?}");
        }
    }
}
