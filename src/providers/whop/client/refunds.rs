//! Refunds, to read (Whop API, refunds). They are made with [`Client::refund_payment`].

use super::{Call, Client, Pages, segment};
use crate::providers::whop::error::WhopError;
use crate::providers::whop::wire::refund::Refund;

impl Client {
    pub async fn refund(&self, id: &str) -> Result<Refund, WhopError> {
        self.ask(Call::get("refunds.get", format!("refunds/{}", segment(id)?))).await
    }

    /// Our refunds, newest first; those of one payment if it is given.
    pub fn refunds(&self, payment_id: Option<&str>) -> Pages<'_, Refund> {
        let call = Call::get("refunds.list", "refunds")
            .query("account_id", self.company_id())
            .query("order", "created_at")
            .query("direction", "desc")
            .maybe("payment_id", payment_id);
        Pages::new(self, call)
    }
}
