//! What every request passes on its way in and every answer on its way out, in one place: its id, the log, panics,
//! limits, forged requests, headers.

mod body;
mod forgery;
mod headers;
mod refusal;
mod request;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};

/// Wraps the whole site. The last layer here is the first that a request meets.
pub fn wrap(site: Router, public_url: &str) -> Router {
    site.layer(from_fn(body::limit))
        .layer(from_fn(request::hurry))
        .layer(from_fn_with_state(forgery::Origin::new(public_url), forgery::refuse))
        .layer(from_fn(request::survive))
        .layer(from_fn_with_state(headers::Secure::new(public_url), headers::secure))
        .layer(from_fn(request::follow))
}
