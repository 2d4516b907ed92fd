//! Setting Atlas up while it has no admin: each step is a form of its own.

use atlas::people::account::Name;
use atlas::people::password::NewPassword;
use atlas::people::register::Email;
use atlas::set_up::first_admin::{self, NewAdmin};
use atlas::set_up::whop::{Given, Typed, create_webhook, store_keys};
use atlas::set_up::{Installer, code};
use atlas::{Error, Result, limits, plans};
use domain::{FieldErrors, paths};
use leptos::prelude::*;

use super::answer;
use super::session::both;
use crate::flash::{self, Flash, Form};
use crate::request::Request;

pub const CODE_FORM: &str = "set-up-code";
pub const KEYS_FORM: &str = "set-up-keys";
pub const WEBHOOK_FORM: &str = "set-up-webhook";
pub const ADMIN_FORM: &str = "set-up-admin";

#[server(prefix = "/do/set-up", endpoint = "enter")]
pub async fn enter_set_up(code: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(CODE_FORM, &[], FieldErrors::default()).refused_beside("code");
    let outcome = async {
        let address = limits::by_address(request.address());
        let generation = code::enter(request.ctx(), &code, &request.origin(), &address).await?;
        request.begin_set_up(generation).await?;
        Ok(paths::SET_UP.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::SET_UP, form, outcome).await;
    Ok(())
}

#[server(prefix = "/do/set-up", endpoint = "whop-keys")]
pub async fn store_whop_keys(api_key: String, company_id: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(KEYS_FORM, &[("company_id", &company_id)], FieldErrors::default());
    let outcome = async {
        let (installer, given) = (installer(&request).await?, given(&request)?);
        let typed = Typed::parse(given, &api_key, &company_id).map_err(Error::Invalid)?;
        store_keys(request.ctx(), &installer, &request.origin(), given, typed).await?;
        done(&request, "Whop knows the key. It is stored, encrypted.").await
    };
    let outcome = outcome.await;
    answer(&request, paths::SET_UP, form, outcome).await;
    Ok(())
}

#[server(prefix = "/do/set-up", endpoint = "webhook")]
pub async fn make_webhook() -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(WEBHOOK_FORM, &[], FieldErrors::default());
    let outcome = async {
        let (installer, given) = (installer(&request).await?, given(&request)?);
        create_webhook(request.ctx(), &installer, &request.origin(), given).await?;
        done(
            &request,
            "Whop made the webhook. Its secret is stored, encrypted; Atlas takes deliveries within a second.",
        )
        .await
    };
    let outcome = outcome.await;
    answer(&request, paths::SET_UP, form, outcome).await;
    Ok(())
}

#[server(prefix = "/do/set-up", endpoint = "plans")]
pub async fn add_plans() -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let outcome = async {
        installer(&request).await?;
        let added = plans::defaults::add_missing(request.ctx()).await?;
        done(&request, &format!("{added} plans were added. What they cost and hold is changed in the administration."))
            .await
    };
    let outcome = outcome.await;
    answer(&request, paths::SET_UP, Form::default(), outcome).await;
    Ok(())
}

#[server(prefix = "/do/set-up", endpoint = "first-admin")]
pub async fn make_first_admin(name: String, email: String, password: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(ADMIN_FORM, &[("name", &name), ("email", &email)], FieldErrors::default());
    let outcome = make_admin(&request, &name, &email, &password).await;
    answer(&request, paths::SET_UP, form, outcome).await;
    Ok(())
}

async fn make_admin(request: &Request, name: &str, email: &str, password: &str) -> Result<String> {
    let installer = installer(request).await?;
    let typed = both(Email::parse("email", email), NewPassword::parse("password", password));
    let (name, (email, password)) = match (Name::parse("name", name), typed) {
        (Ok(name), Ok(typed)) => (name, typed),
        (Err(mut errors), Err(Error::Invalid(others))) => {
            others.iter().for_each(|(field, message)| errors.add(field, message));
            return Err(Error::Invalid(errors));
        }
        (Err(errors), _) => return Err(Error::Invalid(errors)),
        (_, Err(error)) => return Err(error),
    };
    let new = NewAdmin { name, email, password };
    let given = request.site().whop.as_ref();
    let admin = first_admin::make(request.ctx(), &installer, &request.origin(), given, new).await?;
    request.begin_session(&admin).await?;
    request.remember_device(&admin).await?;
    let words = "You are the first admin. Try a purchase: buy the smallest plan, watch the credits arrive, and refund it at Whop.";
    flash::leave(request, Flash::Done(words.to_owned())).await?;
    Ok(paths::CREDITS.to_owned())
}

/// Errors: [`Error::NotFound`] for whoever did not enter the present code, and for everybody once there is an admin.
async fn installer(request: &Request) -> Result<Installer> {
    request.installer().await?.ok_or(Error::NotFound)
}

/// Errors: [`Error::NotFound`] where nothing is sold at Whop.
fn given(request: &Request) -> Result<&Given> {
    request.site().whop.as_ref().ok_or(Error::NotFound)
}

async fn done(request: &Request, words: &str) -> Result<String> {
    flash::leave(request, Flash::Done(words.to_owned())).await?;
    Ok(paths::SET_UP.to_owned())
}
