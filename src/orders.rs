//! An order's life, one verb a file. The rule for what a payment does to it is `decide`, a pure function.

pub mod answer;
pub mod begin;
pub mod books;
pub mod channel;
pub mod checkout;
pub mod decide;
pub mod desk;
pub mod disputes;
pub mod dossier;
pub mod expire;
pub mod export;
pub mod list;
pub mod own;
pub mod page;
pub mod receipt;
pub mod refund;
pub mod request;
pub mod route;
pub mod settle;
pub mod take_back;

use domain::FieldErrors;

/// The idempotency key that travels in a form: the same form sent twice is one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormKey(String);

impl FormKey {
    /// A key for a form that is about to be shown.
    pub fn fresh() -> Self {
        Self(crate::ids::fresh().simple().to_string())
    }

    /// Errors: a key that no form of ours carries (8 to 128 letters, digits, `-` or `_`).
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldErrors> {
        let well_formed = (8..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(FieldErrors::one(field, "This form is incomplete. Reload the page and try again."))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
