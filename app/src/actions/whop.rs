//! Going out to Whop for more than a sign-in: to link an account there, or to confirm with it. These take a form, unlike signing
//! in: nobody may be led into them by a link on another page.

use atlas::people::identities::unlink;
use atlas::people::oauth::begin::{Asking, Begun, begin};
use atlas::{Error, Result};
use domain::paths;
use leptos::prelude::*;

use super::session::next_path;
use super::{answer, person_or_sign_in};
use crate::flash::{self, Flash, Form};
use crate::request::{Request, see_other};

#[server(prefix = "/do", endpoint = "link-whop")]
pub async fn link_whop() -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(person) = person_or_sign_in(&request).await else { return Ok(()) };
    let begun = async {
        let Some(fresh) = request.fresh(&person).await? else { return Ok(None) };
        let session = request.session_hash()?;
        out(&request, Asking::Link(&fresh, session), paths::ACCOUNT).await.map(Some)
    };
    match begun.await {
        Ok(None) => see_other(&paths::confirm(paths::ACCOUNT)),
        Ok(Some(begun)) => request.send_out(&begun),
        Err(error) => answer(&request, paths::ACCOUNT, Form::default(), Err(error)).await,
    }
    Ok(())
}

#[server(prefix = "/do", endpoint = "unlink-whop")]
pub async fn unlink_whop(identity: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(person) = person_or_sign_in(&request).await else { return Ok(()) };
    let outcome = async {
        let Some(fresh) = request.fresh(&person).await? else { return Ok(paths::confirm(paths::ACCOUNT)) };
        let identity = identity.parse().map_err(|_| Error::NotFound)?;
        unlink(request.ctx(), &fresh, identity, &request.origin()).await?;
        // This session may have been begun with it; then it is over, and another one goes on.
        if request.grant().await?.is_some() {
            request.begin_session(&person).await?;
        }
        flash::leave(&request, Flash::Done("Whop is unlinked. You sign in with your password now.".to_owned())).await?;
        Ok(paths::ACCOUNT.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::ACCOUNT, Form::default(), outcome).await;
    Ok(())
}

#[server(prefix = "/do", endpoint = "confirm-with-whop")]
pub async fn confirm_with_whop(return_to: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(person) = person_or_sign_in(&request).await else { return Ok(()) };
    let return_to = next_path(&return_to);
    let begun = async {
        let session = request.session_hash()?;
        out(&request, Asking::Confirm(&person, session), &return_to).await
    };
    match begun.await {
        Ok(begun) => request.send_out(&begun),
        Err(error) => answer(&request, &paths::confirm(&return_to), Form::default(), Err(error)).await,
    }
    Ok(())
}

async fn out(request: &Request, asking: Asking<'_>, return_to: &str) -> Result<Begun> {
    let oauth = request.ctx().whop_oauth.as_ref().ok_or(Error::NotFound)?;
    begin(request.ctx(), oauth, asking, return_to, request.address()).await
}
