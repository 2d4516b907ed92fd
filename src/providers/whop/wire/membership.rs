//! Memberships: subscriptions, and access once bought (Whop API, memberships).

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::amount::Amount;
use super::lenient::{self, Metadata};
use super::{Reference, open_words};

open_words! {
    MembershipStatus {
        Trialing = "trialing", Active = "active", PastDue = "past_due", Completed = "completed", Canceled = "canceled",
        Expired = "expired", Unresolved = "unresolved", Drafted = "drafted", Canceling = "canceling",
    }
}

impl MembershipStatus {
    /// Whether its holder may use what they bought. `past_due` is a time of grace, `completed` was paid once; what we
    /// don't know gives nothing.
    pub const fn gives_access(&self) -> bool {
        matches!(self, Self::Trialing | Self::Active | Self::PastDue | Self::Completed | Self::Canceling)
    }
}

/// What is to change; what is none stays. Metadata is merged.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MembershipChanges<'a> {
    /// `false` takes a planned end back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_at_period_end: Option<bool>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<&'a str, String>,
}

/// When a membership that is called off ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelWhen {
    /// At once, and access with it.
    Now,
    AtPeriodEnd,
}

#[derive(Debug, Clone, Serialize)]
pub struct Cancellation<'a> {
    pub cancel_at_period_end: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Membership {
    pub id: String,
    pub status: MembershipStatus,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub account: Option<Reference>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub plan_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub product_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub user_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub member_id: Option<String>,
    #[serde(default)]
    pub metadata: Metadata,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub cancel_at_period_end: Option<bool>,
    #[serde(default, deserialize_with = "lenient::time")]
    pub canceled_at: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub billing_period_days: Option<u32>,
    #[serde(default, deserialize_with = "lenient::time")]
    pub current_period_start: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "lenient::time")]
    pub current_period_end: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "lenient::time")]
    pub expires_at: Option<OffsetDateTime>,
    #[serde(default)]
    pub initial_price: Option<Amount>,
    #[serde(default)]
    pub renewal_price: Option<Amount>,
    /// Whoever has it has access.
    #[serde(default, deserialize_with = "lenient::secret")]
    pub license_key: Option<SecretString>,
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_at: Option<OffsetDateTime>,
}
