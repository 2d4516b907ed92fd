//! Ending one's own sessions elsewhere.

use atlas::Error;
use atlas::people::sessions::{end, end_others};
use domain::paths;
use leptos::prelude::*;

use super::{answer, person_or_sign_in};
use crate::flash::{self, Flash, Form};
use crate::request::Request;

#[server(prefix = "/do", endpoint = "end-session")]
pub async fn end_session(session: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(person) = person_or_sign_in(&request).await else { return Ok(()) };
    let outcome = async {
        end(request.ctx(), &person, session.parse().map_err(|_| Error::NotFound)?, &request.origin()).await?;
        flash::leave(&request, Flash::Done("That browser is signed out.".to_owned())).await?;
        Ok(paths::ACCOUNT.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::ACCOUNT, Form::default(), outcome).await;
    Ok(())
}

#[server(prefix = "/do", endpoint = "end-other-sessions")]
pub async fn end_other_sessions() -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(person) = person_or_sign_in(&request).await else { return Ok(()) };
    let outcome = async {
        end_others(request.ctx(), &person, request.session_hash()?, &request.origin()).await?;
        flash::leave(&request, Flash::Done("You are signed out everywhere else.".to_owned())).await?;
        Ok(paths::ACCOUNT.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::ACCOUNT, Form::default(), outcome).await;
    Ok(())
}
