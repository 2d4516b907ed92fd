//! What an event or a provider's answer says, in our own words: about a payment, or about what may take one back.

use domain::{DisputeState, FailureReason, Money, OrderId, PaymentState, Provider, RefundRequestId, RefundState};
use time::OffsetDateTime;

/// Something that a provider said at one moment. Nothing in it is checked against our orders yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    Payment(PaymentFacts),
    Refund(RefundFacts),
    Dispute(DisputeFacts),
}

/// One payment.
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
    /// What the buyer was charged: the same with that tax. Refunds are measured by it.
    pub charged: Option<Money>,
    pub paid_at: Option<OffsetDateTime>,
    /// For the receipt: `visa •••• 4242`, or the kind of method.
    pub method: Option<String>,
    /// Set when the state is failed or canceled.
    pub failure: Option<Failure>,
    /// What of the charge was refunded so far, as far as the payment itself says so.
    pub refunded: Option<Money>,
    /// Whether the payment itself says that it is disputed, or that a dispute was lost.
    pub disputed: bool,
}

/// Why a payment did not go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub reason: FailureReason,
    /// The provider's own sentence, without control characters, at most 300 characters.
    pub message: Option<String>,
}

/// One refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundFacts {
    pub provider: Provider,
    pub refund_id: String,
    pub payment_id: String,
    pub account: Option<String>,
    /// In the currency of the charge.
    pub amount: Money,
    pub state: RefundState,
    /// Whose request it answers, as its metadata says: a hint, for nothing that moves money.
    pub request: Option<RefundRequestId>,
    /// Why it came back, in the provider's words: no control characters, at most 300 characters.
    pub failure: Option<String>,
}

/// One dispute, from the bank's first question to its decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeFacts {
    pub provider: Provider,
    pub dispute_id: String,
    pub payment_id: String,
    pub account: Option<String>,
    /// None: not said, so all that was charged.
    pub amount: Option<Money>,
    pub state: DisputeState,
    /// Until when evidence can be sent.
    pub respond_by: Option<OffsetDateTime>,
}

/// One membership, as it stood when that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipFacts {
    /// The provider's id, `[A-Za-z0-9_-]{1,255}`.
    pub membership_id: String,
    pub account: Option<String>,
    /// The provider's id of who holds it.
    pub subject: Option<String>,
    pub product_id: Option<String>,
    pub plan_id: Option<String>,
    /// In the provider's words, printable, at most 100 characters.
    pub status: String,
    /// None: this status says neither yes nor no, so that it stays as it was.
    pub gives_access: Option<bool>,
    pub said_at: OffsetDateTime,
}

impl Fact {
    pub const fn provider(&self) -> Provider {
        match self {
            Self::Payment(facts) => facts.provider,
            Self::Refund(facts) => facts.provider,
            Self::Dispute(facts) => facts.provider,
        }
    }

    /// The provider's id of what it is about.
    pub fn id(&self) -> &str {
        match self {
            Self::Payment(facts) => &facts.payment_id,
            Self::Refund(facts) => &facts.refund_id,
            Self::Dispute(facts) => &facts.dispute_id,
        }
    }

    pub fn payment_id(&self) -> &str {
        match self {
            Self::Payment(facts) => &facts.payment_id,
            Self::Refund(facts) => &facts.payment_id,
            Self::Dispute(facts) => &facts.payment_id,
        }
    }

    /// The account it happened to, if that was said.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Payment(facts) => facts.account.as_deref(),
            Self::Refund(facts) => facts.account.as_deref(),
            Self::Dispute(facts) => facts.account.as_deref(),
        }
    }
}
