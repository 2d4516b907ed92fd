//! Why somebody did it, in their own words.

use domain::FieldErrors;

pub const REASON_LENGTH_MAX: usize = 500;

/// One line of 1 to 500 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldErrors> {
        let reason = text.trim();
        if reason.is_empty() {
            return Err(FieldErrors::one(field, "Say why, in a few words."));
        }
        if reason.chars().count() > REASON_LENGTH_MAX {
            return Err(FieldErrors::one(field, "Shorten the reason to 500 characters."));
        }
        if reason.chars().any(char::is_control) {
            return Err(FieldErrors::one(field, "Write the reason on one line, without control characters."));
        }
        Ok(Self(reason.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
