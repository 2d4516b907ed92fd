//! Paying back: asked for, confirmed or declined by a second admin, taken back by whoever asked.

use atlas::audit::Reason;
use atlas::orders::FormKey;
use atlas::orders::refund::{Wish, ask, refundable};
use atlas::{Error, Result};
use domain::{FieldErrors, Money, OrderId, RefundRequestId, paths};
use leptos::prelude::*;

use super::second_word;
use crate::actions::answer;
use crate::flash::{self, Flash, Form};
use crate::request::Request;
use crate::words;

pub const REFUND_FORM: &str = "refund";

#[server(prefix = "/do/admin", endpoint = "refund")]
pub async fn refund(
    order: String,
    payment: String,
    amount: String,
    key: String,
    reason: String,
) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let page = order.parse().map_or_else(
        |_| paths::ADMIN_ORDERS.to_owned(),
        |order| paths::admin_refund(order, &payment.replace('\0', " "), &amount),
    );
    let form = Form::new(REFUND_FORM, &[("reason", &reason)], FieldErrors::default());
    let outcome = pay_back(&request, &page, &order, &payment, &amount, &key, &reason).await;
    answer(&request, &page, form, outcome).await;
    Ok(())
}

async fn pay_back(
    request: &Request,
    page: &str,
    order: &str,
    payment: &str,
    amount: &str,
    key: &str,
    reason: &str,
) -> Result<String> {
    let finance = request.finance().await?;
    let Some(fresh) = request.fresh(finance.person()).await? else {
        return Ok(paths::confirm(page));
    };
    let order: OrderId = order.parse().map_err(|_| Error::NotFound)?;
    let of = refundable(request.ctx(), &finance, order, &payment.replace('\0', " ")).await?;
    let amount = read_amount(amount, of.left)?;
    let key = FormKey::parse("key", key).map_err(|_| atlas::Refusal::FormIncomplete)?;
    let reason = Reason::parse("reason", reason).map_err(Error::Invalid)?;
    let asked = ask(request.ctx(), &finance, &fresh, &request.origin(), &Wish { of, amount, reason, key }).await?;
    let said = words::refund_asked(asked.state).to_owned();
    let refused = asked.state == domain::RefundRequestState::Refused;
    flash::leave(request, if refused { Flash::Refused(said) } else { Flash::Done(said) }).await?;
    Ok(paths::admin_order(order))
}

/// An amount as people type it, `7.50` or `7`; nothing: all that is left.
pub fn read_amount(text: &str, left: Money) -> Result<Money> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(left);
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let read = Some(text).filter(|_| plain).and_then(|text| Money::parse_decimal(text, left.currency).ok());
    read.ok_or_else(|| {
        let example = left.to_decimal();
        Error::Invalid(FieldErrors::one(
            "amount",
            format!("Enter an amount in {}, such as {example}.", left.currency.code()),
        ))
    })
}

#[server(prefix = "/do/admin", endpoint = "confirm-refund")]
pub async fn confirm_refund(request_id: String) -> Result<(), ServerFnError> {
    second_word::confirm::<RefundRequestId>(&request_id).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "decline-refund")]
pub async fn decline_refund(request_id: String, reason: String) -> Result<(), ServerFnError> {
    second_word::decline::<RefundRequestId>(&request_id, &reason).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "withdraw-refund")]
pub async fn withdraw_refund(request_id: String) -> Result<(), ServerFnError> {
    second_word::withdraw::<RefundRequestId>(&request_id).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_people_type_them_and_nothing_else_does() {
        let read = |text: &str| read_amount(text, Money::usd(750)).ok().map(|money| money.minor);
        assert_eq!((read("7.5"), read(" 7.50 "), read("7"), read("")), (Some(750), Some(750), Some(700), Some(750)));
        for text in ["-1", "7,50", "1e2", "$7", "7.505", "٧", ".5", "7\0", "99999999999999999999"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
