//! Checkout configurations: what the buyer is sent to (Whop API, checkout configurations).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::amount::{Amount, Price};
use super::lenient::{self, Metadata};
use super::plan::{PlanType, Visibility};

/// A checkout to be made. Exactly one of `plan` and `plan_id` is given.
#[derive(Debug, Clone, Serialize)]
pub struct NewCheckout<'a> {
    pub account_id: &'a str,
    pub mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<InlinePlan<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<&'a str>,
    /// Copied to the payments that are made through the checkout.
    pub metadata: BTreeMap<&'a str, String>,
    /// https; on Whop's sandbox also plain http on localhost.
    pub redirect_url: &'a str,
}

/// A plan made together with the checkout. An equal one that exists is used again, so its id says nothing about us.
#[derive(Debug, Clone, Serialize)]
pub struct InlinePlan<'a> {
    pub plan_type: PlanType,
    pub initial_price: Price,
    pub currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<&'a str>,
    /// At most 30 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a str>,
    pub visibility: Visibility,
}

#[derive(Debug, Clone, Deserialize)]
pub struct CheckoutConfiguration {
    pub id: String,
    #[serde(default)]
    pub account_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub mode: Option<String>,
    #[serde(default)]
    pub plan: Option<CheckoutPlan>,
    #[serde(default)]
    pub metadata: Metadata,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub redirect_url: Option<String>,
    /// Where the buyer pays. Opaque: two forms of it are known.
    #[serde(default)]
    pub purchase_url: Option<String>,
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct CheckoutPlan {
    pub id: String,
    #[serde(default)]
    pub plan_type: Option<PlanType>,
    #[serde(default)]
    pub initial_price: Option<Amount>,
    #[serde(default)]
    pub renewal_price: Option<Amount>,
    #[serde(default)]
    pub currency: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub visibility: Option<Visibility>,
}
