//! A new password by mail.

use atlas::Error;
use atlas::people::links::Token;
use atlas::people::password::NewPassword;
use atlas::people::register::Email;
use atlas::people::reset;
use atlas::{Refusal, Result};
use domain::{FieldErrors, paths};
use leptos::prelude::*;

use super::answer;
use crate::flash::{self, Flash, Form};
use crate::request::Request;

pub const FORGOT_FORM: &str = "forgot";
pub const RESET_FORM: &str = "reset";

#[server(prefix = "/do", endpoint = "forgot-password")]
pub async fn ask_for_reset(email: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(FORGOT_FORM, &[("email", &email)], FieldErrors::default()).refused_beside("email");
    let outcome = async {
        let email = Email::parse("email", &email).map_err(Error::Invalid)?;
        reset::ask(request.ctx(), &email, &request.origin()).await?;
        let said = format!(
            "Check your mail. If there is an account with {}, a link is on its way there; it works for 20 minutes.",
            email.as_str()
        );
        flash::leave(&request, Flash::Done(said)).await?;
        Ok(paths::FORGOT_PASSWORD.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::FORGOT_PASSWORD, form, outcome).await;
    Ok(())
}

#[server(prefix = "/do", endpoint = "reset-password")]
pub async fn reset_password(token: String, new: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(RESET_FORM, &[], FieldErrors::default());
    let outcome = async {
        let new = NewPassword::parse("new", &new).map_err(Error::Invalid)?;
        reset::reset(request.ctx(), &token_of(&token)?, new, &request.origin()).await?;
        // Whoever is signed in here is so no more: it may be their own account.
        request.end_session().await?;
        flash::leave(&request, Flash::Done("Your new password is set. Sign in with it.".to_owned())).await?;
        Ok(paths::SIGN_IN.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, &paths::with_token(paths::RESET_PASSWORD, &token), form, outcome).await;
    Ok(())
}

/// What stands at the end of a link, as it came.
pub(super) fn token_of(text: &str) -> Result<Token> {
    Token::parse(text).ok_or_else(|| Refusal::LinkIsOver.into())
}
