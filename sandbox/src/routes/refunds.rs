//! `/refunds`: list and read. Refunds are started at their payment.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;

use crate::api::error::ApiError;
use crate::api::ok;
use crate::api::page::page;
use crate::api::query::Query;
use crate::refunds::Refund;
use crate::refunds::view::current;
use crate::sandbox::Sandbox;

pub fn routes() -> Router<Sandbox> {
    Router::new().route("/refunds", get(list)).route("/refunds/{id}", get(retrieve))
}

async fn list(State(sandbox): State<Sandbox>, query: Query) -> Result<Response, ApiError> {
    query.check_account(sandbox.settings(), false)?;
    sandbox.read(|world| {
        let keep = |refund: &Refund| {
            let buyer = world.payments.get(&refund.payment_id).map(|payment| &payment.person_id);
            query.allows("payment_id", &refund.payment_id) && query.allows_some("user_id", buyer)
        };
        page(&query, &world.refunds, keep, |refund| current(world, refund)).map(|page| ok(&page))
    })
}

async fn retrieve(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    sandbox.read(|world| {
        world.refunds.get(&id).map(|refund| ok(&current(world, refund))).ok_or(ApiError::not_found("Refund"))
    })
}
