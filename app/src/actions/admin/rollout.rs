//! Who pays at Whop and who orders by request: the default, and the gradual rollout.

use atlas::Result;
use atlas::audit::Reason;
use atlas::settings::rollout::{self, Percent, parse_provider};
use domain::{FieldErrors, paths};
use leptos::prelude::*;

use crate::actions::answer;
use crate::actions::session::both;
use crate::flash::{self, Flash, Form};
use crate::request::Request;

pub const DEFAULT_FORM: &str = "default-provider";
pub const ROLLOUT_FORM: &str = "rollout";

#[server(prefix = "/do/admin", endpoint = "set-default-provider")]
pub async fn set_default_provider(provider: String, reason: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let values = [("provider", &*provider), ("reason", &*reason)];
    let form = Form::new(DEFAULT_FORM, &values, FieldErrors::default());
    let outcome = set_default(&request, &provider, &reason).await;
    answer(&request, paths::ADMIN_SETTINGS, form, outcome).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "set-rollout")]
pub async fn set_rollout(percent: String, reason: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let values = [("percent", &*percent), ("reason", &*reason)];
    let form = Form::new(ROLLOUT_FORM, &values, FieldErrors::default());
    let outcome = set_percent(&request, &percent, &reason).await;
    answer(&request, paths::ADMIN_SETTINGS, form, outcome).await;
    Ok(())
}

async fn set_default(request: &Request, provider: &str, reason: &str) -> Result<String> {
    let admin = request.admin().await?;
    if request.fresh(admin.person()).await?.is_none() {
        return Ok(paths::confirm(paths::ADMIN_SETTINGS));
    }
    let (provider, reason) = both(parse_provider("provider", provider), Reason::parse("reason", reason))?;
    rollout::set_default(request.ctx(), &admin.by(&request.origin()), provider, &reason).await?;
    let said = format!("The default is {} now, everywhere within a second.", provider.title());
    flash::leave(request, Flash::Done(said)).await?;
    Ok(paths::ADMIN_SETTINGS.to_owned())
}

async fn set_percent(request: &Request, percent: &str, reason: &str) -> Result<String> {
    let admin = request.admin().await?;
    if request.fresh(admin.person()).await?.is_none() {
        return Ok(paths::confirm(paths::ADMIN_SETTINGS));
    }
    let percent = match percent.trim() {
        "" => Ok(None),
        given => Percent::parse("percent", given).map(Some),
    };
    let (percent, reason) = both(percent, Reason::parse("reason", reason))?;
    rollout::set_rollout(request.ctx(), &admin.by(&request.origin()), percent, &reason).await?;
    let said = match percent {
        Some(percent) => format!("{} % of all people are on Whop, everywhere within a second.", percent.get()),
        None => "The rollout is over: the default holds for everybody, everywhere within a second.".to_owned(),
    };
    flash::leave(request, Flash::Done(said)).await?;
    Ok(paths::ADMIN_SETTINGS.to_owned())
}
