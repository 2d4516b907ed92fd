//! Endpoints and delivery attempts, as the API and the control routes show them.

use serde_json::{Value, json};

use super::{Attempt, Endpoint};
use crate::world::World;

/// The endpoint (Whop API, `Webhook`); only the request that made it sees the secret.
pub fn endpoint(world: &World, endpoint: &Endpoint, with_secret: bool) -> Value {
    json!({
        "id": endpoint.id,
        "api_version": "v1",
        "api_version_date": endpoint.api_version_date,
        "child_resource_events": endpoint.child_resource_events,
        "consecutive_failures": endpoint.consecutive_failures,
        "created_at": endpoint.created_at,
        "disabled_at": endpoint.disabled_at,
        "disabled_reason": endpoint.disabled_at.map(|_| "delivery_failures"),
        "enabled": endpoint.enabled,
        "events": endpoint.events,
        "failing_since": endpoint.failing_since,
        "last_failure_at": endpoint.last_failure_at,
        "resource_id": world.settings.company_id,
        "testable_events": endpoint.events.iter().filter(|event| super::EVENTS.contains(&event.as_str())).collect::<Vec<_>>(),
        "url": endpoint.url,
        "webhook_secret": with_secret.then_some(endpoint.secret.as_str()),
    })
}

/// The attempt in Whop's form (`WebhookDelivery`).
pub fn delivery(world: &World, attempt: &Attempt) -> Value {
    let body = world.messages.get(&attempt.message_id).map(|message| message.body.as_str()).unwrap_or_default();
    json!({
        "id": attempt.id,
        "event": attempt.event,
        "replayed_from": attempt.replayed_from,
        "request_body": serde_json::from_str::<Value>(body).unwrap_or_default(),
        "resource_id": world.settings.company_id,
        "response_body": { "text": attempt.answer },
        "response_code": attempt.status_code.unwrap_or(0),
        "sent_at": attempt.sent_at,
        "success": attempt.success,
        "total_time": std::time::Duration::from_millis(attempt.duration_ms).as_secs_f64(),
    })
}

/// The attempt with all that is known, for the control routes.
pub fn attempt(attempt: &Attempt) -> Value {
    json!({
        "id": attempt.id,
        "webhook_id": attempt.message_id,
        "endpoint_id": attempt.endpoint_id,
        "event": attempt.event,
        "url": attempt.url,
        "payment_id": attempt.payment_id,
        "attempt": attempt.number,
        "cause": attempt.cause,
        "status_code": attempt.status_code,
        "success": attempt.success,
        "answer": attempt.answer,
        "sent_at": attempt.sent_at,
        "duration_ms": attempt.duration_ms,
        "next_attempt_at": attempt.next_attempt_at,
    })
}
