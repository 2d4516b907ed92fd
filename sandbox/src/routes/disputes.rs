//! `/disputes`: list and read. The control route opens and moves them.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;

use crate::api::error::ApiError;
use crate::api::ok;
use crate::api::page::page;
use crate::api::query::Query;
use crate::disputes::{Dispute, view};
use crate::sandbox::Sandbox;

pub fn routes() -> Router<Sandbox> {
    Router::new().route("/disputes", get(list)).route("/disputes/{id}", get(retrieve))
}

async fn list(State(sandbox): State<Sandbox>, query: Query) -> Result<Response, ApiError> {
    query.check_account(sandbox.settings(), false)?;
    let keep = |dispute: &Dispute| {
        let status = serde_json::to_value(dispute.status).unwrap_or_default();
        query.allows("status", status.as_str().unwrap_or_default())
            && query.allows("currency", dispute.amount.currency.as_str())
    };
    sandbox.read(|world| page(&query, &world.disputes, keep, |dispute| view(world, dispute)).map(|page| ok(&page)))
}

async fn retrieve(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    sandbox.read(|world| {
        world.disputes.get(&id).map(|dispute| ok(&view(world, dispute))).ok_or(ApiError::not_found("Dispute"))
    })
}
