//! Payments, in today's flat shape and in the older nested one that webhooks without a pinned date still carry
//! (Whop API, payments; legacy shapes).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::amount::{Amount, Price};
use super::lenient::{self, Metadata};
use super::{Reference, open_words};

open_words! {
    /// Collected is `paid`, and it stays so after a refund; `succeeded` is no status but a substatus.
    PaymentStatus {
        Draft = "draft", Open = "open", Authorized = "authorized", Paid = "paid", Pending = "pending",
        Uncollectible = "uncollectible", Unresolved = "unresolved", Void = "void",
    }
}

open_words! {
    /// Those that we decide by; there are about thirty.
    PaymentSubstatus {
        Succeeded = "succeeded", Pending = "pending", Failed = "failed", Blocked = "blocked", Canceled = "canceled",
        PriceTooLow = "price_too_low", Incomplete = "incomplete", Refunded = "refunded", AutoRefunded = "auto_refunded",
        PartiallyRefunded = "partially_refunded",
    }
}

open_words! {
    TaxBehavior {
        Exclusive = "exclusive", Inclusive = "inclusive", Unspecified = "unspecified",
        UnableToCollect = "unable_to_collect",
    }
}

/// What is to be paid back; nothing given means all that is left.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewRefund<'a> {
    /// In the payment's currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial_amount: Option<Price>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<&'a str, String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Payment {
    pub id: String,
    pub status: PaymentStatus,
    #[serde(default)]
    pub substatus: Option<PaymentSubstatus>,
    #[serde(default)]
    pub account_id: Option<String>,
    /// Legacy: the account, by its old name.
    #[serde(default)]
    pub company: Option<Reference>,
    #[serde(default)]
    pub checkout_configuration_id: Option<String>,
    #[serde(default)]
    pub metadata: Metadata,

    /// The settlement currency; rules all amounts here.
    #[serde(default)]
    pub currency: Option<String>,
    /// Before discount, tax and fees.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub subtotal: Option<Amount>,
    /// After discount, with the tax that is added on top.
    #[serde(default)]
    pub total: Option<Amount>,
    #[serde(default)]
    pub tax_amount: Option<Amount>,
    #[serde(default)]
    pub tax_behavior: Option<TaxBehavior>,
    /// Paid back so far, as settled.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub refunded_amount: Option<Amount>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub amount_after_fees: Option<Amount>,

    #[serde(default, deserialize_with = "lenient::time")]
    pub created_at: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "lenient::time")]
    pub paid_at: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub billing_reason: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub plan_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub product_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub member_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub membership_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub refundable: Option<bool>,

    #[serde(default, deserialize_with = "lenient::optional")]
    pub payment_method_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub payment_instrument: Option<PaymentInstrument>,
    /// Legacy: what is `payment_instrument` now.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub payment_method: Option<PaymentInstrument>,
    /// Only on charges whose bank wants the buyer to confirm.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub recovery_url: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub decline_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub failure_message: Option<String>,
}

impl Payment {
    /// The account that was paid, by its new or its old name.
    pub fn account(&self) -> Option<&str> {
        self.account_id.as_deref().or(self.company.as_ref().map(|company| company.id.as_str()))
    }

    pub fn card(&self) -> Option<&Card> {
        self.payment_instrument.as_ref().or(self.payment_method.as_ref())?.card.as_ref()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PaymentInstrument {
    #[serde(default, deserialize_with = "lenient::optional")]
    pub display_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub card: Option<Card>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Card {
    #[serde(default, deserialize_with = "lenient::optional")]
    pub brand: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub last4: Option<String>,
}
