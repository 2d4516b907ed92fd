//! `/checkout_configurations`: list, create, read, delete. There is no update.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;

use super::Deleted;
use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::ok;
use crate::api::page::page;
use crate::api::query::{Query, check_account};
use crate::checkouts::{self, CheckoutInput, view};
use crate::sandbox::Sandbox;

pub fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/checkout_configurations", get(list).post(create))
        .route("/checkout_configurations/{id}", get(retrieve).delete(delete))
}

/// The body of a creation: the account stands beside the rest.
#[derive(Deserialize)]
struct Input {
    account_id: Option<String>,
    #[serde(default)]
    company_id: Option<String>,
}

async fn list(State(sandbox): State<Sandbox>, query: Query) -> Result<Response, ApiError> {
    query.check_account(sandbox.settings(), true)?;
    sandbox.read(|world| {
        let keep = |checkout: &checkouts::Checkout| query.allows("plan_id", &checkout.plan_id);
        page(&query, &world.checkouts, keep, |checkout| view(world, checkout, true)).map(|page| ok(&page))
    })
}

async fn create(State(sandbox): State<Sandbox>, body: axum::body::Bytes) -> Result<Response, ApiError> {
    let whose: Input = crate::api::body::parse(&body)?;
    if let Some(account) = whose.account_id.or(whose.company_id) {
        check_account(sandbox.settings(), &account)?;
    }
    let input: CheckoutInput = crate::api::body::parse(&body)?;
    sandbox.change(|world| checkouts::create(world, input).map(|checkout| ok(&view(world, &checkout, true))))
}

async fn retrieve(
    State(sandbox): State<Sandbox>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    sandbox.read(|world| {
        let checkout = world.checkouts.get(&id).ok_or(ApiError::not_found("Checkout configuration"))?;
        Ok(ok(&view(world, checkout, caller.is_known())))
    })
}

async fn delete(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    sandbox.change(|world| {
        let checkout = world.checkouts.edit(&id).ok_or(ApiError::not_found("Checkout configuration"))?;
        checkout.deleted = true;
        Ok(ok(&Deleted::new(&id)))
    })
}
