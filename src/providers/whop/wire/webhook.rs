//! Webhook endpoints as Whop manages them (Whop API, webhook endpoints).

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::lenient;

/// An endpoint to be made. The version is always pinned: without it the events come in an old shape.
#[derive(Debug, Clone, Serialize)]
pub struct NewEndpoint<'a> {
    /// A public https address; Whop refuses localhost and private ones.
    pub url: &'a str,
    pub events: &'a [&'a str],
    pub api_version_date: &'a str,
    /// Our account, or an app's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<&'a str>,
}

/// What is to change; what is none stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct EndpointChanges<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<&'a [&'a str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version_date: Option<&'a str>,
    /// `true` wakes an endpoint that Whop gave up on; what it missed has to be replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Endpoint {
    pub id: String,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub url: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub enabled: Option<bool>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub events: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub api_version_date: Option<String>,
    /// `true`: it gets the events of connected accounts, and only those.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub child_resource_events: Option<bool>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub resource_id: Option<String>,
    /// Said once, by the call that makes the endpoint. What deliveries are signed with.
    #[serde(default, deserialize_with = "lenient::secret")]
    pub webhook_secret: Option<SecretString>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub consecutive_failures: Option<u32>,
    #[serde(default, deserialize_with = "lenient::time")]
    pub failing_since: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "lenient::time")]
    pub disabled_at: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_at: Option<OffsetDateTime>,
}
