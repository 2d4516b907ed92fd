//! Credits moved by hand: given, taken, a debt forgiven; and the second word on what is above the limit.

use atlas::audit::Reason;
use atlas::by_hand::{Description, Wish, act};
use atlas::orders::FormKey;
use atlas::{Error, Refusal, Result};
use domain::{CreditDeedId, CreditDeedKind, CreditDeedState, FieldErrors, PersonId, paths};
use leptos::prelude::*;

use super::requests::given_in;
use super::second_word;
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
    second_word::confirm::<CreditDeedId>(&request_id).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "decline-credits")]
pub async fn decline_credits(request_id: String, reason: String) -> Result<(), ServerFnError> {
    second_word::decline::<CreditDeedId>(&request_id, &reason).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "withdraw-credits")]
pub async fn withdraw_credits(request_id: String) -> Result<(), ServerFnError> {
    second_word::withdraw::<CreditDeedId>(&request_id).await;
    Ok(())
}
