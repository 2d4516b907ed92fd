//! Disputes, to read (Whop API, disputes).

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Call, Client, Pages};
use crate::providers::whop::wire::dispute::Dispute;

impl Client {
    /// Our disputes, newest first. Whop takes no payment as a filter here.
    pub fn disputes(&self, created_after: Option<OffsetDateTime>) -> Pages<'_, Dispute> {
        let call = Call::get("disputes.list", "disputes")
            .query("account_id", self.company_id())
            .query("order", "created_at")
            .query("direction", "desc")
            .maybe("created_after", created_after.and_then(|time| time.format(&Rfc3339).ok()));
        Pages::new(self, call)
    }
}
