//! Checkout configurations (Whop API, checkout configurations). There is no call that changes one.

use super::{Call, Client, Method, Pages, segment};
use crate::providers::whop::error::WhopError;
use crate::providers::whop::wire::checkout::{CheckoutConfiguration, NewCheckout};

impl Client {
    pub async fn create_checkout(&self, new: &NewCheckout<'_>, key: &str) -> Result<CheckoutConfiguration, WhopError> {
        self.ask(Call::post("checkout_configurations.create", "checkout_configurations", key).json(new)?).await
    }

    pub async fn checkout(&self, id: &str) -> Result<CheckoutConfiguration, WhopError> {
        let path = format!("checkout_configurations/{}", segment(id)?);
        self.ask(Call::get("checkout_configurations.get", path)).await
    }

    /// Our checkouts, newest first; those for one plan if it is given.
    pub fn checkouts(&self, plan_id: Option<&str>) -> Pages<'_, CheckoutConfiguration> {
        let call = Call::get("checkout_configurations.list", "checkout_configurations")
            .query("account_id", self.company_id())
            .query("order", "created_at")
            .query("direction", "desc")
            .maybe("plan_id", plan_id);
        Pages::new(self, call)
    }

    pub async fn delete_checkout(&self, id: &str) -> Result<(), WhopError> {
        let path = format!("checkout_configurations/{}", segment(id)?);
        self.tell(Call::new("checkout_configurations.delete", Method::DELETE, path)).await
    }
}
