//! Control routes about deliveries.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::api::body::Body;
use crate::api::error::ApiError;
use crate::api::ok;
use crate::api::query::Query;
use crate::sandbox::Sandbox;
use crate::webhooks::view::{attempt as attempt_view, endpoint as endpoint_view};
use crate::webhooks::{Attempt, Cause, deliver, endpoints as managing};

/// Attempts in one answer, unless it asks for fewer.
const ATTEMPTS_SHOWN_MAX: usize = 10_000;
const COPIES_MAX: u32 = 100_000;

/// Attempts, newest first; `payment_id`, `webhook_id`, `event` and `limit` narrow them down.
pub async fn deliveries(State(sandbox): State<Sandbox>, query: Query) -> Result<Response, ApiError> {
    let limit = query.number("limit")?.unwrap_or(ATTEMPTS_SHOWN_MAX).min(ATTEMPTS_SHOWN_MAX);
    let keep = |attempt: &&Attempt| {
        query.allows_some("payment_id", attempt.payment_id.as_ref())
            && query.allows("webhook_id", &attempt.message_id)
            && query.allows("event", &attempt.event)
    };
    sandbox.read(|world| {
        let attempts: Vec<_> = world.attempts.newest().filter(keep).take(limit).map(attempt_view).collect();
        Ok(ok(&attempts))
    })
}

#[derive(Deserialize)]
#[serde(default)]
pub struct RedeliverInput {
    copies: u32,
    /// How many of them at once.
    concurrency: usize,
}

impl Default for RedeliverInput {
    fn default() -> Self {
        Self { copies: 1, concurrency: 50 }
    }
}

/// Sends a message again, as often as asked, and answers with what came back.
pub async fn redeliver(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(input): Body<RedeliverInput>,
) -> Result<Response, ApiError> {
    sandbox.read(|world| world.messages.get(&id).map(|_| ())).ok_or(ApiError::not_found("Webhook message"))?;
    let started = Instant::now();
    let attempts = copies(&sandbox, &id, input.copies.min(COPIES_MAX), input.concurrency).await;
    let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
    for attempt in &attempts {
        let status = attempt.status_code.map_or_else(|| "none".to_owned(), |status| status.to_string());
        *statuses.entry(status).or_default() += 1;
    }
    Ok(ok(&json!({
        "webhook_id": id,
        "sent": attempts.len(),
        "succeeded": attempts.iter().filter(|attempt| attempt.success).count(),
        "statuses": statuses,
        "duration_ms": u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    })))
}

async fn copies(sandbox: &Sandbox, id: &str, copies: u32, concurrency: usize) -> Vec<Attempt> {
    let gate = Arc::new(Semaphore::new(concurrency.max(1)));
    let mut tasks = JoinSet::new();
    for _ in 0..copies {
        let (sandbox, id, gate) = (sandbox.clone(), id.to_owned(), Arc::clone(&gate));
        tasks.spawn(async move {
            let _turn = gate.acquire_owned().await;
            deliver::once(&sandbox, &id, Cause::Redelivery).await
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

/// The endpoints with their secrets: this is a sandbox.
pub async fn endpoints(State(sandbox): State<Sandbox>) -> Response {
    sandbox.read(|world| {
        let endpoints: Vec<Value> =
            world.endpoints.newest().map(|endpoint| endpoint_view(world, endpoint, true)).collect();
        ok(&endpoints)
    })
}

#[derive(Deserialize)]
pub struct EndpointInput {
    url: String,
    secret: Option<String>,
}

/// Adds an endpoint for all events, with a secret of the caller's choice.
pub async fn add_endpoint(
    State(sandbox): State<Sandbox>,
    Body(input): Body<EndpointInput>,
) -> Result<Response, ApiError> {
    reqwest::Url::parse(&input.url).map_err(|_| ApiError::bad("url is not a valid URL"))?;
    sandbox.change(|world| {
        let id = managing::add(world, &input.url, input.secret.as_deref());
        let endpoint = world.endpoints.get(&id).ok_or(ApiError::not_found("Webhook"))?;
        Ok(ok(&endpoint_view(world, endpoint, true)))
    })
}
