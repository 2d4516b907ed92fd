//! Leaving for good.

use atlas::people::erase::erase;
use atlas::{Error, Refusal};
use axum::http::HeaderName;
use domain::{Credits, paths};
use leptos::prelude::*;

use super::{answer, fresh_or_confirm};
use crate::flash::{self, Flash, Form};
use crate::request::{Request, set_header};

/// `credits`: what the page said will be lost.
#[server(prefix = "/do", endpoint = "delete-account")]
pub async fn delete_account(credits: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(fresh) = fresh_or_confirm(&request, paths::ACCOUNT_DELETE).await else { return Ok(()) };
    let outcome = async {
        let credits = Credits::new(credits.parse().map_err(|_| Refusal::FormIncomplete)?);
        erase(request.ctx(), &fresh, credits, &request.origin()).await?;
        // Nothing of it is to stay, but a word for whoever sits here.
        request.session()?.flush().await.map_err(Error::unavailable)?;
        flash::leave(&request, Flash::Done("Your account is deleted. Thank you for having been here.".to_owned()))
            .await?;
        set_header(HeaderName::from_static("clear-site-data"), "\"cache\"");
        Ok(paths::SIGN_IN.to_owned())
    };
    let outcome = outcome.await;
    answer(&request, paths::ACCOUNT_DELETE, Form::default(), outcome).await;
    Ok(())
}
