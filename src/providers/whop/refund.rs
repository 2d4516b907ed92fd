//! Paying back at Whop, and what is known of it there.

use std::collections::BTreeMap;

use super::error::{ApiError, WhopError};
use super::facts::Unfit;
use super::reversals::{self, REQUEST_KEY};
use super::wire::amount::Price;
use super::wire::payment::NewRefund;
use super::{SEARCH_MARGIN, Whop};
use crate::events::{Fact, PaymentFacts};
use crate::providers::{PaymentProvider, ProviderError, RefundOrder, Refunding};

/// Always the exact amount: without one Whop pays back whatever is left, which may be more than was agreed on.
pub(super) async fn refund(whop: &Whop, order: &RefundOrder) -> Result<Refunding, ProviderError> {
    let request = order.request.to_string();
    let new = NewRefund {
        partial_amount: Some(Price(order.amount)),
        metadata: BTreeMap::from([(REQUEST_KEY, request.clone())]),
    };
    let answer = whop.client().refund_payment(&order.payment_id, &new, &format!("refund-{request}")).await;
    match answer {
        // It answers with the payment, which may still look as if nothing went back.
        Ok(_) => Ok(Refunding::Taken(known_of(whop, &order.payment_id).await)),
        Err(WhopError::Api(answer)) if is_no(&answer) => Ok(Refunding::Refused(said(&answer))),
        Err(WhopError::Api(answer)) if is_about_the_key(&answer) => Err(ProviderError::Unreachable(answer.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Whether Whop understood who asks and what for, and declines. Its answer to a key stays the same, so it is final. That the
/// key was used for something else (by another version of us, say) tells nothing about what became of that.
fn is_no(answer: &ApiError) -> bool {
    matches!(answer.status, 400 | 404 | 410 | 422) && !is_about_the_key(answer)
}

fn is_about_the_key(answer: &ApiError) -> bool {
    answer.message.to_ascii_lowercase().contains("idempotency")
}

fn said(answer: &ApiError) -> String {
    match (answer.status, answer.message.as_str()) {
        (404, "") => "Whop knows no such payment.".to_owned(),
        (_, "") => "Whop refused without saying why.".to_owned(),
        (_, message) => format!("Whop says: {message}"),
    }
}

/// The refunds of a payment. What can't be learnt just now comes by webhook.
async fn known_of(whop: &Whop, payment_id: &str) -> Vec<Fact> {
    match refunds_of(whop, payment_id).await {
        Ok(facts) => facts,
        Err(error) => {
            tracing::warn!(payment.id = payment_id, %error, "a refund was taken, and can't be read yet");
            Vec::new()
        }
    }
}

async fn refunds_of(whop: &Whop, payment_id: &str) -> Result<Vec<Fact>, ProviderError> {
    let mut facts = Vec::new();
    for refund in whop.client().refunds(Some(payment_id)).collect().await? {
        // The filter may be newer than the server.
        if refund.payment() == Some(payment_id) {
            let fact = reversals::refund(&refund, Some(whop.account())).map_err(|reason| unfit(&refund.id, reason))?;
            facts.push(Fact::Refund(fact));
        }
    }
    Ok(facts)
}

pub(super) async fn reversals_of(whop: &Whop, payment: &PaymentFacts) -> Result<Vec<Fact>, ProviderError> {
    let mut facts = refunds_of(whop, &payment.payment_id).await?;
    if payment.disputed {
        let since = payment.paid_at.and_then(|paid_at| paid_at.checked_sub(SEARCH_MARGIN));
        for dispute in whop.client().disputes(since).collect().await? {
            if dispute.payment.id == payment.payment_id {
                let fact = reversals::dispute(&dispute, Some(whop.account()));
                facts.push(Fact::Dispute(fact.map_err(|reason| unfit(&dispute.id, reason))?));
            }
        }
    }
    Ok(facts)
}

fn unfit(id: &str, reason: Unfit) -> ProviderError {
    ProviderError::Unreadable(format!("{id}: {reason}"))
}
