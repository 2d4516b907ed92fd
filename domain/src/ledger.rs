//! Words of the credit ledger.

use serde::{Deserialize, Serialize};

use crate::order::text_enum;

text_enum! {
    /// What a ledger transaction did.
    pub enum TransactionKind {
        Grant = "grant",
        /// What a plan gives beside the credits that it sells.
        Bonus = "bonus",
        Spend = "spend",
        Capture = "capture",
        Expire = "expire",
        Clawback = "clawback",
        Reinstate = "reinstate",
        Transfer = "transfer",
        Adjust = "adjust",
    }
}

text_enum! {
    /// Where a lot of credits came from.
    pub enum LotSource {
        Purchase = "purchase",
        Manual = "manual",
        Promo = "promo",
        Subscription = "subscription",
        Refund = "refund",
        Transfer = "transfer",
        /// Given beside credits that were bought.
        Bonus = "bonus",
    }
}

text_enum! {
    /// What admins do to somebody's credits by hand.
    pub enum CreditDeedKind {
        Grant = "grant",
        Take = "take",
        /// Of what is owed.
        Forgive = "forgive",
        /// A request, with more credits than one admin may give alone.
        Approve = "approve",
    }
}

text_enum! {
    pub enum CreditDeedState {
        /// For another admin to confirm.
        Waiting = "waiting",
        Done = "done",
        Declined = "declined",
        /// By whoever asked.
        Withdrawn = "withdrawn",
    }
}

impl LotSource {
    /// The order in which lots are spent, smallest first: credits that were given go before credits that were paid
    /// for, so that paid credits stay refundable.
    pub const fn priority(self) -> i16 {
        match self {
            Self::Promo | Self::Bonus => 10,
            Self::Subscription => 20,
            Self::Purchase | Self::Manual | Self::Refund | Self::Transfer => 100,
        }
    }
}
