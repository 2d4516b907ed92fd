//! `/webhooks`: endpoints, their delivery log, tests and replays.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use super::Deleted;
use crate::api::body::Body;
use crate::api::error::ApiError;
use crate::api::ok;
use crate::api::page::page;
use crate::api::query::Query;
use crate::clock::Moment;
use crate::sandbox::Sandbox;
use crate::webhooks::endpoints::{self, EndpointInput};
use crate::webhooks::view::{delivery, endpoint as view};
use crate::webhooks::{Attempt, Endpoint};

pub fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/webhooks", get(list).post(create))
        .route("/webhooks/{id}", get(retrieve).patch(update).delete(delete))
        .route("/webhooks/{id}/test", post(test))
        .route("/webhooks/{id}/deliveries", get(deliveries))
        .route("/webhooks/{id}/deliveries/{delivery}/replay", post(replay_one))
        .route("/webhooks/{id}/replay", post(replay_many))
}

async fn list(State(sandbox): State<Sandbox>, query: Query) -> Result<Response, ApiError> {
    query.check_account(sandbox.settings(), false)?;
    let keep = |endpoint: &Endpoint| query.get("has_failures") != Some("true") || endpoint.consecutive_failures > 0;
    sandbox.read(|world| {
        page(&query, &world.endpoints, keep, |endpoint| view(world, endpoint, false)).map(|page| ok(&page))
    })
}

async fn create(State(sandbox): State<Sandbox>, Body(input): Body<EndpointInput>) -> Result<Response, ApiError> {
    sandbox.change(|world| endpoints::create(world, input).map(|endpoint| ok(&view(world, &endpoint, true))))
}

async fn retrieve(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    sandbox.read(|world| {
        let endpoint = world.endpoints.get(&id).ok_or(ApiError::not_found("Webhook"))?;
        Ok(ok(&view(world, endpoint, false)))
    })
}

async fn update(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(input): Body<EndpointInput>,
) -> Result<Response, ApiError> {
    sandbox.change(|world| endpoints::update(world, &id, input).map(|endpoint| ok(&view(world, &endpoint, false))))
}

async fn delete(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    sandbox.change(|world| {
        let endpoint = world.endpoints.edit(&id).ok_or(ApiError::not_found("Webhook"))?;
        endpoint.deleted = true;
        Ok(ok(&Deleted::new(&id)))
    })
}

#[derive(Deserialize)]
struct TestInput {
    event: Option<String>,
}

async fn test(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(input): Body<TestInput>,
) -> Result<Response, ApiError> {
    let event = input.event.ok_or(ApiError::bad("event is required"))?;
    sandbox.change(|world| {
        endpoints::test(world, &id, &event).map(|message| ok(&json!({ "success": true, "id": message })))
    })
}

async fn deliveries(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    sandbox.read(|world| {
        world.endpoints.get(&id).ok_or(ApiError::not_found("Webhook"))?;
        let keep = |attempt: &Attempt| attempt.endpoint_id == id;
        page(&query, &world.attempts, keep, |attempt| delivery(world, attempt)).map(|page| ok(&page))
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ReplayInput {
    regenerate_id: bool,
    regenerate_ids: bool,
    sent_after: Option<Moment>,
    sent_before: Option<Moment>,
    events: Option<Vec<String>>,
    failed_only: bool,
}

async fn replay_one(
    State(sandbox): State<Sandbox>,
    Path((id, delivery_id)): Path<(String, String)>,
    Body(input): Body<ReplayInput>,
) -> Result<Response, ApiError> {
    sandbox.change(|world| {
        let attempt = world.attempts.get(&delivery_id).filter(|attempt| attempt.endpoint_id == id).cloned();
        let attempt = attempt.ok_or(ApiError::not_found("Webhook delivery"))?;
        endpoints::replay(world, &attempt.message_id, Some(&attempt.id), input.regenerate_id)?;
        Ok(ok(&delivery(world, &attempt)))
    })
}

/// Sends again what was sent in a span of time.
async fn replay_many(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(input): Body<ReplayInput>,
) -> Result<Response, ApiError> {
    let after = input.sent_after.ok_or(ApiError::bad("sent_after is required"))?;
    sandbox.change(|world| {
        world.endpoints.get(&id).ok_or(ApiError::not_found("Webhook"))?;
        let wanted = |attempt: &&Attempt| {
            attempt.endpoint_id == id
                && attempt.sent_at >= after
                && input.sent_before.is_none_or(|before| attempt.sent_at < before)
                && input.events.as_ref().is_none_or(|events| events.contains(&attempt.event))
                && !(input.failed_only && attempt.success)
        };
        let chosen: Vec<_> = world.attempts.numbered().map(|(_, it)| it).filter(wanted).cloned().collect();
        let mut seen = std::collections::HashSet::new();
        for attempt in chosen.iter().filter(|attempt| seen.insert(attempt.message_id.clone())) {
            endpoints::replay(world, &attempt.message_id, Some(&attempt.id), input.regenerate_ids)?;
        }
        Ok(ok(&json!({ "success": true, "count": seen.len() })))
    })
}
