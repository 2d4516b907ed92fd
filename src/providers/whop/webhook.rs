//! What a verified webhook of Whop's says (Whop API, webhooks). Reading is pure and total: every byte string is an
//! event, or not one.

use domain::PaymentState;
use serde::Deserialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::facts::{self, Unfit};
use super::text;
use super::wire::lenient;
use super::wire::payment::Payment;
use crate::events::PaymentFacts;

#[cfg(test)]
mod tests;

const KIND_BYTES_MAX: usize = 100;

/// The body is not an envelope with a type and data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a webhook envelope")]
pub struct NotAnEnvelope;

/// One event. What tells repetitions apart is not in here but in the delivery's `webhook-id` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhopEvent {
    /// `payment.succeeded`; `[A-Za-z0-9._-]`, at most 100 characters.
    pub kind: String,
    /// The id of what it is about, if it has a plain one.
    pub object_id: Option<String>,
    /// The account that it happened to, by its new or its old name; none when it was not said plainly.
    pub account: Option<String>,
    /// When Whop says that it sent it.
    pub sent_at: Option<OffsetDateTime>,
    pub content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Payment(Box<PaymentFacts>),
    /// Nothing that we act upon.
    Other,
    /// About a payment, but not to be understood: moves nothing, a person has to look.
    Unreadable(Unfit),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "lenient::optional")]
    account_id: Option<String>,
    /// The account's name before 2026-08-14, and on webhooks without a pinned version.
    #[serde(default, deserialize_with = "lenient::optional")]
    company_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::time")]
    timestamp: Option<OffsetDateTime>,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

/// Reads the body of a verified delivery.
pub fn read(body: &[u8]) -> Result<WhopEvent, NotAnEnvelope> {
    let body = std::str::from_utf8(body).map_err(|_| NotAnEnvelope)?;
    let envelope: Envelope<'_> = object(body).ok_or(NotAnEnvelope)?;
    if !is_kind(&envelope.kind) {
        return Err(NotAnEnvelope);
    }
    let account = match (envelope.account_id, envelope.company_id) {
        (Some(account), Some(company)) if account != company => None,
        (account, company) => account.or(company).filter(|id| text::is_id(id)),
    };
    let data = envelope.data.get();
    Ok(WhopEvent {
        content: content(&envelope.kind, account.as_deref(), data),
        kind: envelope.kind,
        object_id: object(data).map(|Identified { id }| id).filter(|id| text::is_id(id)),
        account,
        sent_at: envelope.timestamp,
    })
}

/// A JSON object as a `T`. (Serde would take an array for a struct as well.)
fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    if json.trim_start().starts_with('{') { serde_json::from_str(json).ok() } else { None }
}

fn is_kind(kind: &str) -> bool {
    (1..=KIND_BYTES_MAX).contains(&kind.len())
        && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// The least that an event's name says about its payment.
fn state_by_name(kind: &str) -> Option<PaymentState> {
    Some(match kind {
        "payment.created" => PaymentState::Created,
        "payment.requires_action" => PaymentState::RequiresAction,
        "payment.pending" | "payment.authorized" => PaymentState::Pending,
        "payment.canceled" => PaymentState::Canceled,
        "payment.failed" => PaymentState::Failed,
        "payment.succeeded" => PaymentState::Succeeded,
        _ => return None,
    })
}

fn content(kind: &str, account: Option<&str>, data: &str) -> Content {
    let Some(by_name) = state_by_name(kind) else { return Content::Other };
    match payment(by_name, account, data) {
        Ok(facts) => Content::Payment(Box::new(facts)),
        Err(unfit) => Content::Unreadable(unfit),
    }
}

fn payment(by_name: PaymentState, account: Option<&str>, data: &str) -> Result<PaymentFacts, Unfit> {
    let payment: Payment = object(data).ok_or(Unfit::Shape)?;
    let state = agree(by_name, facts::state(&payment)?)?;
    let mut facts = facts::facts_in_state(&payment, state)?;
    match (&facts.account, account) {
        (Some(inner), Some(outer)) if inner != outer => return Err(Unfit::Account),
        (None, outer) => facts.account = outer.map(ToOwned::to_owned),
        _ => {}
    }
    Ok(facts)
}

/// The state by both witnesses. The data is written when the event is sent, so it may be ahead of the event's name,
/// and the further state counts. But money is believed only where nothing speaks against it: `succeeded` needs data
/// that says paid, and paid data must not come as `failed` or `canceled`.
fn agree(by_name: PaymentState, by_data: PaymentState) -> Result<PaymentState, Unfit> {
    match (by_name, by_data) {
        (PaymentState::Succeeded, PaymentState::Succeeded) => Ok(PaymentState::Succeeded),
        (PaymentState::Succeeded, _) | (PaymentState::Failed | PaymentState::Canceled, PaymentState::Succeeded) => {
            Err(Unfit::StateMismatch)
        }
        _ => Ok(by_name.max(by_data)),
    }
}
