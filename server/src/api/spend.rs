//! `POST /api/v1/spend`: takes credits from a wallet, once per idempotency key, answered when that is durable.

use std::sync::Arc;
use std::time::Duration;

use atlas::Error;
use atlas::api_keys::secret::KeyHash;
use atlas::spends::{Request, Spends, Usage};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{Credits, PersonId, TransactionId};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::orders::REPLAYED;
use super::problem::Problem;
use super::shapes::Declined;
use super::{credentials, input};
use crate::meter::Meter;

/// Longer than a batch may take. The spend itself goes on, whoever waits for it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a key may be used, and how often it still may (draft-ietf-httpapi-ratelimit-headers-10).
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const REST: HeaderName = HeaderName::from_static("ratelimit");

/// What a spend passes.
#[derive(Clone)]
pub struct Door {
    pub spends: Spends,
    pub meter: Arc<Meter<KeyHash>>,
}

/// The body of a request.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewSpend)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Whose credits.
    #[schema(value_type = uuid::Uuid)]
    owner: PersonId,
    /// Whole: serde takes neither `1.0` nor `"1"` for it.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    credits: i64,
    /// 1 to 200 characters on one line. The owner reads it in the statement; without it, the key's name.
    #[serde(default)]
    description: Option<String>,
}

/// The body of the answer: the same each time the request is repeated.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Spend)]
pub struct Spent {
    #[schema(value_type = uuid::Uuid)]
    transaction: TransactionId,
    #[schema(value_type = i64)]
    credits: Credits,
    /// What the wallet held right after it.
    #[schema(value_type = i64)]
    balance: Credits,
}

/// Takes credits from a wallet, all of them or none, once for each key.
// Every answer to a key says how often it may still be used.
#[utoipa::path(post, path = "/api/v1/spend", tag = "Spending", request_body = Asked, security(("key" = [])),
    params(("Idempotency-Key" = String, Header, description = "Your own name for this spend: 1 to 255 visible ASCII characters.")),
    responses((status = 200, body = Spent), Declined))]
pub async fn spend(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let caller = credentials::key(&headers)?;
    let rest = door.meter.take(&caller).map_err(|empty| Problem::KeyTooBusy { seconds: empty.seconds })?;
    let mut response =
        carry_out(&door.spends, caller, &headers, &body).await.unwrap_or_else(IntoResponse::into_response);
    say_rest(&door.meter, rest, response.headers_mut());
    Ok(response)
}

async fn carry_out(spends: &Spends, caller: KeyHash, headers: &HeaderMap, body: &[u8]) -> Result<Response, Problem> {
    let key = credentials::idempotency_key(headers)?;
    let asked: Asked = input::body(headers, body)?;
    let usage = Usage::parse(asked.owner, asked.credits, asked.description)?;
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, spends.spend(Request { caller, key, usage }));
    let moved = answer.await.map_err(|_| Problem::Unavailable)?.map_err(|error| match error {
        // Logged once for its whole batch.
        Error::Unavailable(_) => Problem::Unavailable,
        other => other.into(),
    })?;
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

fn say_rest(meter: &Meter<KeyHash>, rest: u32, headers: &mut HeaderMap) {
    let rate = meter.rate();
    let window = (rate.each * rate.burst.get()).as_secs().max(1);
    let lines = [(POLICY, format!("\"key\";q={};w={window}", rate.burst)), (REST, format!("\"key\";r={rest}"))];
    for (name, line) in lines {
        if let Ok(line) = HeaderValue::try_from(line) {
            headers.insert(name, line);
        }
    }
}
