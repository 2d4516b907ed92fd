//! `/payments`: list, read, status, refund, fees. Payments come to be on the checkout page.

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use crate::api::body::Body;
use crate::api::error::ApiError;
use crate::api::ok;
use crate::api::page::{page, page_by};
use crate::api::query::Query;
use crate::clock::Moment;
use crate::money::Decimal;
use crate::payments::view::{Reading, billing_reason, payment as view};
use crate::payments::{Payment, Status, status};
use crate::people::Metadata;
use crate::refunds;
use crate::sandbox::Sandbox;
use crate::world::World;

pub fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/payments", get(list).post(create))
        .route("/payments/{id}", get(retrieve))
        .route("/payments/{id}/status", get(read_status))
        .route("/payments/{id}/refund", post(refund))
        .route("/payments/{id}/fees", get(fees))
}

/// A fresh payment may be kept from readers for a while, by the fault of that name.
fn readable(world: &World, payment: &Payment) -> bool {
    let hidden = Duration::from_millis(world.faults.payment_read_delay_ms);
    Moment::now().since(payment.created_at) >= hidden
}

fn found<'a>(world: &'a World, id: &str) -> Result<&'a Payment, ApiError> {
    world.payments.get(id).filter(|payment| readable(world, payment)).ok_or(ApiError::not_found("Payment"))
}

async fn list(State(sandbox): State<Sandbox>, query: Query) -> Result<Response, ApiError> {
    query.check_account(sandbox.settings(), false)?;
    let known_status = |status: &str| {
        ["draft", "open", "authorized", "paid", "pending", "uncollectible", "unresolved", "void"].contains(&status)
    };
    if let Some(unknown) = query.get("status").filter(|status| !known_status(status)) {
        return Err(ApiError::bad(format!("status {unknown} is not a payment status")));
    }
    sandbox.read(|world| {
        let keep = |payment: &Payment| readable(world, payment) && matches(world, payment, &query);
        let shown = |payment: &Payment| view(world, payment, Reading::List);
        match query.get("order") {
            Some("paid_at") => page_by(&query, &world.payments, keep, |payment| payment.paid_at, shown),
            None | Some("created_at") => page(&query, &world.payments, keep, shown),
            Some(_) => Err(ApiError::bad("order must be created_at or paid_at")),
        }
        .map(|page| ok(&page))
    })
}

fn matches(world: &World, payment: &Payment, query: &Query) -> bool {
    let status = match payment.status {
        Status::Open => "open",
        Status::Pending => "pending",
        Status::Paid => "paid",
    };
    let person = world.people.get(&payment.person_id);
    let text = query.get("query").map(str::to_lowercase);
    let has = |text: &String| {
        let email = person.and_then(|person| person.email.as_deref()).unwrap_or_default();
        let username = person.map(|person| person.username.as_str()).unwrap_or_default();
        payment.id.to_lowercase() == *text || email.contains(text.as_str()) || username.contains(text.as_str())
    };
    query.allows("status", status)
        && query.allows("plan_id", &payment.plan_id)
        && query.allows("currency", payment.total.currency.as_str())
        && query.allows("billing_reason", billing_reason(world.plans.get_any(&payment.plan_id)))
        && query.allows("user_id", &payment.person_id)
        && query.allows_some("member_id", person.map(|person| &person.member_id))
        && query.allows_some("product_id", payment.product_id.as_ref())
        && query.allows_some("membership_id", payment.membership_id.as_ref())
        && text.as_ref().is_none_or(has)
}

/// Charging a saved method is another half of Whop.
async fn create() -> ApiError {
    ApiError::bad("Charging a saved payment method is not part of this sandbox; payments are made on the checkout page")
}

async fn retrieve(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    sandbox.read(|world| Ok(ok(&view(world, found(world, &id)?, Reading::Single))))
}

async fn read_status(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    sandbox.read(|world| Ok(ok(&status::view(world, found(world, &id)?))))
}

/// The body of a refund; without an amount everything left goes back.
#[derive(Deserialize)]
struct RefundInput {
    partial_amount: Option<Decimal>,
    metadata: Option<Metadata>,
}

/// Answers with the payment, which still looks unrefunded: refunds settle later.
async fn refund(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(input): Body<RefundInput>,
) -> Result<Response, ApiError> {
    sandbox.change(|world| {
        found(world, &id)?;
        refunds::start(world, &id, input.partial_amount, input.metadata)?;
        Ok(ok(&view(world, found(world, &id)?, Reading::Single)))
    })
}

async fn fees(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    sandbox.read(|world| {
        let payment = found(world, &id)?;
        let fee = payment.total.plus(-payment.total.after_fees().minor);
        Ok(ok(&json!({
            "data": [{ "name": "Card processing", "type": "processing", "amount": fee.object() }],
            "page_info": { "end_cursor": null, "start_cursor": null, "has_next_page": false, "has_previous_page": false },
        })))
    })
}
