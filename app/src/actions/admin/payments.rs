//! Stopping checkouts, and letting them go on.

use atlas::Result;
use atlas::settings::{self, Message};
use domain::{FieldErrors, paths};
use leptos::prelude::*;

use crate::actions::answer;
use crate::flash::{self, Flash, Form};
use crate::request::Request;

pub const STOP_FORM: &str = "stop-payments";

#[server(prefix = "/do/admin", endpoint = "stop-payments")]
pub async fn stop_payments(message: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(STOP_FORM, &[("message", &message)], FieldErrors::default());
    let outcome = stop(&request, &message).await;
    answer(&request, paths::ADMIN_SETTINGS, form, outcome).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "start-payments")]
pub async fn start_payments() -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let outcome = start(&request).await;
    answer(&request, paths::ADMIN_SETTINGS, Form::default(), outcome).await;
    Ok(())
}

async fn stop(request: &Request, message: &str) -> Result<String> {
    let admin = request.admin().await?;
    if request.fresh(admin.person()).await?.is_none() {
        return Ok(paths::confirm(paths::ADMIN_SETTINGS));
    }
    let message = Message::parse("message", message).map_err(atlas::Error::Invalid)?;
    settings::stop_payments(request.ctx(), &admin.by(&request.origin()), &message).await?;
    flash::leave(request, Flash::Done("Payments are stopped, everywhere within a second.".to_owned())).await?;
    Ok(paths::ADMIN_SETTINGS.to_owned())
}

async fn start(request: &Request) -> Result<String> {
    let admin = request.admin().await?;
    if request.fresh(admin.person()).await?.is_none() {
        return Ok(paths::confirm(paths::ADMIN_SETTINGS));
    }
    settings::start_payments(request.ctx(), &admin.by(&request.origin())).await?;
    flash::leave(request, Flash::Done("Payments go on.".to_owned())).await?;
    Ok(paths::ADMIN_SETTINGS.to_owned())
}
