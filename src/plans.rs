//! What is for sale: plans, whose terms stand in versions that never change.

pub mod adopt;
pub mod arrange;
pub mod bonus;
pub mod catalogue;
pub mod create;
pub mod defaults;
pub mod desk;
pub mod drift;
mod locked;
pub mod mirror;
pub mod names;
pub mod prices;
pub mod retire;
pub mod revise;
pub mod sale;
pub mod shelf;
pub mod terms;

pub use bonus::Bonus;
pub use catalogue::{Offer, catalogue};
pub use terms::Terms;
