//! What people change about themselves.

use atlas::Error;
use atlas::people::account::{Name, change_password as change, rename};
use atlas::people::password::NewPassword;
use domain::{FieldErrors, paths};
use leptos::prelude::*;

use super::{answer, fresh_or_confirm, person_or_sign_in};
use crate::flash::{self, Flash, Form};
use crate::request::Request;

pub const NAME_FORM: &str = "name";
pub const PASSWORD_FORM: &str = "password";

#[server(prefix = "/do", endpoint = "rename")]
pub async fn rename_person(name: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(person) = person_or_sign_in(&request).await else { return Ok(()) };
    let form = Form::new(NAME_FORM, &[("name", &name)], FieldErrors::default());
    let outcome = async {
        rename(request.ctx(), &person, Name::parse("name", &name).map_err(Error::Invalid)?).await?;
        flash::leave(&request, Flash::Done("Your name was saved.".to_owned())).await?;
        Ok(paths::ACCOUNT.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::ACCOUNT, form, outcome).await;
    Ok(())
}

#[server(prefix = "/do", endpoint = "change-password")]
pub async fn change_password(new: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(fresh) = fresh_or_confirm(&request, paths::CHANGE_PASSWORD).await else { return Ok(()) };
    let form = Form::new(PASSWORD_FORM, &[], FieldErrors::default());
    let outcome = async {
        let new = NewPassword::parse("new", &new).map_err(Error::Invalid)?;
        change(request.ctx(), &fresh, new, &request.origin()).await?;
        // Every session of theirs is over, this one too; go on under a new one.
        request.end_session().await?;
        request.begin_session(fresh.person()).await?;
        request.remember_device(fresh.person()).await?;
        flash::leave(
            &request,
            Flash::Done("Your password was changed, and you were signed out everywhere else.".to_owned()),
        )
        .await?;
        Ok(paths::ACCOUNT.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::CHANGE_PASSWORD, form, outcome).await;
    Ok(())
}
