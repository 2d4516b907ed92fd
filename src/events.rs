//! Inbound webhooks, in three steps that can be called apart: read (in the provider's own words), decide (a pure
//! function, `orders::decide`), apply (write what was decided). Asking the provider ourselves and replaying an old event
//! go through the same last two.

pub mod desk;
pub mod facts;
pub mod forget;
pub mod inbox;
pub mod link;
pub mod receive;
pub mod replay;
pub mod resolve;

pub use facts::{DisputeFacts, Fact, Failure, MembershipFacts, PaymentFacts, RefundFacts};
pub use receive::{Delivery, Received, receive, receive_batch};

/// An event, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadEvent {
    /// The provider's name for it: `payment.succeeded`. Printable, at most 100 characters.
    pub kind: String,
    /// The provider's id of what it is about, if that is a clean id.
    pub object_id: Option<String>,
    pub content: Content,
}

/// What an event is about, for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Fact(Fact),
    Membership(MembershipFacts),
    /// A kind that we have no use for.
    Other,
    /// A kind that matters, but that doesn't read as it should; the word says why.
    Unreadable(&'static str),
}
