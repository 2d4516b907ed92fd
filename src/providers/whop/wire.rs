//! Whop's shapes, one file a resource (Whop API at [`super::API_VERSION`]). They are read leniently: unknown fields
//! are passed over, unknown words kept as text, and only what we decide by has to be there.

pub mod account;
pub mod amount;
pub mod checkout;
pub mod dispute;
pub mod lenient;
pub mod membership;
pub mod page;
pub mod payment;
pub mod plan;
pub mod product;
pub mod refund;
pub mod user;
pub mod webhook;
mod word;

#[cfg(test)]
mod tests;

pub(crate) use word::open_words;

/// Something that is only pointed at, and may be given as an object with its id.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Reference {
    pub id: String,
}
