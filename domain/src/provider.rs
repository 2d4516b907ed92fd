//! Who takes the money.

use serde::{Deserialize, Serialize};

use crate::order::text_enum;

text_enum! {
    /// Who takes the money for an order.
    pub enum Provider {
        Whop = "whop",
        Stripe = "stripe",
        /// Nobody online: an admin approves the order by hand.
        Manual = "manual",
    }
}

impl Provider {
    /// As its owner writes it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Whop => "Whop",
            Self::Stripe => "Stripe",
            Self::Manual => "By hand",
        }
    }
}
