//! What people change: plain form posts, each parsed, carried out by one verb of the core, and answered with a redirect.

pub mod account;
pub mod admin;
pub mod buy;
pub mod confirm;
pub mod email;
pub mod leave;
pub mod licence;
pub mod reset;
pub mod second_factor;
pub mod session;
pub mod sessions;
pub mod set_up;
pub mod theme;
pub mod whop;

use atlas::people::SignedIn;
use atlas::people::fresh::Fresh;
use atlas::{Error, Result};
use axum::http::{StatusCode, header};
use domain::{FieldErrors, paths};

use crate::flash::{self, Flash, Form};
use crate::request::{Request, see_other, set_header, set_status};

/// Registers every action with the server. A crate that is only linked might lose them.
pub fn register() {
    use leptos::server_fn::axum::register_explicit;
    register_explicit::<session::SignIn>();
    register_explicit::<session::SignUp>();
    register_explicit::<session::SignOut>();
    register_explicit::<confirm::ConfirmPerson>();
    register_explicit::<second_factor::EnterCode>();
    register_explicit::<second_factor::BeginSecondFactor>();
    register_explicit::<second_factor::FinishSecondFactor>();
    register_explicit::<second_factor::RemoveSecondFactor>();
    register_explicit::<reset::AskForReset>();
    register_explicit::<reset::ResetPassword>();
    register_explicit::<email::ChangeEmail>();
    register_explicit::<email::SendConfirmation>();
    register_explicit::<email::StayWithEmail>();
    register_explicit::<email::ConfirmEmail>();
    register_explicit::<email::KeepEmail>();
    register_explicit::<buy::BuyCredits>();
    register_explicit::<buy::RequestCredits>();
    register_explicit::<account::RenamePerson>();
    register_explicit::<account::ChangePassword>();
    register_explicit::<sessions::EndSession>();
    register_explicit::<sessions::EndOtherSessions>();
    register_explicit::<licence::EnterLicence>();
    register_explicit::<whop::LinkWhop>();
    register_explicit::<whop::UnlinkWhop>();
    register_explicit::<whop::ConfirmWithWhop>();
    register_explicit::<leave::DeleteAccount>();
    register_explicit::<theme::ChooseTheme>();
    register_explicit::<set_up::EnterSetUp>();
    register_explicit::<set_up::StoreWhopKeys>();
    register_explicit::<set_up::MakeWebhook>();
    register_explicit::<set_up::AddPlans>();
    register_explicit::<set_up::MakeFirstAdmin>();
    admin::register();
}

/// Answers an action: on to where it leads, or back to `page` with what is wrong. Nothing of an error reaches the
/// address; the cause goes to the log.
async fn answer(request: &Request, page: &str, form: Form, outcome: Result<String>) {
    let retry_after = match &outcome {
        Err(Error::Refused(refusal)) => refusal.retry_after(),
        _ => None,
    };
    let flash = match outcome {
        Ok(location) => {
            if location.starts_with(paths::CONFIRM) && !form.values.is_empty() {
                kept(request, flash::keep(request, form).await);
            }
            see_other(&location);
            return;
        }
        Err(Error::Invalid(errors)) => Flash::Mend(Form { errors, ..form }),
        Err(Error::Refused(refusal)) => match form.refused_beside {
            Some(field) => Flash::Mend(Form { errors: FieldErrors::one(field, refusal.to_string()), ..form }),
            None => Flash::Refused(refusal.to_string()),
        },
        Err(Error::NotFound) => Flash::Refused("That doesn’t exist (any more). Nothing was changed.".to_owned()),
        Err(Error::Forbidden) => Flash::Refused("Your account may not do this. Nothing was changed.".to_owned()),
        Err(error @ Error::Unavailable(_)) => {
            tracing::error!(request.id = request.id(), error = ?error, "an action could not reach what it needs");
            Flash::Refused("We can’t do this just now. Please try again in a minute.".to_owned())
        }
        Err(error @ Error::Broken(_)) => {
            tracing::error!(request.id = request.id(), error = ?error, "an action failed");
            Flash::Refused(format!(
                "Something went wrong on our side. If it stays, tell us this number: {}",
                request.id()
            ))
        }
    };
    kept(request, flash::leave(request, flash).await);
    see_other(page);
    if let Some(seconds) = retry_after {
        // The server draws the page at once, under this status, instead of sending the visitor there.
        set_status(StatusCode::TOO_MANY_REQUESTS);
        set_header(header::RETRY_AFTER, &seconds.to_string());
    }
}

/// What was done is done, even where the next page can't tell of it.
fn kept(request: &Request, left: Result<()>) {
    if let Err(error) = left {
        tracing::error!(request.id = request.id(), error = ?error, "a message for the next page was lost");
    }
}

/// The person who sent a form, or the way to sign in, or to set up the second factor that they need first.
async fn person_or_sign_in(request: &Request) -> Option<SignedIn> {
    let person = anybody_or_sign_in(request).await?;
    if matches!(request.person().await, Ok(Some(_))) {
        return Some(person);
    }
    see_other(paths::SECOND_FACTOR);
    None
}

/// The same, be they signed in only to set up their second factor.
async fn anybody_or_sign_in(request: &Request) -> Option<SignedIn> {
    match request.visitor().await {
        Ok(visitor) => {
            let person = visitor.anybody().cloned();
            if person.is_none() {
                see_other(paths::SIGN_IN);
            }
            person
        }
        Err(error) => {
            unreadable(request, &error);
            None
        }
    }
}

/// Proof that whoever sent a form confirmed a moment ago that it is them, or the way to do so and back to `page`. Those who are
/// signed in only to set up their second factor may do just that.
async fn fresh_or_confirm(request: &Request, page: &str) -> Option<Fresh> {
    let person = match page {
        paths::SECOND_FACTOR => anybody_or_sign_in(request).await?,
        _ => person_or_sign_in(request).await?,
    };
    match request.fresh(&person).await {
        Ok(Some(fresh)) => Some(fresh),
        Ok(None) => {
            see_other(&paths::confirm(page));
            None
        }
        Err(error) => {
            unreadable(request, &error);
            None
        }
    }
}

fn unreadable(request: &Request, error: &Error) {
    tracing::error!(request.id = request.id(), error = ?error, "a session could not be read");
    set_status(StatusCode::SERVICE_UNAVAILABLE);
}
