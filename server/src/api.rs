//! `/api/v1`: for applications that spend on behalf of people. JSON in and out, a bearer key, no cookies.

mod credentials;
mod problem;
mod spend;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use atlas::api_keys::secret::KeyHash;
use atlas::spends::Spends;
use axum::Router;
use axum::routing::post;
use domain::paths::API_SPEND;

use crate::meter::Meter;

/// `meter` limits how often a key is used.
pub fn routes(spends: Spends, meter: Arc<Meter<KeyHash>>) -> Router {
    let door = spend::Door { spends, meter };
    Router::new().route(API_SPEND, post(spend::spend).fallback(problem::method_not_allowed)).with_state(door)
}
