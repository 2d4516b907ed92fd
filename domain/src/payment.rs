//! The states of a payment at a provider, and of what may take it back: refunds and disputes. Each set is ordered, and
//! only the greater state counts, so that news may arrive in any order and end the same.

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

text_enum! {
    /// How far a refund has come. Ordered: `failed` is greatest, for a refund may still come back after it was told as
    /// succeeded, and then the buyer did not get the money.
    pub enum RefundState {
        Pending = "pending",
        /// The provider waits for the buyer, for instance for a bank account.
        RequiresAction = "requires_action",
        Canceled = "canceled",
        /// The buyer has the money.
        Succeeded = "succeeded",
        Failed = "failed",
    }
}

impl RefundState {
    /// Whether the money may still leave.
    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::Pending | Self::RequiresAction)
    }
}

text_enum! {
    /// How far a refund has come that somebody here asked for, until the provider speaks of it.
    pub enum RefundRequestState {
        /// For another admin to confirm.
        Waiting = "waiting",
        /// To be said to the provider, or said without an answer yet.
        Wanted = "wanted",
        /// The provider took it.
        Sent = "sent",
        /// The provider will not do it. No money moves.
        Refused = "refused",
        /// The other admin said no.
        Declined = "declined",
        /// Whoever asked took it back before it was confirmed.
        Withdrawn = "withdrawn",
    }
}

text_enum! {
    /// Where a dispute stands. Ordered: an inquiry that was closed may still become a chargeback, and what is lost is
    /// lost whatever else was said.
    pub enum DisputeState {
        /// The bank asks; no money is taken yet.
        Inquiry = "inquiry",
        InquiryClosed = "inquiry_closed",
        /// The bank took the money until it is decided.
        Open = "open",
        /// Ended before it became a chargeback.
        Prevented = "prevented",
        Won = "won",
        /// The buyer has the money.
        Lost = "lost",
    }
}

impl DisputeState {
    /// Whether it is not decided yet.
    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::Inquiry | Self::Open)
    }
}
