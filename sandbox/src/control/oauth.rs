//! What the authorisation server was asked, and taking back what a person allowed, as they can at Whop.

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::json;

use crate::api::error::ApiError;
use crate::api::ok;
use crate::sandbox::Sandbox;

/// How often each endpoint was asked, and the grants, newest first.
pub async fn show(State(sandbox): State<Sandbox>) -> Response {
    sandbox.read(|world| {
        let grants: Vec<_> = world.grants.newest().collect();
        ok(&json!({ "asked": world.asked, "grants": grants }))
    })
}

pub async fn revoke(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    sandbox.change(|world| {
        let grant = world.grants.edit(&id).ok_or(ApiError::not_found("Grant"))?;
        grant.revoked = true;
        Ok(ok(grant))
    })
}
