//! Looking at somebody's pages, and coming back.

use atlas::audit::Reason;
use atlas::people::viewing::start;
use atlas::{Error, Result};
use domain::{FieldErrors, PersonId, paths};
use leptos::prelude::*;

use super::people::page_of;
use crate::actions::answer;
use crate::flash::Form;
use crate::request::Request;

pub const VIEW_FORM: &str = "view";

#[server(prefix = "/do/admin", endpoint = "start-viewing")]
pub async fn start_viewing(person: String, reason: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(VIEW_FORM, &[("reason", &reason)], FieldErrors::default());
    let outcome = view(&request, &person, &reason).await;
    answer(&request, &page_of(&person), form, outcome).await;
    Ok(())
}

/// `person`: where to come back to. Whose pages were viewed, the session says.
#[server(prefix = "/do/admin", endpoint = "stop-viewing")]
pub async fn stop_viewing(person: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let outcome = request.stop_viewing().await.map(|()| page_of(&person));
    answer(&request, &page_of(&person), Form::default(), outcome).await;
    Ok(())
}

async fn view(request: &Request, person: &str, reason: &str) -> Result<String> {
    let admin = request.admin().await?;
    let person: PersonId = person.parse().map_err(|_| Error::NotFound)?;
    let Some(fresh) = request.fresh(admin.person()).await? else {
        return Ok(paths::confirm(&paths::admin_person(person)));
    };
    let reason = Reason::parse("reason", reason).map_err(Error::Invalid)?;
    start(request.ctx(), &admin, &fresh, request.session_hash()?, person, &request.origin(), &reason).await?;
    Ok(paths::CREDITS.to_owned())
}
