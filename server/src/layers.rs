//! What every request passes on its way in and every answer on its way out, in one place: its id, the log, panics,
//! limits, forged requests, headers.

mod body;
mod forgery;
mod headers;
mod refusal;
mod request;

use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use http::StatusCode;
use tower_http::timeout::TimeoutLayer;

/// Until an answer begins; a stream may then take as long as it likes.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(15);

/// Wraps the whole site. The last layer here is the first that a request meets.
pub fn wrap(site: Router, public_url: &str) -> Router {
    site.layer(from_fn(body::limit))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, HANDLER_TIMEOUT))
        .layer(from_fn_with_state(forgery::Origin::new(public_url), forgery::refuse))
        .layer(from_fn(request::survive))
        .layer(from_fn_with_state(headers::Secure::new(public_url), headers::secure))
        .layer(from_fn(request::follow))
}
