//! The states of a payment at a provider.

use serde::{Deserialize, Serialize};

use crate::order::text_enum;

text_enum! {
    /// How far a payment has come, in our words, whatever the provider calls it. Ordered: a payment only ever moves
    /// to a greater state, so that events may arrive in any order and end the same.
    pub enum PaymentState {
        /// Recorded by the provider, not tried yet.
        Created = "created",
        /// The bank wants the buyer to confirm.
        RequiresAction = "requires_action",
        /// Being collected, for instance a bank debit.
        Pending = "pending",
        Canceled = "canceled",
        /// Tried and refused; the buyer may try again within the same payment.
        Failed = "failed",
        /// Collected.
        Succeeded = "succeeded",
    }
}
