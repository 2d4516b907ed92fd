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
    let others = outcomes.len() - answered;
    let message = words::answered(answered, others, pressed == Pressed::Reject);
    let flash = if answered > 0 { Flash::Done(message) } else { Flash::Refused(message) };
    flash::leave(request, flash).await?;
    Ok(match chosen {
        [one] => paths::admin_order(*one),
        _ => paths::ADMIN_ORDERS.to_owned(),
    })
}

/// Credits as people type them: `100,000`, `100 000`, `100000`.
fn given(text: &str) -> Result<Credits> {
    let digits: String = text.chars().filter(|c| !matches!(c, ',' | ' ' | '\u{a0}' | '\u{202f}' | '\'')).collect();
    let wrong =
        || Error::Invalid(FieldErrors::one("credits", "Enter a whole number of credits, from 1 to 1,000,000,000,000."));
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let credits =
        Some(&digits).filter(|_| plain).and_then(|digits| digits.parse().ok()).map(Credits::new).ok_or_else(wrong)?;
    if credits > Credits::ZERO && credits <= Credits::MAX { Ok(credits) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_read_as_people_type_them_and_nothing_else_does() {
        for text in ["100000", "100,000", "100 000", "100\u{202f}000"] {
            assert_eq!(given(text).ok().map(Credits::get), Some(100_000), "{text}");
        }
        for text in ["0", "-5", "1.5", "1e3", "١٢", "99999999999999999999", "1000000000001", "+7", ","] {
            assert!(given(text).is_err(), "{text}");
        }
    }
}
