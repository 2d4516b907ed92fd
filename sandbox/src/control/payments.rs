//! Control routes about payments.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;

use crate::api::body::Body;
use crate::api::error::ApiError;
use crate::api::ok;
use crate::disputes::{self, DisputeStatus};
use crate::money::decimal::QuotableDecimal;
use crate::pages::checkout::back;
use crate::payments::card::{self, CardAnswer};
use crate::payments::pay::{self, Attempt, Course, NoTry};
use crate::payments::view::{Reading, payment as view};
use crate::payments::{Decline, Means, Verdict, settle as settling};
use crate::refunds;
use crate::sandbox::Sandbox;

/// Longest wait for a payment to settle.
const SETTLES_WITHIN: Duration = Duration::from_mins(1);

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct PayInput {
    checkout_id: Option<String>,
    purchase_url: Option<String>,
    /// An open payment to try again.
    payment_id: Option<String>,
    email: Option<String>,
    card: Option<String>,
    /// `succeeded`, `failed` (or `declined`), `pending`, `bank_debit`, or one of Whop's decline codes.
    outcome: Option<String>,
}

/// Pays without a browser, and answers once the payment is decided (or pending).
pub async fn pay(State(sandbox): State<Sandbox>, Body(input): Body<PayInput>) -> Result<Response, ApiError> {
    let from_url = input.purchase_url.as_deref().and_then(checkout_of);
    let checkout_id = input.checkout_id.or(from_url).ok_or(ApiError::bad("checkout_id or purchase_url is required"))?;
    let (means, course) = plan(input.card.as_deref(), input.outcome.as_deref())?;
    let attempt = Attempt { checkout_id, payment_id: input.payment_id, email: input.email, means, course };
    let id = sandbox.change(|world| pay::attempt(world, attempt)).map_err(|why| match why {
        NoTry::UnknownCheckout => ApiError::not_found("Checkout"),
        NoTry::NotOpen => ApiError::conflict("conflict", "This payment cannot be tried again"),
    })?;
    let limit = SETTLES_WITHIN.max(sandbox.settings().settle * 2);
    let decided = sandbox.wait_for(limit, |world| {
        let payment = world.payments.get(&id)?;
        // A pending payment has told all there is to tell for now.
        let open = payment.status == crate::payments::Status::Open && payment.due.is_some();
        (!open).then(|| payment.clone())
    });
    let payment = decided.await.ok_or(ApiError::server("The payment did not settle in time"))?;
    sandbox.read(|world| {
        Ok(ok(&json!({
            "payment_id": payment.id,
            "status": payment.status,
            "substatus": payment.substatus,
            "decline_code": payment.decline.as_ref().map(|decline| &decline.code),
            "paid_at": payment.paid_at,
            "redirect_url": back::address(world, &payment),
        })))
    })
}

fn plan(number: Option<&str>, outcome: Option<&str>) -> Result<(Means, Course), ApiError> {
    let (card, answer) = match number {
        Some(number) => card::read(number, 12, 2034).map_err(ApiError::bad)?,
        None => (card::usual(), CardAnswer::Decided(Verdict::Succeeds)),
    };
    let declined = |code: &str| Course::Decided(Verdict::Declines(Decline::new(code)));
    Ok(match outcome {
        None => match answer {
            CardAnswer::Decided(verdict) => (Means::Card(card), Course::Decided(verdict)),
            CardAnswer::Challenge => (Means::Card(card), Course::Challenge),
        },
        Some("succeeded" | "paid") => (Means::Card(card), Course::Decided(Verdict::Succeeds)),
        Some("failed" | "declined") => (Means::Card(card), declined("card_declined_by_issuer")),
        Some("pending") => (Means::BankDebit, Course::Pending { settles_by_itself: false }),
        Some("bank_debit") => (Means::BankDebit, Course::Pending { settles_by_itself: true }),
        Some(code) => (Means::Card(card), declined(code)),
    })
}

/// The checkout in a purchase URL of either shape.
fn checkout_of(purchase_url: &str) -> Option<String> {
    let url = Url::parse(purchase_url).ok()?;
    let session = url.query_pairs().find(|(name, _)| name == "session").map(|(_, id)| id.into_owned());
    session.or_else(|| url.path_segments()?.find(|part| part.starts_with("ch_")).map(str::to_owned))
}

/// All payments, newest first.
pub async fn list(State(sandbox): State<Sandbox>) -> Response {
    sandbox.read(|world| {
        let payments: Vec<_> = world.payments.newest().map(|payment| view(world, payment, Reading::List)).collect();
        ok(&payments)
    })
}

#[derive(Deserialize)]
pub struct RefundInput {
    amount: Option<QuotableDecimal>,
}

/// A refund that somebody at Whop starts.
pub async fn refund(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(input): Body<RefundInput>,
) -> Result<Response, ApiError> {
    sandbox.change(|world| {
        let id = refunds::start(world, &id, input.amount.map(|amount| amount.0), None)?;
        let refund = world.refunds.get(&id).ok_or(ApiError::not_found("Refund"))?;
        Ok(ok(&refunds::view::current(world, refund)))
    })
}

#[derive(Deserialize)]
pub struct DisputeInput {
    status: DisputeStatus,
    reason: Option<String>,
}

/// A buyer disputes, or their bank decides.
pub async fn dispute(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(input): Body<DisputeInput>,
) -> Result<Response, ApiError> {
    sandbox.change(|world| {
        let id = disputes::moved(world, &id, input.status, input.reason)?;
        let dispute = world.disputes.get(&id).ok_or(ApiError::not_found("Dispute"))?;
        Ok(ok(&disputes::view(world, dispute)))
    })
}

#[derive(Deserialize)]
pub struct SettleInput {
    outcome: Outcome,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Succeeded,
    Failed,
}

/// Ends a pending payment.
pub async fn settle(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(input): Body<SettleInput>,
) -> Result<Response, ApiError> {
    let verdict = match input.outcome {
        Outcome::Succeeded => Verdict::Succeeds,
        Outcome::Failed => Verdict::Declines(Decline::new("bank_insufficient_funds")),
    };
    sandbox.change(|world| {
        world.payments.get(&id).ok_or(ApiError::not_found("Payment"))?;
        if !settling::pending(world, &id, verdict) {
            return Err(ApiError::conflict("conflict", "This payment is not pending"));
        }
        let payment = world.payments.get(&id).ok_or(ApiError::not_found("Payment"))?;
        Ok(ok(&view(world, payment, Reading::Single)))
    })
}
