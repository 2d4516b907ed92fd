//! What an admin changes about other people.

use atlas::audit::Reason;
use atlas::people::apart;
use atlas::people::roles::change::set_role_of;
use atlas::people::sessions::of_others::{self, Which};
use atlas::settings::rollout::parse_provider;
use atlas::{Error, Result};
use domain::{FieldErrors, PersonId, Role, paths};
use leptos::prelude::*;

use crate::actions::answer;
use crate::actions::session::both;
use crate::flash::{self, Flash, Form};
use crate::request::Request;
use crate::words;

pub const ROLE_FORM: &str = "role";
pub const PATH_FORM: &str = "payment-path";
pub const SESSIONS_FORM: &str = "sessions";
pub const LIMIT_FORM: &str = "purchase-limit";

#[server(prefix = "/do/admin", endpoint = "change-role")]
pub async fn change_role(person: String, role: String, reason: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(ROLE_FORM, &[("role", &role), ("reason", &reason)], FieldErrors::default());
    let outcome = give(&request, &person, &role, &reason).await;
    answer(&request, &page_of(&person), form, outcome).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "end-sessions-of")]
pub async fn end_sessions_of(person: String, session: String, reason: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(SESSIONS_FORM, &[("reason", &reason)], FieldErrors::default());
    let outcome = end(&request, &person, &session, &reason).await;
    answer(&request, &page_of(&person), form, outcome).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "set-payment-path")]
pub async fn set_payment_path(person: String, path: String, reason: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(PATH_FORM, &[("path", &path), ("reason", &reason)], FieldErrors::default());
    let outcome = set_path(&request, &person, &path, &reason).await;
    answer(&request, &page_of(&person), form, outcome).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "set-purchase-limit")]
pub async fn set_purchase_limit(person: String, limit: String, reason: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(LIMIT_FORM, &[("limit", &limit), ("reason", &reason)], FieldErrors::default());
    let outcome = set_limit(&request, &person, &limit, &reason).await;
    answer(&request, &page_of(&person), form, outcome).await;
    Ok(())
}

async fn give(request: &Request, person: &str, role: &str, reason: &str) -> Result<String> {
    let admin = request.admin().await?;
    let person: PersonId = person.parse().map_err(|_| Error::NotFound)?;
    let Some(fresh) = request.fresh(admin.person()).await? else {
        return Ok(paths::confirm(&paths::admin_person(person)));
    };
    let role: Role = role.parse().map_err(|_| Error::Invalid(FieldErrors::one("role", "Choose a role.")))?;
    let reason = Reason::parse("reason", reason).map_err(Error::Invalid)?;
    set_role_of(request.ctx(), &admin, &fresh, &request.origin(), person, role, &reason).await?;
    let said = format!("The role is {} now. They were signed out everywhere.", words::role(role));
    flash::leave(request, Flash::Done(said)).await?;
    Ok(paths::admin_person(person))
}

/// `session`: the name of one, or `all`.
async fn end(request: &Request, person: &str, session: &str, reason: &str) -> Result<String> {
    let admin = request.admin().await?;
    let person: PersonId = person.parse().map_err(|_| Error::NotFound)?;
    let which = match session {
        "all" => Which::All,
        one => Which::One(one.parse().map_err(|_| Error::NotFound)?),
    };
    let reason = Reason::parse("reason", reason).map_err(Error::Invalid)?;
    let ended = of_others::end(request.ctx(), &admin, &request.origin(), person, which, &reason).await?;
    flash::leave(request, Flash::Done(words::sessions_ended(ended))).await?;
    Ok(paths::admin_person(person))
}

/// `path`: whop, manual, or nothing to follow what holds for everybody.
async fn set_path(request: &Request, person: &str, path: &str, reason: &str) -> Result<String> {
    let admin = request.admin().await?;
    let person: PersonId = person.parse().map_err(|_| Error::NotFound)?;
    let path = if path.is_empty() { Ok(None) } else { parse_provider("path", path).map(Some) };
    let (path, reason) = both(path, Reason::parse("reason", reason))?;
    apart::set_payment_path(request.ctx(), &admin, &request.origin(), person, path, &reason).await?;
    flash::leave(request, Flash::Done(words::path_set(path))).await?;
    Ok(paths::admin_person(person))
}

async fn set_limit(request: &Request, person: &str, limit: &str, reason: &str) -> Result<String> {
    let admin = request.admin().await?;
    let person: PersonId = person.parse().map_err(|_| Error::NotFound)?;
    let (limit, reason) = both(apart::parse_limit("limit", limit), Reason::parse("reason", reason))?;
    apart::set_daily_limit(request.ctx(), &admin, &request.origin(), person, limit, &reason).await?;
    flash::leave(request, Flash::Done(words::limit_set(limit))).await?;
    Ok(paths::admin_person(person))
}

/// Where the form was; the list, if there is nobody like that.
pub(super) fn page_of(person: &str) -> String {
    person.parse().map_or_else(|_| paths::ADMIN_PEOPLE.to_owned(), paths::admin_person)
}
