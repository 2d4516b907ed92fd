//! Moving in: what the old system kept of people, orders and credits, read, examined and imported. A balance enters as one lot
//! through the kernel; what led to it is kept beside, to be looked at.

pub mod bring_in;
pub mod columns;
pub mod damage;
pub mod examine;
mod fields;
pub mod history;
mod prove;
mod rows;
pub mod run;

pub use self::fields::Values;
pub use self::prove::Proof;

/// Whose keys the opening lots have: the old ids of their profiles.
pub const SCOPE: &str = "legacy";

/// The system account that opening lots come from.
const COUNTER: &str = "opening";
