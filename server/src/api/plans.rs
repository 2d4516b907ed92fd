//! `/api/admin/whop-plans`: the plans as they are kept, made, put on sale and ended, by the verbs that the pages use.

use atlas::audit::Reason;
use atlas::orders::FormKey;
use atlas::people::roles::ReadsPlans;
use atlas::plans::{create, desk, retire};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use domain::{PlanId, paths};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::{self, Door};
use super::plan_shape::{NewPlan, Plan, Plans};
use super::problem::Problem;
use super::shapes::Declined;
use super::{credentials, input};

/// Why a plan goes; in the address, for not everything on the way lets a DELETE have a body.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Why {
    /// One line of 1 to 500 characters, for the audit.
    #[param(required = true)]
    reason: Option<String>,
}

/// All plans but those that were deleted. For admins, and for keys of the scope `read`.
#[utoipa::path(get, path = "/api/admin/whop-plans", tag = "Plans", security(("session" = []), ("key" = [])),
    responses((status = 200, body = Plans), Declined))]
pub async fn list(State(door): State<Door>, parts: Parts) -> Result<Json<Plans>, Problem> {
    let by = caller::reads_plans(&door, &parts).await?;
    let plans = desk::list(&door.site.ctx.db, &*by).await?;
    Ok(Json(Plans { plans: plans.into_iter().map(Plan::from).collect() }))
}

/// One plan in its newest version. For admins, and for keys of the scope `read`.
#[utoipa::path(get, path = "/api/admin/whop-plans/{id}", tag = "Plans", params(("id" = uuid::Uuid, Path)),
    security(("session" = []), ("key" = [])), responses((status = 200, body = Plan), Declined))]
pub async fn open(State(door): State<Door>, Path(id): Path<String>, parts: Parts) -> Result<Json<Plan>, Problem> {
    let by = caller::reads_plans(&door, &parts).await?;
    stands(&door, &*by, input::id(&id)?).await
}

/// Makes a plan. It begins off sale and last in line.
#[utoipa::path(post, path = "/api/admin/whop-plans", tag = "Plans", request_body = NewPlan, security(("session" = [])),
    params(("Idempotency-Key" = Option<String>, Header,
        description = "Your own name for this plan: 8 to 128 letters, digits, - or _. Sent again, no second one is made.")),
    responses((status = 201, body = Plan), Declined))]
pub async fn make(State(door): State<Door>, parts: Parts, body: Bytes) -> Result<Response, Problem> {
    let (request, admin) = caller::admin(&door, &parts).await?;
    let key = credentials::form_key_if_any(&parts.headers)?.unwrap_or_else(FormKey::fresh);
    let terms = input::body::<NewPlan>(&parts.headers, &body)?.terms()?;
    let id = create::create(request.ctx(), &admin, &request.origin(), &terms, &key).await?;
    let mut answer = (StatusCode::CREATED, stands(&door, &admin, id).await?).into_response();
    if let Ok(place) = HeaderValue::try_from(format!("{}/{id}", paths::API_ADMIN_WHOP_PLANS)) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    Ok(answer)
}

/// Deletes a plan that nobody has ordered. One that somebody has is retired instead: `PATCH` its standing.
#[utoipa::path(delete, path = "/api/admin/whop-plans/{id}", tag = "Plans",
    params(("id" = uuid::Uuid, Path), Why), security(("session" = [])),
    responses((status = 204), Declined))]
pub async fn delete(State(door): State<Door>, Path(id): Path<String>, parts: Parts) -> Result<StatusCode, Problem> {
    let (request, admin) = caller::admin(&door, &parts).await?;
    let id: PlanId = input::id(&id)?;
    let why: Why = input::query(&parts.uri)?;
    let reason = Reason::parse("reason", why.reason.as_deref().unwrap_or_default())?;
    let fresh = caller::fresh(&request, &admin, &paths::admin_plan(id)).await?;
    retire::delete(request.ctx(), &admin, &fresh, &request.origin(), id, &reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn stands(door: &Door, by: &dyn ReadsPlans, id: PlanId) -> Result<Json<Plan>, Problem> {
    Ok(Json(desk::open(&door.site.ctx.db, by, id).await?.into()))
}
