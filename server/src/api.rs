//! `/api/v1`: for applications that spend on behalf of people. JSON in and out, a bearer key, no cookies.

mod credentials;
mod problem;
mod spend;
#[cfg(test)]
mod tests;

use atlas::spends::Spends;
use axum::Router;
use axum::routing::post;
use domain::paths::API_SPEND;

pub fn routes(spends: Spends) -> Router {
    Router::new().route(API_SPEND, post(spend::spend).fallback(problem::method_not_allowed)).with_state(spends)
}
