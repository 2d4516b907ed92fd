//! What a verified webhook of Whop's says (Whop API, webhooks). Reading is pure and total: every byte string is an
//! event, or not one.

use domain::PaymentState;
use serde::Deserialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::facts::{self, Unfit};
use super::wire::lenient;
use super::wire::payment::Payment;
use super::{membership, reversals, text};
use crate::events::{Content, Fact, MembershipFacts, PaymentFacts, ReadEvent};
use crate::providers::NotAnEvent;

#[cfg(test)]
mod tests;

const KIND_BYTES_MAX: usize = 100;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "lenient::optional")]
    account_id: Option<String>,
    /// The account's name before 2026-08-14, and on webhooks without a pinned version.
    #[serde(default, deserialize_with = "lenient::optional")]
    company_id: Option<String>,
    /// When it was said.
    #[serde(default, deserialize_with = "lenient::time")]
    timestamp: Option<OffsetDateTime>,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

/// Reads the body of a verified delivery. What tells repetitions apart is not in it but in the `webhook-id` header.
pub fn read(body: &[u8]) -> Result<ReadEvent, NotAnEvent> {
    let body = std::str::from_utf8(body).map_err(|_| NotAnEvent("not UTF-8"))?;
    let envelope: Envelope<'_> = object(body).ok_or(NotAnEvent("not an object with type and data"))?;
    if !is_kind(&envelope.kind) {
        return Err(NotAnEvent("the type is no plain word"));
    }
    let data = envelope.data.get();
    let content = content(&envelope, data);
    let object_id = match &content {
        Content::Fact(fact) => Some(fact.id().to_owned()),
        Content::Membership(facts) => Some(facts.membership_id.clone()),
        _ => object(data).map(|Identified { id }| id).filter(|id| text::is_id(id)),
    };
    Ok(ReadEvent { kind: envelope.kind, object_id, content })
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

fn content(envelope: &Envelope<'_>, data: &str) -> Content {
    let fact = match envelope.kind.as_str() {
        "membership.activated"
        | "membership.updated"
        | "membership.deactivated"
        | "membership.cancel_at_period_end_changed"
        | "membership.trial_ending_soon" => {
            return membership_told(envelope, data)
                .map_or_else(|unfit| Content::Unreadable(unfit.as_str()), Content::Membership);
        }
        "refund.created" | "refund.updated" => {
            read_with_account(envelope, data, |refund, account| reversals::refund(&refund, account).map(Fact::Refund))
        }
        "dispute.created" | "dispute.updated" => read_with_account(envelope, data, |dispute, account| {
            reversals::dispute(&dispute, account).map(Fact::Dispute)
        }),
        kind => match state_by_name(kind) {
            Some(by_name) => account(envelope).and_then(|account| payment(by_name, account, data)).map(Fact::Payment),
            None => return Content::Other,
        },
    };
    fact.map_or_else(|unfit| Content::Unreadable(unfit.as_str()), Content::Fact)
}

/// The name says less than the status: an activation comes as an update too, and a deactivation perhaps only as one.
fn membership_told(envelope: &Envelope<'_>, data: &str) -> Result<MembershipFacts, Unfit> {
    let read = object(data).ok_or(Unfit::Shape)?;
    membership::facts(&read, account(envelope)?, envelope.timestamp.ok_or(Unfit::Shape)?)
}

fn read_with_account<'a, T: Deserialize<'a>>(
    envelope: &Envelope<'_>,
    data: &'a str,
    facts: impl FnOnce(T, Option<&str>) -> Result<Fact, Unfit>,
) -> Result<Fact, Unfit> {
    facts(object(data).ok_or(Unfit::Shape)?, account(envelope)?)
}

/// The account that it happened to, if it was said, and in one way only.
fn account<'a>(envelope: &'a Envelope<'_>) -> Result<Option<&'a str>, Unfit> {
    match (envelope.account_id.as_deref(), envelope.company_id.as_deref()) {
        (Some(account), Some(company)) if account != company => Err(Unfit::Account),
        (None, None) => Ok(None),
        (Some(id), _) | (None, Some(id)) => {
            if text::is_id(id) {
                Ok(Some(id))
            } else {
                Err(Unfit::Id)
            }
        }
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
