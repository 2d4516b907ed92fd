//! `/accounts`: the one account that the key belongs to.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

use crate::api::error::ApiError;
use crate::api::ok;
use crate::people;
use crate::sandbox::Sandbox;

pub fn routes() -> Router<Sandbox> {
    Router::new().route("/accounts/{id}", get(retrieve))
}

async fn retrieve(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let settings = sandbox.settings();
    if id != "me" && id != settings.company_id {
        return Err(ApiError::not_found("Account"));
    }
    Ok(sandbox.read(|world| {
        let owner = world.people.newest().find(|person| person.is_owner);
        ok(&json!({
            "id": settings.company_id,
            "title": settings.company_title,
            "route": "sandbox",
            "email": null,
            "metadata": {},
            "country": "US",
            "created_at": owner.map(|owner| owner.created_at),
            "parent_account": null,
            "owner": owner.map(|owner| people::summary(world, owner)),
            "status": "active",
            "status_reason": null,
            "verification": { "individual": null, "business": null },
            "send_customer_emails": false,
        }))
    }))
}
