//! What the core declines, as a status and a code. The codes are a promise to programs (docs/api.md), so none follows from a
//! name that we might change.

use atlas::{Error, Refusal};
use http::{HeaderValue, StatusCode};

use super::{Problem, RETRY_IN_A_MINUTE};

pub fn said(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::UnknownApiKey => Problem::Unauthenticated,
        Refusal::NotEnoughCredits => Problem::NotEnoughCredits,
        Refusal::CreditsAreOwed => Problem::CreditsAreOwed,
        Refusal::NoWallet => Problem::UnknownOwner,
        Refusal::WalletTooBusy => Problem::TooManyRequests,
        Refusal::KeyUsedForAnotherRequest
        | Refusal::FormUsedBefore
        | Refusal::FormUsedForAnotherPlan
        | Refusal::FormUsedForAnotherCurrency => Problem::KeyReused,
        Refusal::TooManyTries { .. } | Refusal::TooBusy => {
            let after = refusal.retry_after().map(HeaderValue::from);
            refused(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", refusal, after)
        }
        Refusal::PaymentsAreStopped => away(refusal, "payments_are_stopped"),
        Refusal::CheckoutUnavailable => away(refusal, "checkout_unavailable"),
        Refusal::MembershipUnknown => away(refusal, "membership_unknown"),
        Refusal::MembershipRequired => may_not(refusal, "membership_required"),
        Refusal::MembershipEnded => may_not(refusal, "membership_ended"),
        Refusal::DailyLimit { .. } => may_not(refusal, "daily_limit"),
        Refusal::TooManyDeclines => may_not(refusal, "too_many_declines"),
        Refusal::PlanNotOnSale => conflict(refusal, "plan_not_on_sale"),
        Refusal::PlanNotSoldIn { .. } => conflict(refusal, "plan_not_sold_in"),
        Refusal::PlanIsByAgreement | Refusal::PlanHasAPrice | Refusal::OrderedByRequest => {
            conflict(refusal, "path_changed")
        }
        Refusal::PlanIsRetired => conflict(refusal, "plan_is_retired"),
        Refusal::PlanWasOrdered => conflict(refusal, "plan_was_ordered"),
        Refusal::PlanChangedMeanwhile => conflict(refusal, "plan_changed_meanwhile"),
        // No request for JSON leads to any of the others.
        other => Problem::from(Error::broken(other)),
    }
}

fn refused(status: StatusCode, code: &'static str, refusal: Refusal, retry_after: Option<HeaderValue>) -> Problem {
    Problem::Refused { status, code, message: refusal.to_string(), retry_after }
}

/// Nothing was charged, and the same may be sent again.
fn away(refusal: Refusal, code: &'static str) -> Problem {
    refused(StatusCode::SERVICE_UNAVAILABLE, code, refusal, Some(RETRY_IN_A_MINUTE))
}

fn may_not(refusal: Refusal, code: &'static str) -> Problem {
    refused(StatusCode::FORBIDDEN, code, refusal, None)
}

fn conflict(refusal: Refusal, code: &'static str) -> Problem {
    refused(StatusCode::CONFLICT, code, refusal, None)
}
