//! What is for sale.

pub mod catalogue;
pub mod defaults;

pub use catalogue::{Offer, catalogue};
