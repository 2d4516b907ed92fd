//! `/memberships`: list, read, change, cancel.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};

use crate::api::body::Body;
use crate::api::error::ApiError;
use crate::api::ok;
use crate::api::page::page;
use crate::api::query::Query;
use crate::memberships::{self, CancelInput, Membership, MembershipInput, view};
use crate::sandbox::Sandbox;

pub fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/memberships", get(list))
        .route("/memberships/{id}", get(retrieve).patch(update))
        .route("/memberships/{id}/cancel", post(cancel))
}

async fn list(State(sandbox): State<Sandbox>, query: Query) -> Result<Response, ApiError> {
    query.check_account(sandbox.settings(), false)?;
    sandbox.read(|world| {
        let keep = |membership: &Membership| {
            let status = serde_json::to_value(membership.status).unwrap_or_default();
            let status = status.as_str().unwrap_or_default();
            let member = world.people.get(&membership.person_id).map(|person| &person.member_id);
            query.allows("status", status)
                && query.allows("statuses", status)
                && query.allows("user_id", &membership.person_id)
                && query.allows_some("member_id", member)
                && query.allows("product_id", &membership.product_id)
                && query.allows("product_ids", &membership.product_id)
                && query.allows("plan_id", &membership.plan_id)
                && query.allows("plan_ids", &membership.plan_id)
        };
        page(&query, &world.memberships, keep, |membership| view(world, membership)).map(|page| ok(&page))
    })
}

async fn retrieve(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    sandbox.read(|world| {
        let membership = memberships::found(world, &id).ok_or(ApiError::not_found("Membership"))?;
        Ok(ok(&view(world, membership)))
    })
}

async fn update(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(input): Body<MembershipInput>,
) -> Result<Response, ApiError> {
    sandbox.change(|world| memberships::update(world, &id, input).map(|view| ok(&view)))
}

async fn cancel(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(input): Body<CancelInput>,
) -> Result<Response, ApiError> {
    sandbox.change(|world| memberships::cancel(world, &id, input).map(|view| ok(&view)))
}
