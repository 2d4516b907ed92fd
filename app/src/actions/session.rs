//! Signing up, in and out.

use atlas::limits::{self, SIGN_UP_BY_ADDRESS};
use atlas::people::half::Entrance;
use atlas::people::password::NewPassword;
use atlas::people::register::{Email, register};
use atlas::people::sign_in::sign_in as check_credentials;
use atlas::{Error, Result};
use axum::http::HeaderName;
use domain::{FieldErrors, paths};
use leptos::prelude::*;
use secrecy::SecretString;

use super::answer;
use super::email::check_your_mail;
use crate::flash::{self, Flash, Form};
use crate::request::{Request, see_other, set_header};

pub const SIGN_IN_FORM: &str = "sign_in";
pub const SIGN_UP_FORM: &str = "sign_up";

#[server(prefix = "/do", endpoint = "sign-in")]
pub async fn sign_in(email: String, password: String, next: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(SIGN_IN_FORM, &[("email", &email)], FieldErrors::default()).refused_beside("password");
    let outcome = async {
        let mut errors = FieldErrors::default();
        if email.trim().is_empty() {
            errors.add("email", "Enter your email address.");
        }
        if password.is_empty() {
            errors.add("password", "Enter your password.");
        }
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        match check_credentials(request.ctx(), &email, SecretString::from(password), &request.knock()).await? {
            Entrance::Whole(person) => {
                request.begin_session(&person).await?;
                request.remember_device(&person).await?;
                Ok(next_path(&next))
            }
            Entrance::Half(half) => {
                request.begin_half(half).await?;
                Ok(form_path(paths::SIGN_IN_CODE, &next))
            }
        }
    };
    let outcome = outcome.await;
    answer(&request, &form_path(paths::SIGN_IN, &next), form, outcome).await;
    Ok(())
}

#[server(prefix = "/do", endpoint = "sign-up")]
pub async fn sign_up(email: String, password: String, next: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(SIGN_UP_FORM, &[("email", &email)], FieldErrors::default());
    let outcome = async {
        let (email, password) = both(Email::parse("email", &email), NewPassword::parse("password", &password))?;
        limits::take(request.ctx(), &SIGN_UP_BY_ADDRESS, &limits::by_address(request.address())).await?;
        let person = register(request.ctx(), email, password, &request.origin()).await?;
        request.begin_session(&person).await?;
        request.remember_device(&person).await?;
        // The same for everybody, whoever has the address: the mail differs (T47).
        flash::leave(&request, Flash::Done(check_your_mail(person.email()))).await?;
        Ok(next_path(&next))
    };
    let outcome = outcome.await;
    answer(&request, &form_path(paths::SIGN_UP, &next), form, outcome).await;
    Ok(())
}

#[server(prefix = "/do", endpoint = "sign-out")]
pub async fn sign_out() -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    if let Err(error) = request.end_session().await {
        tracing::error!(request.id = request.id(), error = ?error, "a session could not be ended");
    }
    see_other(paths::HOME);
    // The way back must not show what was private (T62).
    set_header(HeaderName::from_static("clear-site-data"), "\"cache\"");
    Ok(())
}

/// Both values, or everything that is wrong with either.
pub(super) fn both<A, B>(a: Result<A, FieldErrors>, b: Result<B, FieldErrors>) -> Result<(A, B)> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (a, b) => {
            let mut errors = FieldErrors::default();
            for found in [a.err(), b.err()].into_iter().flatten() {
                for (field, message) in found.iter() {
                    errors.add(field, message);
                }
            }
            Err(Error::Invalid(errors))
        }
    }
}

/// Where to go once signed in: only to a path of ours (T50).
pub fn next_path(next: &str) -> String {
    if paths::is_local(next) { next.to_owned() } else { paths::CREDITS.to_owned() }
}

/// A form's own page, still knowing where to go afterwards.
pub(super) fn form_path(page: &str, next: &str) -> String {
    let next = next_path(next);
    if next == paths::CREDITS { page.to_owned() } else { paths::with_next(page, &next) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_ours_are_followed() {
        assert_eq!(next_path("/transactions?direction=in"), "/transactions?direction=in");
        for foreign in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\nb", "/a:b@c"]
        {
            assert_eq!(next_path(foreign), paths::CREDITS, "{foreign:?}");
        }
    }
}
