//! What an admin changes about other people.

use atlas::audit::Reason;
use atlas::people::roles::change::set_role_of;
use atlas::people::sessions::{Ending, end_of};
use atlas::{Error, Result};
use domain::{FieldErrors, PersonId, Role, paths};
use leptos::prelude::*;

use crate::actions::answer;
use crate::flash::{self, Flash, Form};
use crate::request::Request;
use crate::words;

pub const ROLE_FORM: &str = "role";

#[server(prefix = "/do/admin", endpoint = "change-role")]
pub async fn change_role(person: String, role: String, reason: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(ROLE_FORM, &[("role", &role), ("reason", &reason)], FieldErrors::default());
    let outcome = give(&request, &person, &role, &reason).await;
    answer(&request, &page_of(&person), form, outcome).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "end-sessions-of")]
pub async fn end_sessions_of(person: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let outcome = end(&request, &person).await;
    answer(&request, &page_of(&person), Form::default(), outcome).await;
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

async fn end(request: &Request, person: &str) -> Result<String> {
    let admin = request.admin().await?;
    let person: PersonId = person.parse().map_err(|_| Error::NotFound)?;
    let origin = request.origin();
    let ended = end_of(request.ctx(), &admin.by(&origin), Ending::Person(person)).await?;
    flash::leave(request, Flash::Done(words::sessions_ended(ended))).await?;
    Ok(paths::admin_person(person))
}

/// Where the form was; the list, if there is nobody like that.
fn page_of(person: &str) -> String {
    person.parse().map_or_else(|_| paths::ADMIN_PEOPLE.to_owned(), paths::admin_person)
}
