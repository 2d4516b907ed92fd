//! The second factor: giving its code, setting it up, removing it.

use atlas::people::half;
use atlas::people::second_factor::{set_up, turn_off};
use atlas::{Error, Refusal};
use domain::{FieldErrors, paths};
use leptos::prelude::*;

use super::session::{form_path, next_path};
use super::{answer, fresh_or_confirm};
use crate::flash::{self, Flash, Form};
use crate::request::Request;

pub const CODE_FORM: &str = "code";
pub const SET_UP_FORM: &str = "set_up";

/// The second step of signing in.
#[server(prefix = "/do", endpoint = "sign-in-code")]
pub async fn enter_code(code: String, next: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(CODE_FORM, &[], FieldErrors::default()).refused_beside("code");
    let outcome = async {
        let Ok(session) = request.session_hash() else { return Err(Refusal::SignInIsOver.into()) };
        let person = half::finish(request.ctx(), session, &code, &request.origin()).await?;
        request.begin_session(&person).await?;
        request.remember_device(&person).await?;
        Ok::<_, Error>(next_path(&next))
    };
    let outcome: atlas::Result<String> = outcome.await;
    let (page, form) = match &outcome {
        // There is nothing to mend any more.
        Err(Error::Refused(Refusal::SignInIsOver)) => (paths::SIGN_IN, Form::default()),
        _ => (paths::SIGN_IN_CODE, form),
    };
    answer(&request, &form_path(page, &next), form, outcome).await;
    Ok(())
}

#[server(prefix = "/do", endpoint = "begin-second-factor")]
pub async fn begin_second_factor() -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(fresh) = fresh_or_confirm(&request, paths::SECOND_FACTOR).await else { return Ok(()) };
    let outcome = async {
        set_up::begin(request.ctx(), &fresh).await?;
        Ok(paths::SECOND_FACTOR.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::SECOND_FACTOR, Form::default(), outcome).await;
    Ok(())
}

#[server(prefix = "/do", endpoint = "finish-second-factor")]
pub async fn finish_second_factor(code: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(fresh) = fresh_or_confirm(&request, paths::SECOND_FACTOR).await else { return Ok(()) };
    let form = Form::new(SET_UP_FORM, &[], FieldErrors::default()).refused_beside("code");
    let outcome = async {
        set_up::finish(request.ctx(), &fresh, &code, request.session_hash()?, &request.origin()).await?;
        // New rights begin with a new session (T43).
        request.note_confirmed(fresh.person()).await?;
        flash::leave(&request, Flash::Done("Done. Signing in takes a code from now on.".to_owned())).await?;
        Ok(paths::SECOND_FACTOR.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::SECOND_FACTOR, form, outcome).await;
    Ok(())
}

#[server(prefix = "/do", endpoint = "remove-second-factor")]
pub async fn remove_second_factor() -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(fresh) = fresh_or_confirm(&request, paths::SECOND_FACTOR).await else { return Ok(()) };
    let outcome = async {
        turn_off(request.ctx(), &fresh, &request.origin()).await?;
        request.note_confirmed(fresh.person()).await?;
        flash::leave(&request, Flash::Done("Your password alone signs you in again.".to_owned())).await?;
        Ok(paths::ACCOUNT.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::SECOND_FACTOR, Form::default(), outcome).await;
    Ok(())
}
