//! Memberships (Whop API, memberships).

use super::{Call, Client, Method, Pages, segment};
use crate::providers::whop::error::WhopError;
use crate::providers::whop::wire::membership::{CancelWhen, Cancellation, Membership, MembershipChanges};

impl Client {
    /// By its id, or by its licence key.
    pub async fn membership(&self, id: &str) -> Result<Membership, WhopError> {
        self.ask(Call::get("memberships.get", format!("memberships/{}", segment(id)?))).await
    }

    /// Memberships of our account, newest first; those of one user if it is given.
    pub fn memberships(&self, user_id: Option<&str>) -> Pages<'_, Membership> {
        let call = Call::get("memberships.list", "memberships")
            .query("account_id", self.company_id())
            .query("order", "created_at")
            .query("direction", "desc")
            .maybe("user_id", user_id);
        Pages::new(self, call)
    }

    pub async fn update_membership(&self, id: &str, changes: &MembershipChanges<'_>) -> Result<Membership, WhopError> {
        let path = format!("memberships/{}", segment(id)?);
        self.ask(Call::new("memberships.update", Method::PATCH, path).json(changes)?).await
    }

    pub async fn cancel_membership(
        &self,
        id: &str,
        when: CancelWhen,
        reason: Option<&str>,
        key: &str,
    ) -> Result<Membership, WhopError> {
        let path = format!("memberships/{}/cancel", segment(id)?);
        let cancellation = Cancellation { cancel_at_period_end: when == CancelWhen::AtPeriodEnd, reason };
        self.ask(Call::post("memberships.cancel", path, key).json(&cancellation)?).await
    }
}
