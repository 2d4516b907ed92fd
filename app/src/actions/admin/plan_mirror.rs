//! What is done about a plan's counterpart at Whop.

use atlas::plans::adopt::{WhopPlanId, adopt};
use atlas::plans::{drift, mirror};
use atlas::{Error, Result};
use domain::{FieldErrors, PlanId, paths};
use leptos::prelude::*;

use super::plans::page_of;
use crate::actions::answer;
use crate::flash::{self, Flash, Form};
use crate::request::Request;

const FIELD: &str = "whop_plan";

/// The name of the form, by its plan.
pub fn adopt_form(plan: &str) -> String {
    format!("adopt-{plan}")
}

#[server(prefix = "/do/admin", endpoint = "compare-plan")]
pub async fn compare_plan(plan: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let outcome = compare(&request, &plan).await;
    answer(&request, &page_of(&plan), Form::default(), outcome).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "repair-plan")]
pub async fn repair_plan(plan: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let outcome = repair(&request, &plan).await;
    answer(&request, &page_of(&plan), Form::default(), outcome).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "adopt-plan")]
pub async fn adopt_plan(plan: String, whop_plan: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(&adopt_form(&plan), &[(FIELD, &whop_plan)], FieldErrors::default()).refused_beside(FIELD);
    let outcome = take_over(&request, &plan, &whop_plan).await;
    answer(&request, &page_of(&plan), form, outcome).await;
    Ok(())
}

async fn compare(request: &Request, plan: &str) -> Result<String> {
    let admin = request.admin().await?;
    let plan: PlanId = plan.parse().map_err(|_| Error::NotFound)?;
    drift::compare(request.ctx(), &admin, plan).await?;
    flash::leave(request, Flash::Done("Whop was asked. What it says stands below.".to_owned())).await?;
    Ok(paths::admin_plan(plan))
}

async fn repair(request: &Request, plan: &str) -> Result<String> {
    let admin = request.admin().await?;
    let plan: PlanId = plan.parse().map_err(|_| Error::NotFound)?;
    mirror::repair(request.ctx(), &admin, &request.origin(), plan).await?;
    let said = "What stands here is sent to Whop. It takes a moment; reload to see how it went.";
    flash::leave(request, Flash::Done(said.to_owned())).await?;
    Ok(paths::admin_plan(plan))
}

async fn take_over(request: &Request, plan: &str, id: &str) -> Result<String> {
    let admin = request.admin().await?;
    let plan: PlanId = plan.parse().map_err(|_| Error::NotFound)?;
    let id = WhopPlanId::parse(FIELD, id).map_err(Error::Invalid)?;
    adopt(request.ctx(), &admin, &request.origin(), plan, FIELD, &id).await?;
    let said = "That plan at Whop belongs to this one now. Edits here are mirrored to it.";
    flash::leave(request, Flash::Done(said.to_owned())).await?;
    Ok(paths::admin_plan(plan))
}
