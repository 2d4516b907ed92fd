//! Credits moved by hand: given, taken, a debt forgiven; and the second word on what is above the limit.

use atlas::audit::Reason;
use atlas::by_hand::{Description, Wish, act, confirm};
use atlas::orders::FormKey;
use atlas::{Error, Refusal, Result};
use domain::{CreditDeedId, CreditDeedKind, CreditDeedState, FieldErrors, PersonId, paths};
use leptos::prelude::*;

use super::refunds::DECLINE_FORM;
use super::requests::given_in;
use crate::actions::answer;
use crate::flash::{self, Flash, Form};
use crate::request::Request;
use crate::words;

pub const CREDITS_FORM: &str = "credits";

/// What the form says, whichever of its buttons was pressed.
struct Typed {
    person: String,
    credits: String,
    description: String,
    key: String,
    reason: String,
}

#[server(prefix = "/do/admin", endpoint = "grant-credits")]
pub async fn grant_credits(
    person: String,
    credits: String,
    description: String,
    key: String,
    reason: String,
) -> Result<(), ServerFnError> {
    decide(CreditDeedKind::Grant, Typed { person, credits, description, key, reason }).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "take-credits")]
pub async fn take_credits(
    person: String,
    credits: String,
    description: String,
    key: String,
    reason: String,
) -> Result<(), ServerFnError> {
    decide(CreditDeedKind::Take, Typed { person, credits, description, key, reason }).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "forgive-debt")]
pub async fn forgive_debt(
    person: String,
    credits: String,
    description: String,
    key: String,
    reason: String,
) -> Result<(), ServerFnError> {
    decide(CreditDeedKind::Forgive, Typed { person, credits, description, key, reason }).await;
    Ok(())
}

async fn decide(kind: CreditDeedKind, typed: Typed) {
    let Ok(request) = Request::current() else { return };
    let page = typed.person.parse().map_or_else(|_| paths::ADMIN_PEOPLE.to_owned(), paths::admin_person);
    let values = [("credits", typed.credits.as_str()), ("description", &typed.description), ("reason", &typed.reason)];
    let form = Form::new(CREDITS_FORM, &values, FieldErrors::default()).refused_beside("credits");
    let outcome = carry_out(&request, kind, &typed).await;
    answer(&request, &page, form, outcome).await;
}

async fn carry_out(request: &Request, kind: CreditDeedKind, typed: &Typed) -> Result<String> {
    let admin = request.admin().await?;
    let person: PersonId = typed.person.parse().map_err(|_| Error::NotFound)?;
    let page = paths::admin_person(person);
    let Some(fresh) = request.fresh(admin.person()).await? else { return Ok(paths::confirm(&page)) };
    let wish = Wish {
        kind,
        person,
        credits: given_in("credits", typed.credits.trim())?,
        description: Description::parse("description", &typed.description, kind).map_err(Error::Invalid)?,
        reason: Reason::parse("reason", &typed.reason).map_err(Error::Invalid)?,
        key: FormKey::parse("key", &typed.key).map_err(|_| Refusal::FormIncomplete)?,
    };
    let done = act(request.ctx(), &admin, &fresh, &request.origin(), &wish).await?;
    let said = match done.state {
        CreditDeedState::Waiting => words::SECOND_ADMIN.to_owned(),
        _ => words::credits_moved(kind, wish.credits),
    };
    flash::leave(request, Flash::Done(said)).await?;
    Ok(page)
}

#[server(prefix = "/do/admin", endpoint = "confirm-credits")]
pub async fn confirm_credits(request_id: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let outcome = say_yes(&request, &request_id).await;
    answer(&request, paths::ADMIN_APPROVALS, Form::default(), outcome).await;
    Ok(())
}

async fn say_yes(request: &Request, id: &str) -> Result<String> {
    let admin = request.admin().await?;
    let Some(fresh) = request.fresh(admin.person()).await? else {
        return Ok(paths::confirm(paths::ADMIN_APPROVALS));
    };
    let id: CreditDeedId = id.parse().map_err(|_| Error::NotFound)?;
    confirm::confirm(request.ctx(), &admin, &fresh, &request.origin(), id).await?;
    flash::leave(request, Flash::Done("Confirmed, and done.".to_owned())).await?;
    Ok(paths::ADMIN_APPROVALS.to_owned())
}

#[server(prefix = "/do/admin", endpoint = "decline-credits")]
pub async fn decline_credits(request_id: String, reason: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(DECLINE_FORM, &[("of", &request_id), ("reason", &reason)], FieldErrors::default());
    let outcome = say_no(&request, &request_id, &reason).await;
    answer(&request, paths::ADMIN_APPROVALS, form, outcome).await;
    Ok(())
}

async fn say_no(request: &Request, id: &str, reason: &str) -> Result<String> {
    let admin = request.admin().await?;
    let Some(fresh) = request.fresh(admin.person()).await? else {
        return Ok(paths::confirm(paths::ADMIN_APPROVALS));
    };
    let id: CreditDeedId = id.parse().map_err(|_| Error::NotFound)?;
    let reason = Reason::parse("reason", reason).map_err(Error::Invalid)?;
    confirm::decline(request.ctx(), &admin, &fresh, &request.origin(), id, &reason).await?;
    flash::leave(request, Flash::Done("Declined. No credits moved.".to_owned())).await?;
    Ok(paths::ADMIN_APPROVALS.to_owned())
}

#[server(prefix = "/do/admin", endpoint = "withdraw-credits")]
pub async fn withdraw_credits(request_id: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let outcome = take_back(&request, &request_id).await;
    answer(&request, paths::ADMIN_APPROVALS, Form::default(), outcome).await;
    Ok(())
}

async fn take_back(request: &Request, id: &str) -> Result<String> {
    let admin = request.admin().await?;
    let id: CreditDeedId = id.parse().map_err(|_| Error::NotFound)?;
    confirm::withdraw(request.ctx(), &admin, &request.origin(), id).await?;
    flash::leave(request, Flash::Done("Withdrawn. No credits moved.".to_owned())).await?;
    Ok(paths::ADMIN_APPROVALS.to_owned())
}
