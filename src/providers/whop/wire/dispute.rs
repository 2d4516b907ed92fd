//! Disputes (Whop API, disputes).

use serde::Deserialize;
use time::OffsetDateTime;

use super::amount::Amount;
use super::{Reference, lenient, open_words};

open_words! {
    /// The `warning_` ones are inquiries: not yet a chargeback.
    DisputeStatus {
        NeedsResponse = "needs_response", UnderReview = "under_review", WarningNeedsResponse = "warning_needs_response",
        WarningUnderReview = "warning_under_review", WarningClosed = "warning_closed", Prevented = "prevented", Won = "won",
        Lost = "lost",
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Dispute {
    pub id: String,
    pub status: DisputeStatus,
    #[serde(default)]
    pub account_id: Option<String>,
    pub payment: Reference,
    /// In major units; a bare number.
    #[serde(default)]
    pub amount: Option<Amount>,
    #[serde(default)]
    pub currency: Option<String>,
    #[serde(default, deserialize_with = "lenient::time")]
    pub evidence_due_at: Option<OffsetDateTime>,
}
