//! Showing again that it is you, before something that can do lasting harm.

use atlas::people::confirm::confirm;
use atlas::{Error, Refusal};
use domain::{FieldErrors, paths};
use leptos::prelude::*;
use secrecy::SecretString;

use super::session::next_path;
use super::{answer, anybody_or_sign_in};
use crate::flash::Form;
use crate::request::Request;

pub const CONFIRM_FORM: &str = "confirm";

#[server(prefix = "/do", endpoint = "confirm")]
pub async fn confirm_person(
    password: String,
    #[server(default)] code: String,
    return_to: String,
) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(person) = anybody_or_sign_in(&request).await else { return Ok(()) };
    let form = Form::new(CONFIRM_FORM, &[], FieldErrors::default()).refused_beside("password");
    let outcome = async {
        if password.is_empty() {
            return Err(Error::Invalid(FieldErrors::one("password", "Enter your password.")));
        }
        confirm(request.ctx(), &person, SecretString::from(password), &code, &request.origin())
            .await
            .map_err(beside_code)?;
        request.note_confirmed(&person).await?;
        Ok(next_path(&return_to))
    };
    let outcome = outcome.await;
    answer(&request, &paths::confirm(&next_path(&return_to)), form, outcome).await;
    Ok(())
}

/// A wrong code is said where it was typed.
fn beside_code(error: Error) -> Error {
    match error {
        Error::Refused(wrong @ Refusal::WrongCode) => Error::Invalid(FieldErrors::one("code", wrong.to_string())),
        other => other,
    }
}
