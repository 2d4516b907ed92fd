//! `/oauth/revoke`: ends a grant by one of its tokens. An unknown token is as good as a revoked one (RFC 7009, 2.2).

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;

use super::error::Refused;
use super::kill;
use crate::api;
use crate::sandbox::Sandbox;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    token: String,
    client_id: String,
}

pub async fn revoke(State(sandbox): State<Sandbox>, body: Bytes) -> Response {
    let Ok(asked) = serde_json::from_slice::<Asked>(&body) else {
        return Refused("invalid_request", "The body must be JSON").into_response();
    };
    if sandbox.settings().client.as_ref().is_none_or(|client| client.id != asked.client_id) {
        return Refused("invalid_client", "The client is unknown").into_response();
    }
    sandbox.change(|world| {
        world.asked.revoke += 1;
        if let Some(grant) = world.tokens.get(&asked.token).map(|token| token.grant_id.clone()) {
            kill(world, &grant);
        }
    });
    api::ok(&json!({}))
}
