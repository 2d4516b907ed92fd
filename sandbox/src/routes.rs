//! All addresses of the sandbox: Whop's API, the pages for people, and the control routes.

pub mod accounts;
pub mod checkout_configurations;
pub mod disputes;
pub mod memberships;
pub mod payments;
pub mod plans;
pub mod products;
pub mod refunds;
pub mod users;
pub mod webhooks;

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::json;

use crate::api::body::BODY_BYTES_MAX;
use crate::api::error::ApiError;
use crate::api::{auth, idempotency, version};
use crate::sandbox::Sandbox;
use crate::{control, faults, oauth, pages};

/// Everything, ready to serve.
pub fn router(sandbox: Sandbox) -> Router {
    let api = Router::new()
        .merge(accounts::routes())
        .merge(checkout_configurations::routes())
        .merge(disputes::routes())
        .merge(memberships::routes())
        .merge(payments::routes())
        .merge(plans::routes("/plans"))
        .merge(plans::routes("/variants"))
        .merge(products::routes())
        .merge(refunds::routes())
        .merge(users::routes())
        .merge(webhooks::routes())
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        // The last one added is the first to see a request.
        .layer(from_fn_with_state(sandbox.clone(), idempotency::layer))
        .layer(from_fn(version::layer))
        .layer(from_fn_with_state(sandbox.clone(), auth::check))
        .layer(from_fn_with_state(sandbox.clone(), faults::layer));
    Router::new()
        .nest("/api/v1", api)
        .nest("/sandbox", control::routes().fallback(unknown).method_not_allowed_fallback(wrong_method))
        .route("/healthz", get(|| async { Json(json!({ "status": "ok" })) }))
        .merge(oauth::routes(&sandbox))
        .merge(pages::routes())
        .fallback(pages::not_found)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(tower_http::catch_panic::CatchPanicLayer::new())
        .with_state(sandbox)
}

async fn unknown() -> Response {
    ApiError::not_found("This route").into_response()
}

async fn wrong_method() -> Response {
    let mut response = ApiError::bad("This route does not take this method").into_response();
    *response.status_mut() = axum::http::StatusCode::METHOD_NOT_ALLOWED;
    response
}

/// What a deletion answers.
#[derive(Serialize)]
pub struct Deleted {
    id: String,
    deleted: bool,
}

impl Deleted {
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), deleted: true }
    }
}
