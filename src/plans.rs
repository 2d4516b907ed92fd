//! What is for sale.

pub mod catalogue;
pub mod defaults;
pub mod shelf;

pub use catalogue::{Offer, catalogue};
