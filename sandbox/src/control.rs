//! Routes that steer the sandbox itself, without a key: pay, settle, refund, dispute, redeliver, misbehave.

pub mod memberships;
pub mod oauth;
pub mod payments;
pub mod webhooks;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;

use crate::api::body::Body;
use crate::api::error::ApiError;
use crate::api::ok;
use crate::faults::Faults;
use crate::sandbox::Sandbox;

/// Under `/sandbox`.
pub fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/faults", get(read_faults).put(set_faults))
        .route("/pay", post(payments::pay))
        .route("/payments", get(payments::list))
        .route("/payments/{id}/refund", post(payments::refund))
        .route("/payments/{id}/dispute", post(payments::dispute))
        .route("/payments/{id}/settle", post(payments::settle))
        .route("/memberships", post(memberships::give))
        .route("/memberships/{id}/status", post(memberships::set_status))
        .route("/oauth", get(oauth::show))
        .route("/oauth/grants/{id}/revoke", post(oauth::revoke))
        .route("/deliveries", get(webhooks::deliveries))
        .route("/webhooks/{id}/redeliver", post(webhooks::redeliver))
        .route("/webhook-endpoints", get(webhooks::endpoints).post(webhooks::add_endpoint))
}

async fn read_faults(State(sandbox): State<Sandbox>) -> Response {
    sandbox.read(|world| ok(&world.faults))
}

/// Merges the fields into what is set; null puts one back, `{}` all of them.
async fn set_faults(State(sandbox): State<Sandbox>, Body(changes): Body<Value>) -> Result<Response, ApiError> {
    let Value::Object(changes) = changes else { return Err(ApiError::bad("expected an object of faults")) };
    sandbox.change(|world| {
        let mut merged = match serde_json::to_value(&world.faults) {
            Ok(Value::Object(current)) if !changes.is_empty() => current,
            _ => serde_json::Map::new(),
        };
        for (name, value) in changes {
            if value.is_null() {
                merged.remove(&name);
            } else {
                merged.insert(name, value);
            }
        }
        let faults: Faults =
            serde_json::from_value(Value::Object(merged)).map_err(|why| ApiError::bad(why.to_string()))?;
        if !(0.0..=1.0).contains(&faults.webhook_loss) {
            return Err(ApiError::bad("webhook_loss must lie between 0 and 1"));
        }
        world.faults = Faults { reorder_turn: world.faults.reorder_turn, ..faults };
        Ok(ok(&world.faults))
    })
}
