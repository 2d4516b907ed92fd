//! Payments and their states. A payment stays the same through every try of its buyer.

pub mod card;
pub mod pay;
pub mod settle;
pub mod status;
pub mod view;

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::money::Amount;
use crate::people::Metadata;
use crate::world::Record;
use card::Card;

/// Whop's `status`. A payment stays `paid` through refunds and disputes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing collected yet; also after a failed try.
    Open,
    /// A slow rail, such as a bank debit, is under way.
    Pending,
    Paid,
}

/// Whop's `substatus`, as far as the sandbox gets there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Substatus {
    Incomplete,
    Failed,
    Pending,
    Succeeded,
    PartiallyRefunded,
    Refunded,
    DisputeNeedsResponse,
    DisputeWarningNeedsResponse,
    DisputeUnderReview,
    DisputeWarningUnderReview,
    DisputeWon,
    DisputeLost,
    DisputeWarningClosed,
    DisputeClosed,
}

/// How the buyer pays.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    Card(Card),
    BankDebit,
}

/// Why a bank said no.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decline {
    /// One of Whop's decline codes.
    pub code: String,
    /// For the buyer.
    pub message: String,
}

/// What will come of the try that is under way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Succeeds,
    Declines(Decline),
}

/// The moment at which a try is decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Settlement {
    pub at: Moment,
    pub verdict: Verdict,
}

/// One payment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payment {
    pub id: String,
    pub checkout_id: String,
    pub plan_id: String,
    pub product_id: Option<String>,
    /// The buyer's user.
    pub person_id: String,
    pub membership_id: Option<String>,
    pub line_item_id: String,
    pub client_secret: String,
    /// What is bought, in the words of the plan.
    pub label: String,
    pub metadata: Metadata,
    pub total: Amount,
    /// Settled refunds, in minor units.
    pub refunded_minor: i64,
    pub refunded_at: Option<Moment>,
    pub status: Status,
    pub substatus: Substatus,
    pub means: Option<Means>,
    pub decline: Option<Decline>,
    pub failures: u32,
    pub three_ds_verified: bool,
    /// Waits for the buyer to prove themselves to the bank.
    pub challenged: bool,
    pub due: Option<Settlement>,
    pub created_at: Moment,
    pub updated_at: Moment,
    pub last_try_at: Option<Moment>,
    pub paid_at: Option<Moment>,
}

impl Payment {
    /// Whether the buyer may try (again).
    pub fn may_be_tried(&self) -> bool {
        self.status == Status::Open && self.due.is_none()
    }

    /// A dispute that is not decided yet; meanwhile nothing can be refunded.
    pub fn is_disputed(&self) -> bool {
        matches!(
            self.substatus,
            Substatus::DisputeNeedsResponse
                | Substatus::DisputeWarningNeedsResponse
                | Substatus::DisputeUnderReview
                | Substatus::DisputeWarningUnderReview
        )
    }

    /// Paid, not in dispute, not lost, and not given back in full.
    pub fn is_refundable(&self) -> bool {
        self.status == Status::Paid
            && !self.is_disputed()
            && self.substatus != Substatus::DisputeLost
            && self.refunded_minor < self.total.minor
    }

    /// The substatus that refunds alone would give a paid payment.
    pub fn substatus_by_refunds(&self) -> Substatus {
        match self.refunded_minor {
            0 => Substatus::Succeeded,
            refunded if refunded < self.total.minor => Substatus::PartiallyRefunded,
            _ => Substatus::Refunded,
        }
    }
}

impl Record for Payment {
    const KIND: &'static str = "payment";

    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> Moment {
        self.created_at
    }
}
