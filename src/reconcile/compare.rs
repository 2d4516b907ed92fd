//! Comparing: what the provider says of one payment, what we say, and what the ledger did. Pure.

use domain::{Credits, DisputeState, PaymentState, Provider, RefundState};

use super::ours::{Bonus, Ours};
use super::{BreakKind, Finding};
use crate::events::{Fact, PaymentFacts};

/// Everything about one payment that does not agree. `theirs`: none, when the provider has no such payment.
pub fn compare(provider: Provider, theirs: Option<&PaymentFacts>, ours: &Ours) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |kind, detail: String| {
        let subject = subject(provider, &ours.payment_id);
        findings.push(Finding { kind, subject, detail, order: ours.order.as_ref().map(|order| order.id) });
    };
    let is_granted = ours.granted.get() > 0;
    match theirs {
        Some(theirs) if theirs.state == PaymentState::Succeeded => {
            let paid = theirs.paid.map_or_else(|| "an unknown amount".to_owned(), |paid| paid.to_string());
            match &ours.order {
                None => find(BreakKind::UnknownPayment, format!("{paid} was paid for no order of ours")),
                Some(order) if !is_granted && theirs.paid == order.price => {
                    find(BreakKind::PaidNotGranted, format!("{paid} was paid, {} credits are missing", order.credits));
                }
                Some(order) if theirs.paid != order.price => {
                    let price = order.price.map_or_else(|| "nothing".to_owned(), |price| price.to_string());
                    find(BreakKind::AmountDiffers, format!("{paid} was paid, {price} was the price"));
                }
                Some(order) if ours.granted != order.credits => {
                    let detail = format!("{} credits were sold, {} granted", order.credits, ours.granted);
                    find(BreakKind::AmountDiffers, detail);
                }
                Some(order) if ours.bonus.granted != order.bonus => {
                    let detail = format!("{} bonus credits were offered, {} granted", order.bonus, ours.bonus.granted);
                    find(BreakKind::AmountDiffers, detail);
                }
                Some(_) => {}
            }
            compare_reversals(theirs, ours, &mut find);
        }
        Some(theirs) if is_granted => {
            find(
                BreakKind::GrantedNotPaid,
                format!("the provider says {}, {} credits were granted", theirs.state, ours.granted),
            );
        }
        None if is_granted => {
            find(
                BreakKind::GrantedNotPaid,
                format!("the provider has no such payment, {} credits were granted", ours.granted),
            );
        }
        Some(_) | None => {}
    }
    let to_take = ours.payment.as_ref().map(|payment| payment.to_take).unwrap_or_default();
    if to_take != ours.taken {
        find(BreakKind::TakenBackDiffers, format!("{to_take} credits are to be taken back, {} were", ours.taken));
    }
    let to_take = ours.payment.as_ref().map(|payment| payment.bonus_to_take).unwrap_or_default();
    if !is_taken(to_take, ours.bonus) {
        let detail = format!("{to_take} bonus credits are to be taken back, {} were", ours.bonus.taken);
        find(BreakKind::TakenBackDiffers, detail);
    }
    findings
}

/// What expired of a bonus is not taken back any more, so less may be taken than was to be.
fn is_taken(to_take: Credits, of: Bonus) -> bool {
    of.taken == to_take || of.taken < to_take && of.taken.get() + of.expired.get() >= of.granted.get()
}

/// Nothing can be taken back of what was never given; then the grant is what is missing.
fn compare_reversals(theirs: &PaymentFacts, ours: &Ours, find: &mut impl FnMut(BreakKind, String)) {
    let Some(payment) = ours.payment.as_ref() else { return };
    if let Some(refunded) = theirs.refunded
        && refunded.minor > payment.refunded
    {
        let known = domain::Money::new(payment.refunded, refunded.currency);
        find(BreakKind::RefundMissing, format!("{refunded} went back, we know of {known}"));
    }
    if theirs.disputed && !payment.disputed {
        find(BreakKind::DisputeMissing, "it is disputed, and we know of no dispute".to_owned());
    }
}

/// One refund or dispute. `known`: the state that we know of, if we know of it.
pub fn compare_reversal(theirs: &Fact, known: Option<&str>) -> Option<(BreakKind, String)> {
    let ours = known.unwrap_or("nothing");
    match theirs {
        Fact::Refund(theirs) if known.and_then(|word| word.parse::<RefundState>().ok()) < Some(theirs.state) => Some((
            BreakKind::RefundMissing,
            format!("refund {} of {} is {}, we know of {ours}", theirs.refund_id, theirs.amount, theirs.state),
        )),
        Fact::Dispute(theirs) if known.and_then(|word| word.parse::<DisputeState>().ok()) < Some(theirs.state) => {
            Some((
                BreakKind::DisputeMissing,
                format!("dispute {} is {}, we know of {ours}", theirs.dispute_id, theirs.state),
            ))
        }
        Fact::Payment(_) | Fact::Refund(_) | Fact::Dispute(_) => None,
    }
}

pub fn subject(provider: Provider, payment_id: &str) -> String {
    format!("{provider}:{payment_id}")
}
