//! Managing endpoints: made, changed, switched off, tested, and given missed messages again.

use serde::{Deserialize, Deserializer};

use super::deliver::Dispatch;
use super::{API_VERSION_DATE, EVENTS, Endpoint, Message, emit, sample};
use crate::api::error::ApiError;
use crate::api::version;
use crate::clock::Moment;
use crate::world::World;

/// What a request may say about an endpoint.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct EndpointInput {
    pub url: Option<String>,
    pub events: Option<Vec<String>>,
    pub enabled: Option<bool>,
    pub child_resource_events: Option<bool>,
    pub api_version_date: Pin,
    /// No longer taken.
    pub api_version: Option<serde_json::Value>,
}

/// The version an endpoint shall be pinned to. An explicit null is something else than silence.
#[derive(Default)]
pub enum Pin {
    #[default]
    AsItIs,
    Unpin,
    To(String),
}

impl<'de> Deserialize<'de> for Pin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Unpin, Self::To))
    }
}

/// Makes an endpoint. The request that made it is the only one that is told the secret.
pub fn create(world: &mut World, input: EndpointInput) -> Result<Endpoint, ApiError> {
    let url = input.url.clone().ok_or(ApiError::bad("url is required"))?;
    check(&input)?;
    let id = add(world, &url, None);
    let endpoint = world.endpoints.edit(&id).ok_or(ApiError::not_found("Webhook"))?;
    endpoint.api_version_date = None;
    apply(endpoint, input);
    Ok(endpoint.clone())
}

/// Changes what the request names; `enabled: true` also forgives earlier failures.
pub fn update(world: &mut World, id: &str, input: EndpointInput) -> Result<Endpoint, ApiError> {
    check(&input)?;
    let endpoint = world.endpoints.edit(id).ok_or(ApiError::not_found("Webhook"))?;
    apply(endpoint, input);
    Ok(endpoint.clone())
}

/// Adds an endpoint for every event, pinned to the version that the sandbox speaks.
pub fn add(world: &mut World, url: &str, secret: Option<&str>) -> String {
    let id = world.ids.fresh("hook_");
    let secret = secret.map_or_else(|| world.ids.webhook_secret(), str::to_owned);
    world.endpoints.put(Endpoint {
        id: id.clone(),
        url: url.to_owned(),
        secret,
        events: EVENTS.iter().map(ToString::to_string).collect(),
        enabled: true,
        api_version_date: Some(API_VERSION_DATE.to_owned()),
        child_resource_events: false,
        consecutive_failures: 0,
        failing_since: None,
        last_failure_at: None,
        disabled_at: None,
        deleted: false,
        created_at: Moment::now(),
    });
    id
}

fn apply(endpoint: &mut Endpoint, input: EndpointInput) {
    endpoint.url = input.url.unwrap_or_else(|| endpoint.url.clone());
    endpoint.events = input.events.unwrap_or_else(|| endpoint.events.clone());
    endpoint.child_resource_events = input.child_resource_events.unwrap_or(endpoint.child_resource_events);
    match input.api_version_date {
        Pin::AsItIs => {}
        Pin::Unpin => endpoint.api_version_date = None,
        Pin::To(date) => endpoint.api_version_date = Some(date),
    }
    if let Some(enabled) = input.enabled {
        endpoint.enabled = enabled;
        if enabled {
            (endpoint.disabled_at, endpoint.failing_since, endpoint.consecutive_failures) = (None, None, 0);
        }
    }
}

fn check(input: &EndpointInput) -> Result<(), ApiError> {
    if input.api_version.is_some() {
        return Err(ApiError::bad("api_version is no longer accepted; use api_version_date"));
    }
    if let Some(url) = &input.url {
        let parsed = reqwest::Url::parse(url).map_err(|_| ApiError::bad("url is not a valid URL"))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(ApiError::bad("url must be http or https"));
        }
    }
    if let Pin::To(date) = &input.api_version_date {
        version::check(date)?;
    }
    Ok(())
}

/// Sends a message again: under its own id, or as a new message with the same content.
pub fn replay(world: &mut World, message_id: &str, from: Option<&str>, regenerate: bool) -> Result<String, ApiError> {
    let old = world.messages.get(message_id).cloned().ok_or(ApiError::not_found("Webhook delivery"))?;
    let id = if regenerate {
        let id = world.ids.fresh("msg_");
        // The envelope repeats its id, so the body changes with it.
        let body = old.body.replacen(&old.id, &id, 1);
        let replayed_from = from.map(str::to_owned);
        world.messages.put(Message { id: id.clone(), body, replayed_from, sent: 0, created_at: Moment::now(), ..old });
        id
    } else {
        old.id
    };
    if let Some(message) = world.messages.edit(&id) {
        (message.done, message.tries) = (false, 0);
    }
    world.outbox.push(Dispatch::plain(id.clone()));
    Ok(id)
}

/// Sends a sample of an event to one endpoint.
pub fn test(world: &mut World, id: &str, event: &str) -> Result<String, ApiError> {
    let endpoint = world.endpoints.get(id).cloned().ok_or(ApiError::not_found("Webhook"))?;
    let data = sample::data(&world.settings, event).ok_or(ApiError::bad(format!("event {event} cannot be tested")))?;
    let message = emit::message(world, &endpoint, event, &data, None, None).ok_or(ApiError::bad("nothing to send"))?;
    world.outbox.push(Dispatch::plain(message.clone()));
    Ok(message)
}
