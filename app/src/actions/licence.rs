//! Entering a licence key.

use atlas::Error;
use atlas::memberships::licence::{LicenceKey, bind};
use domain::{FieldErrors, paths};
use leptos::prelude::*;

use super::{answer, person_or_sign_in};
use crate::flash::{self, Flash, Form};
use crate::request::Request;

pub const LICENCE_FORM: &str = "licence";

/// What was typed is not kept: whoever has a key has what it stands for.
#[server(prefix = "/do", endpoint = "enter-licence")]
pub async fn enter_licence(licence: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(person) = person_or_sign_in(&request).await else { return Ok(()) };
    let form = Form::new(LICENCE_FORM, &[], FieldErrors::default()).refused_beside("licence");
    let outcome = async {
        bind(request.ctx(), &person, LicenceKey::parse("licence", &licence).map_err(Error::Invalid)?).await?;
        flash::leave(&request, Flash::Done("Your membership is known now. You can buy credits.".to_owned())).await?;
        Ok(paths::ACCOUNT.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::ACCOUNT, form, outcome).await;
    Ok(())
}
