//! JSON in and out: `/api/v1` for applications that spend, by a bearer key; the orders and plans for clients of ours, by the
//! session of whoever is signed in, or to read by a key. `openapi` describes all of it.

mod admin_orders;
mod answer_order;
mod caller;
mod change_plan;
mod credentials;
mod dossier_shape;
mod input;
pub mod openapi;
mod orders;
mod plan_shape;
mod plans;
pub mod problem;
pub mod shapes;
mod spend;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use app::request::Site;
use atlas::api_keys::secret::KeyHash;
use atlas::spends::Spends;
use axum::Router;
use axum::routing::{get, post};
use domain::paths::{API_ADMIN_CREDIT_ORDERS, API_ADMIN_WHOP_PLANS, API_CREDIT_ORDERS, API_DESCRIPTION, API_SPEND};

use crate::meter::Meter;

/// `meter` limits how often a key is used.
pub fn routes(spends: Spends, meter: Arc<Meter<KeyHash>>) -> Router {
    let door = spend::Door { spends, meter };
    Router::new()
        .route(API_SPEND, post(spend::spend).fallback(problem::method_not_allowed))
        .route(API_DESCRIPTION, get(openapi::serve).fallback(problem::method_not_allowed))
        .with_state(door)
}

/// To be put inside the session layer.
pub fn routes_with_session(site: Arc<Site>, meter: Arc<Meter<KeyHash>>) -> Router {
    let no_such_method = problem::method_not_allowed;
    let (order, plan) = (format!("{API_ADMIN_CREDIT_ORDERS}/{{id}}"), format!("{API_ADMIN_WHOP_PLANS}/{{id}}"));
    Router::new()
        .route(API_CREDIT_ORDERS, get(orders::list).post(orders::create).fallback(no_such_method))
        .route(API_ADMIN_CREDIT_ORDERS, get(admin_orders::list).fallback(no_such_method))
        .route(&order, get(admin_orders::open).patch(answer_order::patch).fallback(no_such_method))
        .route(API_ADMIN_WHOP_PLANS, get(plans::list).post(plans::make).fallback(no_such_method))
        .route(&plan, get(plans::open).patch(change_plan::patch).delete(plans::delete).fallback(no_such_method))
        .with_state(caller::Door { site, meter })
}
