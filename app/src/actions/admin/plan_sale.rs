//! Where a plan stands: on sale or off, in which place, retired or deleted.

use atlas::audit::Reason;
use atlas::plans::arrange::{Way, shift};
use atlas::plans::retire;
use atlas::plans::sale::{self, Sale};
use atlas::{Error, Result};
use domain::{FieldErrors, PlanId, paths};
use leptos::prelude::*;

use super::plans::page_of;
use crate::actions::answer;
use crate::flash::{self, Flash, Form};
use crate::request::Request;

/// What was pressed; all buttons send the same form.
#[derive(Clone, Copy)]
enum Pressed {
    On,
    Off,
    Retire,
    Delete,
}

/// The name of the form, by its plan.
pub fn sale_form(plan: &str) -> String {
    format!("sale-{plan}")
}

#[server(prefix = "/do/admin", endpoint = "put-plan-on-sale")]
pub async fn put_plan_on_sale(plan: String, reason: String) -> Result<(), ServerFnError> {
    carry_out(Pressed::On, &plan, &reason).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "take-plan-off-sale")]
pub async fn take_plan_off_sale(plan: String, reason: String) -> Result<(), ServerFnError> {
    carry_out(Pressed::Off, &plan, &reason).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "retire-plan")]
pub async fn retire_plan(plan: String, reason: String) -> Result<(), ServerFnError> {
    carry_out(Pressed::Retire, &plan, &reason).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "delete-plan")]
pub async fn delete_plan(plan: String, reason: String) -> Result<(), ServerFnError> {
    carry_out(Pressed::Delete, &plan, &reason).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "move-plan")]
pub async fn move_plan(plan: String, way: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let outcome = shift_by(&request, &plan, &way).await;
    answer(&request, paths::ADMIN_PLANS, Form::default(), outcome).await;
    Ok(())
}

async fn carry_out(pressed: Pressed, plan: &str, reason: &str) {
    let Ok(request) = Request::current() else { return };
    let form = Form::new(&sale_form(plan), &[("reason", reason)], FieldErrors::default());
    let outcome = stand(&request, pressed, plan, reason).await;
    answer(&request, &page_of(plan), form, outcome).await;
}

async fn stand(request: &Request, pressed: Pressed, plan: &str, reason: &str) -> Result<String> {
    let admin = request.admin().await?;
    let plan: PlanId = plan.parse().map_err(|_| Error::NotFound)?;
    let reason = Reason::parse("reason", reason).map_err(Error::Invalid)?;
    let Some(fresh) = request.fresh(admin.person()).await? else {
        return Ok(paths::confirm(&paths::admin_plan(plan)));
    };
    let (ctx, origin, page) = (request.ctx(), request.origin(), paths::admin_plan(plan));
    let (said, next) = match pressed {
        Pressed::On => {
            sale::set(ctx, &admin, &fresh, &origin, plan, Sale::On, &reason).await?;
            ("It is on sale, everywhere within a second.", page)
        }
        Pressed::Off => {
            sale::set(ctx, &admin, &fresh, &origin, plan, Sale::Off, &reason).await?;
            ("It is off sale, everywhere within a second. What was sold stays as it is.", page)
        }
        Pressed::Retire => {
            retire::retire(ctx, &admin, &fresh, &origin, plan, &reason).await?;
            ("It is retired. What was sold stays as it is.", page)
        }
        Pressed::Delete => {
            retire::delete(ctx, &admin, &fresh, &origin, plan, &reason).await?;
            ("The plan is deleted. Nobody had ordered it.", paths::ADMIN_PLANS.to_owned())
        }
    };
    flash::leave(request, Flash::Done(said.to_owned())).await?;
    Ok(next)
}

async fn shift_by(request: &Request, plan: &str, way: &str) -> Result<String> {
    let admin = request.admin().await?;
    let plan: PlanId = plan.parse().map_err(|_| Error::NotFound)?;
    let way = if way == "up" { Way::Up } else { Way::Down };
    shift(request.ctx(), &admin, &request.origin(), plan, way).await?;
    Ok(paths::ADMIN_PLANS.to_owned())
}
