//! Work that was given up, tried again.

use atlas::jobs::list;
use atlas::{Error, Result};
use domain::paths;
use leptos::prelude::*;

use crate::actions::answer;
use crate::flash::{self, Flash, Form};
use crate::request::Request;

#[server(prefix = "/do/admin", endpoint = "retry-job")]
pub async fn retry_job(job: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let outcome = retry(&request, &job).await;
    answer(&request, paths::ADMIN_EVENTS, Form::default(), outcome).await;
    Ok(())
}

async fn retry(request: &Request, job: &str) -> Result<String> {
    let admin = request.admin().await?;
    let job = job.parse().map_err(|_| Error::NotFound)?;
    list::retry_by(request.ctx(), &admin, &request.origin(), job).await?;
    flash::leave(request, Flash::Done("The job is tried again at once.".to_owned())).await?;
    Ok(paths::ADMIN_EVENTS.to_owned())
}
