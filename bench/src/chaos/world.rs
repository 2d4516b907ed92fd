//! What really happens at the provider during the storm, all of it decided by the seed beforehand: who orders what, who
//! pays, what goes back, what is fought over, and which messages tell of it.

pub mod generate;
pub mod wire;

use sqlx::types::Uuid;
use sqlx::types::time::OffsetDateTime;

/// Currencies and how many digits their minor unit takes.
pub const CURRENCIES: [(&str, u32); 3] = [("usd", 2), ("eur", 2), ("jpy", 0)];

#[derive(Debug, Clone)]
pub struct Order {
    pub id: Uuid,
    pub buyer: Uuid,
    pub credits: i64,
    /// Given beside them; 0: none.
    pub bonus: i64,
    pub price_minor: i64,
    pub currency: &'static str,
    pub checkout: String,
    pub plan: String,
}

/// How a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Open,
    Failed,
    Canceled,
    Paid,
}

/// How a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundStanding {
    Pending,
    Failed,
    Succeeded,
}

/// How a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeStanding {
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
}

impl DisputeStanding {
    pub const fn is_open(self) -> bool {
        matches!(self, Self::NeedsResponse | Self::UnderReview)
    }
}

#[derive(Debug, Clone)]
pub struct Refund {
    pub id: String,
    pub minor: i64,
    pub standing: RefundStanding,
    /// In the shape of the REST API, or in the older one of webhooks.
    pub is_legacy: bool,
}

#[derive(Debug, Clone)]
pub struct Dispute {
    pub id: String,
    pub minor: i64,
    pub standing: DisputeStanding,
}

/// A payment as the provider knows it at some moment.
#[derive(Debug, Clone)]
pub struct Payment {
    pub id: String,
    /// Index into the orders.
    pub order: usize,
    pub minor: i64,
    pub currency: &'static str,
    /// The account that is paid; ours, or another.
    pub account: String,
    pub checkout: String,
    pub standing: Standing,
    pub refunds: Vec<Refund>,
    pub disputes: Vec<Dispute>,
    /// Not what was ordered: no credits may come of it.
    pub is_hostile: bool,
    /// RFC 3339, in UTC.
    pub created_at: String,
}

/// What changes at the provider when a message is written.
#[derive(Debug, Clone)]
pub enum Change {
    Payment(Standing),
    Refund(Refund),
    Dispute(Dispute),
    /// Told again under another id, or never true.
    Nothing,
}

/// What has to be answered to a message, and become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Kept and applied.
    Applied,
    /// Kept for a person, and nothing moved.
    Quarantined,
    /// Refused: not the provider's signature.
    Refused,
}

/// One event and its message, the same bytes however often it is delivered.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: String,
    /// Index into the payments.
    pub payment: usize,
    pub change: Change,
    pub body: String,
    pub due: Due,
}

#[derive(Debug)]
pub struct World {
    /// When the first payment is made.
    pub began: OffsetDateTime,
    pub buyers: Vec<Uuid>,
    pub orders: Vec<Order>,
    /// As they are before anything happens.
    pub payments: Vec<Payment>,
    /// In the order in which it happens.
    pub messages: Vec<Message>,
}

impl Payment {
    /// Brings it up to date with what happened.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Payment(standing) => self.standing = *standing,
            Change::Refund(refund) => match self.refunds.iter_mut().find(|known| known.id == refund.id) {
                Some(known) => known.standing = refund.standing,
                None => self.refunds.push(refund.clone()),
            },
            Change::Dispute(dispute) => match self.disputes.iter_mut().find(|known| known.id == dispute.id) {
                Some(known) => known.standing = dispute.standing,
                None => self.disputes.push(dispute.clone()),
            },
            Change::Nothing => {}
        }
    }

    /// What went back for good.
    pub fn refunded(&self) -> i64 {
        let done = self.refunds.iter().filter(|refund| refund.standing == RefundStanding::Succeeded);
        done.map(|refund| refund.minor).sum()
    }

    /// What was fought over and lost.
    pub fn lost(&self) -> i64 {
        let lost = self.disputes.iter().filter(|dispute| dispute.standing == DisputeStanding::Lost);
        lost.map(|dispute| dispute.minor).sum()
    }

    /// Whether some of it may still go back.
    pub fn is_contested(&self) -> bool {
        self.refunds.iter().any(|refund| refund.standing == RefundStanding::Pending)
            || self.disputes.iter().any(|dispute| dispute.standing.is_open())
    }
}
