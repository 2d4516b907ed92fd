//! What a refund or a dispute of Whop's says, in our own words. Pure: the same for a webhook and for an answer.

use domain::{DisputeState, Provider, RefundState};

use super::facts::Unfit;
use super::text;
use super::wire::dispute::{Dispute, DisputeStatus};
use super::wire::refund::{Refund, RefundStatus};
use crate::events::{DisputeFacts, RefundFacts};

/// Under it a refund's metadata names the request of ours that it answers.
pub const REQUEST_KEY: &str = "refund_request";

/// A refund, in today's shape or in the older one that webhooks carry. `account`: whose it is when it doesn't say so.
pub fn refund(refund: &Refund, account: Option<&str>) -> Result<RefundFacts, Unfit> {
    let amount = refund.amount.as_ref().ok_or(Unfit::Amount)?.money(refund.currency.as_deref());
    Ok(RefundFacts {
        provider: Provider::Whop,
        refund_id: plain(&refund.id)?,
        payment_id: plain(refund.payment().ok_or(Unfit::Shape)?)?,
        account: one_account(refund.account_id.as_deref(), account)?,
        amount: amount.ok().filter(|amount| amount.minor > 0).ok_or(Unfit::Amount)?,
        state: match refund.status {
            RefundStatus::Pending => RefundState::Pending,
            RefundStatus::RequiresAction => RefundState::RequiresAction,
            RefundStatus::Succeeded => RefundState::Succeeded,
            RefundStatus::Failed => RefundState::Failed,
            RefundStatus::Canceled => RefundState::Canceled,
            RefundStatus::Other(_) => return Err(Unfit::UnknownStatus),
        },
        request: refund.metadata.get(REQUEST_KEY).and_then(|id| id.parse().ok()),
        failure: refund.failure_message.as_deref().or(refund.failure_reason.as_deref()).and_then(text::clean),
    })
}

/// A dispute. `account`: whose it is when it doesn't say so.
pub fn dispute(dispute: &Dispute, account: Option<&str>) -> Result<DisputeFacts, Unfit> {
    let amount = match &dispute.amount {
        Some(amount) => Some(amount.money(dispute.currency.as_deref()).map_err(|_| Unfit::Amount)?),
        None => None,
    };
    Ok(DisputeFacts {
        provider: Provider::Whop,
        dispute_id: plain(&dispute.id)?,
        payment_id: plain(&dispute.payment.id)?,
        account: one_account(dispute.account_id.as_deref(), account)?,
        amount: amount.filter(|amount| amount.minor > 0),
        state: match dispute.status {
            DisputeStatus::WarningNeedsResponse | DisputeStatus::WarningUnderReview => DisputeState::Inquiry,
            DisputeStatus::WarningClosed => DisputeState::InquiryClosed,
            DisputeStatus::NeedsResponse | DisputeStatus::UnderReview => DisputeState::Open,
            DisputeStatus::Prevented => DisputeState::Prevented,
            DisputeStatus::Won => DisputeState::Won,
            DisputeStatus::Lost => DisputeState::Lost,
            DisputeStatus::Other(_) => return Err(Unfit::UnknownStatus),
        },
        respond_by: dispute.evidence_due_at,
    })
}

fn plain(id: &str) -> Result<String, Unfit> {
    if text::is_id(id) { Ok(id.to_owned()) } else { Err(Unfit::Id) }
}

fn one_account(inner: Option<&str>, outer: Option<&str>) -> Result<Option<String>, Unfit> {
    match (inner, outer) {
        (Some(inner), Some(outer)) if inner != outer => Err(Unfit::Account),
        _ => inner.or(outer).map(plain).transpose(),
    }
}
