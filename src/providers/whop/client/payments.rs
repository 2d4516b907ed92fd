//! Payments (Whop API, payments).

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Call, Client, Pages, segment};
use crate::providers::whop::error::WhopError;
use crate::providers::whop::wire::payment::{NewRefund, Payment};

/// Which payments to list; what is none doesn't matter.
#[derive(Debug, Clone, Default)]
pub struct PaymentFilter<'a> {
    pub plan_id: Option<&'a str>,
    pub member_id: Option<&'a str>,
    pub membership_id: Option<&'a str>,
    /// `open`, `paid`, …
    pub status: Option<&'a str>,
    pub created_after: Option<OffsetDateTime>,
    pub created_before: Option<OffsetDateTime>,
}

impl Client {
    /// One payment as it is now. Right after a checkout it may not be found for some seconds.
    pub async fn payment(&self, id: &str) -> Result<Payment, WhopError> {
        self.ask(Call::get("payments.get", format!("payments/{}", segment(id)?))).await
    }

    /// Payments to our account, newest first.
    pub fn payments(&self, filter: &PaymentFilter<'_>) -> Pages<'_, Payment> {
        let call = Call::get("payments.list", "payments")
            .query("account_id", self.company_id())
            .query("order", "created_at")
            .query("direction", "desc")
            .maybe("plan_id", filter.plan_id)
            .maybe("member_id", filter.member_id)
            .maybe("membership_id", filter.membership_id)
            .maybe("status", filter.status)
            .maybe("created_after", filter.created_after.and_then(iso))
            .maybe("created_before", filter.created_before.and_then(iso));
        Pages::new(self, call)
    }

    /// Pays back all that is left, or a part. The answer is the payment, which may not show the refund yet: it is
    /// settled later, and said by `refund.*` events.
    pub async fn refund_payment(&self, id: &str, refund: &NewRefund<'_>, key: &str) -> Result<Payment, WhopError> {
        let path = format!("payments/{}/refund", segment(id)?);
        self.ask(Call::post("payments.refund", path, key).json(refund)?).await
    }
}

fn iso(time: OffsetDateTime) -> Option<String> {
    time.format(&Rfc3339).ok()
}
