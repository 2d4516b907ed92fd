//! Buying credits, and requesting those that aren’t paid for at a checkout.

use atlas::orders::begin::may_begin;
use atlas::orders::checkout::{self, Started};
use atlas::orders::request::{Note, submit};
use atlas::orders::{Choice, FormKey};
use atlas::{Error, Refusal, Result};
use domain::{FieldErrors, PlanId, paths};
use leptos::prelude::*;

use super::{answer, person_or_sign_in};
use crate::flash::Form;
use crate::request::Request;

pub const REQUEST_FORM: &str = "request";

/// The argument list is all that a browser can say: no price, no credits, no user. The currency has to be one of the plan's.
#[server(prefix = "/do", endpoint = "buy-credits")]
pub async fn buy_credits(plan: String, #[server(default)] currency: String, key: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(person) = person_or_sign_in(&request).await else { return Ok(()) };
    let outcome = async {
        may_begin(request.ctx(), &person, request.address()).await?;
        let started = checkout::start(request.ctx(), &person, choice(&plan, &currency)?, form_key(&key)?).await?;
        Ok(match started {
            Started::Checkout(url) => url,
            Started::Order(order) => paths::payment_status(order),
        })
    };
    let outcome = outcome.await;
    answer(&request, paths::CREDITS, Form::default(), outcome).await;
    Ok(())
}

#[server(prefix = "/do", endpoint = "request-credits")]
pub async fn request_credits(
    plan: String,
    #[server(default)] currency: String,
    note: String,
    key: String,
) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let Some(person) = person_or_sign_in(&request).await else { return Ok(()) };
    let form = Form::new(REQUEST_FORM, &[("plan", &plan), ("note", &note)], FieldErrors::default());
    let outcome = async {
        let note = Note::parse("note", &note).map_err(Error::Invalid)?;
        may_begin(request.ctx(), &person, request.address()).await?;
        let order = submit(request.ctx(), &person, choice(&plan, &currency)?, note, form_key(&key)?).await?;
        Ok(paths::payment_status(order))
    };
    let outcome = outcome.await;
    answer(&request, paths::CREDITS, form, outcome).await;
    Ok(())
}

/// A plan id that is none names a plan that isn't on sale. Without a currency it is the plan's main one.
fn choice(plan: &str, currency: &str) -> Result<Choice> {
    let plan: PlanId = plan.parse().map_err(|_| Refusal::PlanNotOnSale)?;
    let currency = match currency {
        "" => None,
        code => Some(code.parse().map_err(|_| Refusal::FormIncomplete)?),
    };
    Ok(Choice { plan, currency })
}

fn form_key(text: &str) -> Result<FormKey> {
    FormKey::parse("key", text).map_err(|_| Refusal::FormIncomplete.into())
}
