//! Turns something that happened into messages: one for each endpoint that asked for the event.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::deliver::Dispatch;
use super::{Endpoint, Message};
use crate::clock::Moment;
use crate::world::World;

/// The body of a webhook (Whop API, envelope v1).
#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    event: &'a str,
    api_version: &'static str,
    api_version_date: Option<&'a str>,
    timestamp: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company_id: Option<&'a str>,
    data: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_attributes: Option<&'a Value>,
}

/// Sends an event to whoever subscribed to it.
pub fn event(world: &mut World, event: &str, data: &impl Serialize, payment_id: Option<&str>) {
    event_with_previous(world, event, data, payment_id, None);
}

/// The same, with the old values of what changed.
pub fn event_with_previous(
    world: &mut World,
    event: &str,
    data: &impl Serialize,
    payment_id: Option<&str>,
    previous: Option<&Value>,
) {
    let wants = |endpoint: &&Endpoint| {
        endpoint.enabled && !endpoint.child_resource_events && endpoint.events.iter().any(|it| it == event)
    };
    let endpoints: Vec<_> = world.endpoints.numbered().map(|(_, it)| it).filter(wants).cloned().collect();
    for endpoint in endpoints {
        if let Some(id) = message(world, &endpoint, event, data, payment_id, previous) {
            let dispatch = Dispatch::by_faults(world, &id, event);
            world.outbox.push(dispatch);
        }
    }
}

/// Writes one message for one endpoint without sending it; its id comes back.
pub fn message(
    world: &mut World,
    endpoint: &Endpoint,
    event: &str,
    data: &impl Serialize,
    payment_id: Option<&str>,
    previous: Option<&Value>,
) -> Option<String> {
    let id = world.ids.fresh("msg_");
    let now = Moment::now();
    let account = world.settings.company_id.as_str();
    let pinned = endpoint.api_version_date.is_some();
    let body = serde_json::value::to_raw_value(data).and_then(|data| {
        serde_json::to_string(&Envelope {
            id: &id,
            event,
            api_version: "v1",
            api_version_date: endpoint.api_version_date.as_deref(),
            timestamp: now,
            account_id: pinned.then_some(account),
            company_id: (!pinned).then_some(account),
            data: &data,
            previous_attributes: previous,
        })
    });
    let body = body.inspect_err(|error| tracing::error!(%error, event, "an event could not be written")).ok()?;
    world.messages.put(Message {
        id: id.clone(),
        endpoint_id: endpoint.id.clone(),
        event: event.to_owned(),
        body,
        payment_id: payment_id.map(str::to_owned),
        replayed_from: None,
        sent: 0,
        tries: 0,
        done: false,
        created_at: now,
    });
    Some(id)
}
