//! What an event or a provider's answer says about a payment, in our own words.

use domain::{FailureReason, Money, OrderId, PaymentState, Provider};
use time::OffsetDateTime;

/// One payment as a provider described it at one moment. Nothing in it is checked against our order yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFacts {
    pub provider: Provider,
    /// The provider's id, `[A-Za-z0-9_-]{1,255}`.
    pub payment_id: String,
    /// The provider's id of the account that was paid; none when it was not said.
    pub account: Option<String>,
    /// The checkout it was paid through; how we find the order.
    pub checkout_id: Option<String>,
    /// The order id that travelled in the metadata. A hint to be checked, never how we find the order.
    pub order_hint: Option<OrderId>,
    pub state: PaymentState,
    /// What was paid for the goods: the total without tax that was added on top. None while nothing was charged.
    pub paid: Option<Money>,
    pub paid_at: Option<OffsetDateTime>,
    /// For the receipt: `visa •••• 4242`, or the kind of method.
    pub method: Option<String>,
    /// Set when the state is failed or canceled.
    pub failure: Option<Failure>,
}

/// Why a payment did not go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub reason: FailureReason,
    /// The provider's own sentence, without control characters, at most 300 characters.
    pub message: Option<String>,
}
