//! `/plans` and `/variants`: the same resource under its old and its new name.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::Deleted;
use crate::api::auth::Caller;
use crate::api::body::Body;
use crate::api::error::ApiError;
use crate::api::ok;
use crate::api::page::page;
use crate::api::query::Query;
use crate::plans::view::variant;
use crate::plans::{self, Plan, PlanInput, PlanType};
use crate::sandbox::Sandbox;

/// The routes under one of the two names.
pub fn routes(name: &str) -> Router<Sandbox> {
    Router::new()
        .route(name, get(list).post(create))
        .route(&format!("{name}/{{id}}"), get(retrieve).patch(update).delete(delete))
}

async fn list(State(sandbox): State<Sandbox>, query: Query) -> Result<Response, ApiError> {
    query.check_account(sandbox.settings(), false)?;
    let keep = |plan: &Plan| {
        let kind = match plan.terms.plan_type {
            PlanType::Renewal => "renewal",
            PlanType::OneTime => "one_time",
        };
        query.allows_some("product_ids", plan.terms.product_id.as_ref())
            && query.allows("visibilities", &plan.terms.visibility)
            && query.allows("plan_types", kind)
            && query.allows("release_methods", &plan.terms.release_method)
    };
    sandbox.read(|world| page(&query, &world.plans, keep, |plan| variant(world, plan, true)).map(|page| ok(&page)))
}

async fn create(State(sandbox): State<Sandbox>, Body(input): Body<PlanInput>) -> Result<Response, ApiError> {
    sandbox.change(|world| plans::create(world, input).map(|plan| ok(&variant(world, &plan, true))))
}

async fn retrieve(
    State(sandbox): State<Sandbox>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    sandbox.read(|world| {
        let plan = world.plans.get(&id).ok_or(ApiError::not_found("Plan"))?;
        Ok(ok(&variant(world, plan, caller.is_known())))
    })
}

async fn update(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(input): Body<PlanInput>,
) -> Result<Response, ApiError> {
    sandbox.change(|world| plans::update(world, &id, input).map(|plan| ok(&variant(world, &plan, true))))
}

/// Stops selling; what was bought stays bought.
async fn delete(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    sandbox.change(|world| plans::retire(world, &id).map(|()| ok(&Deleted::new(&id))))
}
