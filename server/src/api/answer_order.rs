//! `PATCH /api/admin/credit-orders/ID`: a request, approved or rejected by the verb that the page uses.

use app::request::Request;
use atlas::audit::Reason;
use atlas::by_hand::list::approval_of;
use atlas::orders::answer::{Answer, Outcome, answer};
use atlas::orders::dossier;
use atlas::people::roles::Admin;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use domain::{Credits, FieldErrors, OrderId, OrderState, paths};
use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::admin_orders::Waiting;
use super::caller::{self, Door};
use super::dossier_shape::OrderDossier;
use super::input;
use super::problem::Problem;
use super::shapes::Declined;

/// What a request becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    Approved,
    Rejected,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderAnswer {
    state: Decision,
    /// To give other ones than were asked for; only with `approved`.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    credits: Option<i64>,
    /// One line of 1 to 500 characters. The buyer reads it.
    reason: String,
}

impl OrderAnswer {
    fn read(&self) -> Result<(Answer, Reason), FieldErrors> {
        let mut wrong = FieldErrors::default();
        let said = match (self.state, self.credits) {
            (Decision::Approved, credits) => Answer::Approve { credits: credits.map(Credits::new) },
            (Decision::Rejected, _) => Answer::Reject,
        };
        match (self.state, self.credits) {
            (Decision::Rejected, Some(_)) => wrong.add("credits", "Whoever is declined gets none. Leave this out."),
            (_, Some(credits)) if !(1..=Credits::MAX.get()).contains(&credits) => {
                wrong.add("credits", "Send a whole number of credits, from 1 to 1,000,000,000,000.");
            }
            _ => (),
        }
        match Reason::parse("reason", &self.reason) {
            Ok(reason) if wrong.is_empty() => Ok((said, reason)),
            Ok(_) => Err(wrong),
            Err(errors) => {
                errors.iter().for_each(|(field, message)| wrong.add(field, message));
                Err(wrong)
            }
        }
    }
}

/// Approves or rejects a request. What gives more than one admin may give alone is put up for another one: 202.
#[utoipa::path(patch, path = "/api/admin/credit-orders/{id}", tag = "Orders",
    params(("id" = uuid::Uuid, Path)), request_body = OrderAnswer, security(("session" = [])),
    responses((status = 200, body = OrderDossier), (status = 202, body = Waiting), Declined))]
pub async fn patch(
    State(door): State<Door>,
    Path(id): Path<String>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    let (request, admin) = caller::admin(&door, &parts).await?;
    let id: OrderId = input::id(&id)?;
    let (said, reason) = input::body::<OrderAnswer>(&parts.headers, &body)?.read()?;
    let fresh = caller::fresh(&request, &admin, &paths::admin_order(id)).await?;
    let outcomes = answer(request.ctx(), &admin, &fresh, &request.origin(), &[id], said, &reason).await?;
    let (_, outcome) = outcomes.first().ok_or(Problem::NotFound)?;
    match outcome {
        Outcome::Answered => Ok(Json(stands(&request, &admin, id).await?).into_response()),
        Outcome::WaitsForSecond => waits(&request, &admin, id).await,
        Outcome::WasNot(state) => Err(was_not(*state, &stands(&request, &admin, id).await?)),
    }
}

async fn stands(request: &Request, admin: &Admin, id: OrderId) -> Result<OrderDossier, Problem> {
    Ok(dossier::load(request.ctx(), admin, id).await?.into())
}

async fn waits(request: &Request, admin: &Admin, id: OrderId) -> Result<Response, Problem> {
    let Some(deed) = approval_of(&request.ctx().db, admin, id).await? else {
        // Another admin was as fast as that.
        return Ok(Json(stands(request, admin, id).await?).into_response());
    };
    let waiting = Waiting::of(deed, &request.ctx().public_url);
    Ok((StatusCode::ACCEPTED, Json(waiting)).into_response())
}

fn was_not(state: OrderState, stands: &OrderDossier) -> Problem {
    Problem::Overtaken {
        code: "not_requested",
        message: format!("This order does not wait for an answer: it is {state}. Nothing was changed."),
        current: json!(stands),
    }
}
