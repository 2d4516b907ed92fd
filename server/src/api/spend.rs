//! `POST /api/v1/spend`: takes credits from a wallet, once per idempotency key, answered when that is durable.

use std::time::Duration;

use atlas::spends::{Request, Spends, Usage};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::{Credits, PersonId, TransactionId};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::credentials;
use super::problem::Problem;

/// Longer than a batch may take. The spend itself goes on, whoever waits for it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The body of a request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    owner: PersonId,
    /// Whole: serde takes neither `1.0` nor `"1"` for it.
    credits: i64,
    #[serde(default)]
    description: Option<String>,
}

/// The body of the answer: the same each time the request is repeated.
#[derive(Debug, Serialize)]
struct Spent {
    transaction: TransactionId,
    credits: Credits,
    balance: Credits,
}

pub async fn spend(State(spends): State<Spends>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let caller = credentials::key(&headers)?;
    let key = credentials::idempotency_key(&headers)?;
    credentials::require_json(&headers)?;
    let usage = read(&body)?;
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, spends.spend(Request { caller, key, usage }));
    let moved = answer.await.map_err(|_| Problem::Unavailable)??;
    let spent = Spent {
        transaction: moved.transaction,
        credits: Credits::new(moved.net.get().saturating_neg()),
        balance: moved.balance_after,
    };
    let mut response = Json(spent).into_response();
    if moved.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// 400 for what is no JSON, 422 for JSON that says something else.
fn read(body: &[u8]) -> Result<Usage, Problem> {
    let asked: Asked = serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Problem::Invalid(error.to_string()),
        _ => Problem::BadRequest("The body is not JSON."),
    })?;
    Ok(Usage::parse(asked.owner, asked.credits, asked.description)?)
}
