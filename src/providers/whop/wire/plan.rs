//! Plans, which the API calls variants since 2026-10 (Whop API, plans and variants). The ids are `plan_…` either way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::amount::{Amount, Price};
use super::lenient::{self, Metadata};
use super::{Reference, open_words};

open_words! {
    PlanType { OneTime = "one_time", Renewal = "renewal" }
}

open_words! {
    Visibility { Visible = "visible", Hidden = "hidden", Archived = "archived", QuickLink = "quick_link" }
}

/// A plan to be made.
#[derive(Debug, Clone, Serialize)]
pub struct NewPlan<'a> {
    pub account_id: &'a str,
    pub product_id: &'a str,
    /// At most 30 characters.
    pub title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    pub plan_type: PlanType,
    pub initial_price: Price,
    pub currency: &'a str,
    pub visibility: Visibility,
    pub unlimited_stock: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<&'a str, String>,
    /// Seen by the seller only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_notes: Option<&'a str>,
}

/// What is to change; what is none stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PlanChanges<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_price: Option<Price>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_notes: Option<&'a str>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Plan {
    pub id: String,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub account: Option<Reference>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub product: Option<Reference>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub description: Option<String>,
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
    #[serde(default, deserialize_with = "lenient::optional")]
    pub purchase_url: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub internal_notes: Option<String>,
    #[serde(default)]
    pub metadata: Metadata,
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_at: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "lenient::time")]
    pub updated_at: Option<OffsetDateTime>,
}
