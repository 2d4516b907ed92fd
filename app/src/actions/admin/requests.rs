//! What admins decide: requests, approved or rejected.

use atlas::audit::Reason;
use atlas::orders::answer::{Answer, Outcome, answer as answer_requests};
use atlas::{Error, Result};
use domain::{Credits, FieldErrors, OrderId, paths};
use leptos::prelude::*;

use crate::actions::answer;
use crate::flash::{self, Flash, Form};
use crate::request::Request;
use crate::words;

pub const ANSWER_FORM: &str = "answer";

/// What was pressed; both buttons send the same form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pressed {
    Approve,
    Reject,
}

#[server(prefix = "/do/admin", endpoint = "approve-requests")]
pub async fn approve_requests(orders: String, credits: String, reason: String) -> Result<(), ServerFnError> {
    decide(Pressed::Approve, &orders, &credits, &reason).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "reject-requests")]
pub async fn reject_requests(orders: String, credits: String, reason: String) -> Result<(), ServerFnError> {
    decide(Pressed::Reject, &orders, &credits, &reason).await;
    Ok(())
}

async fn decide(pressed: Pressed, orders: &str, credits: &str, reason: &str) {
    let Ok(request) = Request::current() else { return };
    let chosen: Vec<OrderId> = orders.split(',').filter_map(|id| id.parse().ok()).collect();
    let form = Form::new(ANSWER_FORM, &[("credits", credits), ("reason", reason)], FieldErrors::default());
    let outcome = carry_out(&request, pressed, &chosen, credits, reason).await;
    answer(&request, &paths::admin_answer(&chosen), form, outcome).await;
}

/// `credits`: nothing, for as many as were asked for.
async fn carry_out(
    request: &Request,
    pressed: Pressed,
    chosen: &[OrderId],
    credits: &str,
    reason: &str,
) -> Result<String> {
    let admin = request.admin().await?;
    let Some(fresh) = request.fresh(admin.person()).await? else {
        return Ok(paths::confirm(&paths::admin_answer(chosen)));
    };
    let said = match pressed {
        Pressed::Reject => Answer::Reject,
        Pressed::Approve if credits.trim().is_empty() => Answer::Approve { credits: None },
        Pressed::Approve => Answer::Approve { credits: Some(given(credits.trim())?) },
    };
    let reason = Reason::parse("reason", reason).map_err(Error::Invalid)?;
    let outcomes = answer_requests(request.ctx(), &admin, &fresh, &request.origin(), chosen, said, &reason).await?;
    let answered = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Answered).count();
    let second = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::WaitsForSecond).count();
    let others = outcomes.len() - answered - second;
    let message = words::answered(answered, others, pressed == Pressed::Reject);
    let message = match (second, answered + others) {
        (0, _) => message,
        (_, 0) => words::SECOND_ADMIN.to_owned(),
        _ => format!("{message} {}", words::SECOND_ADMIN),
    };
    let flash = if answered + second > 0 { Flash::Done(message) } else { Flash::Refused(message) };
    flash::leave(request, flash).await?;
    Ok(match chosen {
        [one] => paths::admin_order(*one),
        _ => paths::ADMIN_ORDERS.to_owned(),
    })
}

fn given(text: &str) -> Result<Credits> {
    given_in("credits", text)
}

/// The same, with the field that it was typed into.
pub fn given_in(field: &str, text: &str) -> Result<Credits> {
    let wrong = "Enter a whole number of credits, from 1 to 1,000,000,000,000.";
    Credits::parse_typed(text).ok_or_else(|| Error::Invalid(FieldErrors::one(field, wrong)))
}
