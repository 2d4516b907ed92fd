//! What somebody may do here.

use serde::{Deserialize, Serialize};

use crate::order::text_enum;

text_enum! {
    /// What somebody may do. Ordered: each may do what those before it may.
    pub enum Role {
        Buyer = "buyer",
        /// Reads, moves no money.
        Support = "support",
        /// Refunds and exports.
        Finance = "finance",
        Admin = "admin",
    }
}
