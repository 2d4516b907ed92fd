//! Webhook endpoints (Whop API, webhook endpoints).

use serde::Serialize;

use super::{Call, Client, Method, Pages, segment};
use crate::providers::whop::error::WhopError;
use crate::providers::whop::wire::webhook::{Endpoint, EndpointChanges, NewEndpoint};

#[derive(Serialize)]
struct Sample<'a> {
    event: &'a str,
}

impl Client {
    /// The answer holds the secret, this once.
    pub async fn create_endpoint(&self, new: &NewEndpoint<'_>, key: &str) -> Result<Endpoint, WhopError> {
        self.ask(Call::post("webhooks.create", "webhooks", key).json(new)?).await
    }

    pub async fn endpoint(&self, id: &str) -> Result<Endpoint, WhopError> {
        self.ask(Call::get("webhooks.get", format!("webhooks/{}", segment(id)?))).await
    }

    pub fn endpoints(&self) -> Pages<'_, Endpoint> {
        Pages::new(self, Call::get("webhooks.list", "webhooks").query("account_id", self.company_id()))
    }

    pub async fn update_endpoint(&self, id: &str, changes: &EndpointChanges<'_>) -> Result<Endpoint, WhopError> {
        let path = format!("webhooks/{}", segment(id)?);
        self.ask(Call::new("webhooks.update", Method::PATCH, path).json(changes)?).await
    }

    pub async fn delete_endpoint(&self, id: &str) -> Result<(), WhopError> {
        self.tell(Call::new("webhooks.delete", Method::DELETE, format!("webhooks/{}", segment(id)?))).await
    }

    /// Has Whop deliver a sample of an event.
    pub async fn test_endpoint(&self, id: &str, event: &str, key: &str) -> Result<(), WhopError> {
        let path = format!("webhooks/{}/test", segment(id)?);
        self.tell(Call::post("webhooks.test", path, key).json(&Sample { event })?).await
    }
}
