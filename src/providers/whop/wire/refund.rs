//! Refunds, in the shape that the API reads them in and in the older one that their webhooks carry (Whop API, refunds;
//! refund payload).

use serde::Deserialize;
use time::OffsetDateTime;

use super::amount::Amount;
use super::lenient::{self, Metadata};
use super::{Reference, open_words};

open_words! {
    /// Only `succeeded` means that money went back.
    RefundStatus {
        Pending = "pending", RequiresAction = "requires_action", Succeeded = "succeeded", Failed = "failed",
        Canceled = "canceled",
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Refund {
    pub id: String,
    pub status: RefundStatus,
    #[serde(default)]
    pub payment_id: Option<String>,
    /// Legacy: the payment as an object.
    #[serde(default)]
    pub payment: Option<Reference>,
    #[serde(default)]
    pub account_id: Option<String>,
    /// In the payment's settlement currency; refunds of a payment add up to its `refunded_amount`.
    #[serde(default)]
    pub amount: Option<Amount>,
    /// Legacy: said beside a bare amount.
    #[serde(default)]
    pub currency: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub reason: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub failure_reason: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub failure_message: Option<String>,
    #[serde(default)]
    pub metadata: Metadata,
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_at: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "lenient::time")]
    pub updated_at: Option<OffsetDateTime>,
}

impl Refund {
    /// The payment that is paid back, in either shape.
    pub fn payment(&self) -> Option<&str> {
        self.payment_id.as_deref().or(self.payment.as_ref().map(|payment| payment.id.as_str()))
    }
}
