//! What is done about an event that did not fit or failed.

use atlas::audit::Reason;
use atlas::events::{Received, link, resolve};
use atlas::{Error, Result};
use domain::{EventId, FieldErrors, OrderId, paths};
use leptos::prelude::*;

use crate::actions::answer;
use crate::actions::session::both;
use crate::flash::{self, Flash, Form};
use crate::request::Request;
use crate::words;

pub const DISMISS_FORM: &str = "dismiss-event";
pub const LINK_FORM: &str = "link-event";

#[server(prefix = "/do/admin", endpoint = "replay-event")]
pub async fn replay_event(event: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let outcome = replay(&request, &event).await;
    answer(&request, &page_of(&event), Form::default(), outcome).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "dismiss-event")]
pub async fn dismiss_event(event: String, reason: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(DISMISS_FORM, &[("reason", &reason)], FieldErrors::default());
    let outcome = dismiss(&request, &event, &reason).await;
    answer(&request, &page_of(&event), form, outcome).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "link-event")]
pub async fn link_event(event: String, order: String, reason: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let values = [("order", &*order), ("reason", &*reason)];
    let form = Form::new(LINK_FORM, &values, FieldErrors::default()).refused_beside("order");
    let outcome = link_to(&request, &event, &order, &reason).await;
    answer(&request, &page_of(&event), form, outcome).await;
    Ok(())
}

async fn replay(request: &Request, event: &str) -> Result<String> {
    let admin = request.admin().await?;
    let event: EventId = event.parse().map_err(|_| Error::NotFound)?;
    let received = resolve::replay_by(request.ctx(), &admin, &request.origin(), event).await?;
    let flash = match received {
        Received::Applied | Received::Duplicate | Received::Ignored => Flash::Done(words::replayed(&received)),
        Received::Waiting | Received::Quarantined(_) | Received::Parked => Flash::Refused(words::replayed(&received)),
    };
    flash::leave(request, flash).await?;
    Ok(paths::admin_event(event))
}

async fn dismiss(request: &Request, event: &str, reason: &str) -> Result<String> {
    let admin = request.admin().await?;
    let event: EventId = event.parse().map_err(|_| Error::NotFound)?;
    let reason = Reason::parse("reason", reason).map_err(Error::Invalid)?;
    resolve::dismiss(request.ctx(), &admin, &request.origin(), event, &reason).await?;
    flash::leave(request, Flash::Done("The event is put away. It moved nothing.".to_owned())).await?;
    Ok(paths::admin_event(event))
}

async fn link_to(request: &Request, event: &str, order: &str, reason: &str) -> Result<String> {
    let admin = request.admin().await?;
    let event: EventId = event.parse().map_err(|_| Error::NotFound)?;
    let Some(fresh) = request.fresh(admin.person()).await? else {
        return Ok(paths::confirm(&paths::admin_event(event)));
    };
    let unknown = || FieldErrors::one("order", "There is no order with this id. Copy it whole from the order’s page.");
    let order = order.trim().parse::<OrderId>().map_err(|_| unknown());
    let (order, reason) = both(order, Reason::parse("reason", reason))?;
    match link::link(request.ctx(), &admin, &fresh, &request.origin(), event, order, &reason).await {
        Err(Error::NotFound) => return Err(Error::Invalid(unknown())),
        linked => linked?,
    }
    let said = "The payment counts for this order now, and its credits are given.".to_owned();
    flash::leave(request, Flash::Done(said)).await?;
    Ok(paths::admin_order(order))
}

/// Where the form was; the list, if there is no such event.
fn page_of(event: &str) -> String {
    event.parse().map_or_else(|_| paths::ADMIN_EVENTS.to_owned(), paths::admin_event)
}
