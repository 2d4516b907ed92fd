//! Making sure that nothing stays wrong: open orders are asked about, the provider's books are compared with ours and
//! with the ledger, and what is missing is proposed and applied through the same settling as everything else.

pub mod breaks;
pub mod check;
pub mod compare;
pub mod examine;
pub mod heal;
mod ours;
pub mod sweep;

use domain::OrderId;

pub use crate::providers::Window;

/// In which way the books don't agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreakKind {
    /// The provider has the money, the buyer has no credits.
    PaidNotGranted,
    /// The buyer has credits that the provider has no money for.
    GrantedNotPaid,
    /// Another amount was paid than credits were given for, or other credits given than were sold.
    AmountDiffers,
    /// The provider paid back more than we know of.
    RefundMissing,
    /// It is disputed at the provider, and we know of no dispute.
    DisputeMissing,
    /// What the ledger took back is not what refunds and disputes ask for.
    TakenBackDiffers,
    /// Paid to us, for no order of ours, or not to be read.
    UnknownPayment,
    /// An order waits for longer than it should.
    OrderStuck,
}

impl BreakKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaidNotGranted => "paid_not_granted",
            Self::GrantedNotPaid => "granted_not_paid",
            Self::AmountDiffers => "amount_differs",
            Self::RefundMissing => "refund_missing",
            Self::DisputeMissing => "dispute_missing",
            Self::TakenBackDiffers => "taken_back_differs",
            Self::UnknownPayment => "unknown_payment",
            Self::OrderStuck => "order_stuck",
        }
    }

    /// Whether taking the provider's word in, as if it had just been said, puts it right.
    pub const fn heals_by_settling(self) -> bool {
        matches!(self, Self::PaidNotGranted | Self::RefundMissing | Self::DisputeMissing)
    }
}

/// One way in which the books don't agree now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub kind: BreakKind,
    /// `whop:pay_…`, or an order's id.
    pub subject: String,
    /// What each side says, for a person.
    pub detail: String,
    pub order: Option<OrderId>,
}
