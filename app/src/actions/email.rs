//! Whose an address is: changing it, confirming it, taking it back.

use atlas::Error;
use atlas::people::email;
use atlas::people::password::NewPassword;
use atlas::people::register::Email;
use domain::{FieldErrors, paths};
use leptos::prelude::*;
use secrecy::SecretString;

use super::reset::token_of;
use super::{answer, fresh_or_confirm, person_or_sign_in};
use crate::flash::{self, Flash, Form};
use crate::request::Request;

pub const EMAIL_FORM: &str = "email";
pub const CONFIRM_EMAIL_FORM: &str = "confirm_email";
pub const KEEP_EMAIL_FORM: &str = "keep_email";

#[server(prefix = "/do", endpoint = "change-email")]
pub async fn change_email(email: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(fresh) = fresh_or_confirm(&request, paths::CHANGE_EMAIL).await else { return Ok(()) };
    let form = Form::new(EMAIL_FORM, &[("email", &email)], FieldErrors::default()).refused_beside("email");
    let outcome = async {
        let new = Email::parse("email", &email).map_err(Error::Invalid)?;
        let said = check_your_mail(new.as_str());
        email::change(request.ctx(), &fresh, new, &request.origin()).await?;
        flash::leave(&request, Flash::Done(said)).await?;
        Ok(paths::ACCOUNT.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::CHANGE_EMAIL, form, outcome).await;
    Ok(())
}

#[server(prefix = "/do", endpoint = "send-confirmation")]
pub async fn send_confirmation() -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(person) = person_or_sign_in(&request).await else { return Ok(()) };
    let outcome = async {
        let said = check_your_mail(email::send_again(request.ctx(), &person).await?);
        flash::leave(&request, Flash::Done(said)).await?;
        Ok(paths::ACCOUNT.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::ACCOUNT, Form::default(), outcome).await;
    Ok(())
}

#[server(prefix = "/do", endpoint = "stay-with-email")]
pub async fn stay_with_email() -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(person) = person_or_sign_in(&request).await else { return Ok(()) };
    let outcome = async {
        email::stay(request.ctx(), &person).await?;
        flash::leave(&request, Flash::Done("Your address stays as it is.".to_owned())).await?;
        Ok(paths::ACCOUNT.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::ACCOUNT, Form::default(), outcome).await;
    Ok(())
}

/// From the page behind a link. The password is asked of whoever isn't signed in as the one whose link it is.
#[server(prefix = "/do", endpoint = "confirm-email")]
pub async fn confirm_email(token: String, #[server(default)] password: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(CONFIRM_EMAIL_FORM, &[], FieldErrors::default()).refused_beside("password");
    let outcome = async {
        let token = token_of(&token)?;
        match request.person().await? {
            Some(person) if password.is_empty() => {
                email::confirm_here(request.ctx(), &person, &token, request.session_hash()?, &request.origin()).await?;
                flash::leave(&request, Flash::Done("Thank you. Your address is confirmed.".to_owned())).await?;
                Ok(paths::ACCOUNT.to_owned())
            }
            _ if password.is_empty() => Err(Error::Invalid(FieldErrors::one("password", "Enter your password."))),
            _ => {
                let password = SecretString::from(password);
                email::confirm_elsewhere(request.ctx(), &token, password, &request.origin()).await?;
                flash::leave(
                    &request,
                    Flash::Done("Thank you. Your address is confirmed. Sign in with it.".to_owned()),
                )
                .await?;
                Ok(paths::SIGN_IN.to_owned())
            }
        }
    };
    let outcome = outcome.await;
    answer(&request, &paths::with_token(paths::CONFIRM_EMAIL, &token), form, outcome).await;
    Ok(())
}

#[server(prefix = "/do", endpoint = "keep-email")]
pub async fn keep_email(token: String, new: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(KEEP_EMAIL_FORM, &[], FieldErrors::default());
    let outcome = async {
        let new = NewPassword::parse("new", &new).map_err(Error::Invalid)?;
        email::take_back(request.ctx(), &token_of(&token)?, new, &request.origin()).await?;
        request.end_session().await?;
        let said = "Your address is yours again, and everybody was signed out. Sign in with your new password.";
        flash::leave(&request, Flash::Done(said.to_owned())).await?;
        Ok(paths::SIGN_IN.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, &paths::with_token(paths::KEEP_EMAIL, &token), form, outcome).await;
    Ok(())
}

pub(super) fn check_your_mail(address: &str) -> String {
    format!("Check your mail: a link is on its way to {address}.")
}
