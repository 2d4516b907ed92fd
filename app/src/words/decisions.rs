//! How what people and banks decide about money and credits reads.

use domain::{CreditDeedKind, CreditDeedState, Credits, DisputeState, RefundRequestState, RefundState};

use super::Tone;

/// How far a refund has come that was asked for here: by the provider's word, once there is one.
pub const fn refund_request(state: RefundRequestState, refund: Option<RefundState>) -> (&'static str, Tone) {
    match (refund, state) {
        (Some(state), _) => refund_state(state),
        (None, RefundRequestState::Waiting) => ("Waits for a second admin", Tone::Wait),
        (None, RefundRequestState::Wanted) => ("No answer yet", Tone::Wait),
        (None, RefundRequestState::Sent) => ("At the provider", Tone::Wait),
        (None, RefundRequestState::Refused) => ("Refused", Tone::Bad),
        (None, RefundRequestState::Declined) => ("Declined", Tone::Bad),
        (None, RefundRequestState::Withdrawn) => ("Withdrawn", Tone::Info),
    }
}

pub const fn refund_state(state: RefundState) -> (&'static str, Tone) {
    match state {
        RefundState::Pending => ("On its way", Tone::Wait),
        RefundState::RequiresAction => ("Waits for the buyer", Tone::Wait),
        RefundState::Canceled => ("Called off", Tone::Info),
        RefundState::Succeeded => ("Paid back", Tone::Good),
        RefundState::Failed => ("Came back", Tone::Bad),
    }
}

pub const fn dispute_state(state: DisputeState) -> (&'static str, Tone) {
    match state {
        DisputeState::Inquiry => ("The bank asks", Tone::Wait),
        DisputeState::InquiryClosed => ("Question closed", Tone::Info),
        DisputeState::Open => ("Open", Tone::Bad),
        DisputeState::Prevented => ("Prevented", Tone::Good),
        DisputeState::Won => ("Won", Tone::Good),
        DisputeState::Lost => ("Lost", Tone::Bad),
    }
}

/// What came of asking for a refund.
pub fn refund_asked(state: RefundRequestState) -> &'static str {
    match state {
        RefundRequestState::Waiting => "Asked for. A second admin has to confirm it; nothing was paid back yet.",
        RefundRequestState::Wanted => {
            "Asked for. The provider hasn’t answered yet; it is asked again by itself until it does, and pays once."
        }
        RefundRequestState::Refused => "The provider refused. Nothing was paid back; the reason stands below.",
        _ => "The refund is under way. The credits go with the money.",
    }
}

/// What is above the limit of one admin.
pub const SECOND_ADMIN: &str =
    "That is more than one admin may give alone. It waits for a second admin under Approvals.";

/// What was done at once.
pub fn credits_moved(kind: CreditDeedKind, credits: Credits) -> String {
    match kind {
        CreditDeedKind::Grant | CreditDeedKind::Approve => format!("{credits} credits were granted."),
        CreditDeedKind::Take => format!("{credits} credits were taken."),
        CreditDeedKind::Forgive => format!("A debt of {credits} credits was forgiven."),
    }
}

pub const fn credit_deed(kind: CreditDeedKind) -> &'static str {
    match kind {
        CreditDeedKind::Grant => "Grant",
        CreditDeedKind::Take => "Take",
        CreditDeedKind::Forgive => "Forgive",
        CreditDeedKind::Approve => "Approve",
    }
}

pub const fn credit_deed_state(state: CreditDeedState) -> (&'static str, Tone) {
    match state {
        CreditDeedState::Waiting => ("Waits for a second admin", Tone::Wait),
        CreditDeedState::Done => ("Done", Tone::Good),
        CreditDeedState::Declined => ("Declined", Tone::Bad),
        CreditDeedState::Withdrawn => ("Withdrawn", Tone::Info),
    }
}
