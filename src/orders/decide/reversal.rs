//! What takes a payment back: refunds and disputes, and what they do to its credits.

use super::super::books::{Books, Dispute, Refund};
use super::super::take_back;
use super::{Misfit, Verdict, put_order};
use crate::events::{DisputeFacts, RefundFacts};
use domain::{Credits, DisputeState, RefundState};

pub fn learn_refund(books: &mut Books, facts: &RefundFacts) -> Verdict {
    let known = books.refunds.get(&facts.refund_id);
    if known
        .is_some_and(|refund| refund.payment_id != facts.payment_id || refund.amount.currency != facts.amount.currency)
    {
        return Verdict::Quarantined(Misfit::ForeignPayment, order_of(books, &facts.payment_id));
    }
    let mut amount = facts.amount;
    amount.minor = amount.minor.max(known.map_or(0, |refund| refund.amount.minor));
    let state = known.map_or(facts.state, |refund| refund.state.max(facts.state));
    // The greater of what was said, so that their order doesn't matter.
    let request = facts.request.max(known.and_then(|refund| refund.request));
    let failure = facts.failure.clone().max(known.and_then(|refund| refund.failure.clone()));
    let refund = Refund { payment_id: facts.payment_id.clone(), amount, state, request, failure };
    if known != Some(&refund) {
        books.changed.refunds.insert(facts.refund_id.clone());
        books.refunds.insert(facts.refund_id.clone(), refund);
    }
    verdict(books, &facts.payment_id)
}

pub fn learn_dispute(books: &mut Books, facts: &DisputeFacts) -> Verdict {
    let known = books.disputes.get(&facts.dispute_id);
    if known.is_some_and(|dispute| dispute.payment_id != facts.payment_id) {
        return Verdict::Quarantined(Misfit::ForeignPayment, order_of(books, &facts.payment_id));
    }
    let dispute = Dispute {
        payment_id: facts.payment_id.clone(),
        amount: match (known.and_then(|dispute| dispute.amount), facts.amount) {
            (Some(known), Some(told)) if (told.minor, told.currency.code()) < (known.minor, known.currency.code()) => {
                Some(known)
            }
            (known, told) => told.or(known),
        },
        state: known.map_or(facts.state, |dispute| dispute.state.max(facts.state)),
        respond_by: facts.respond_by.max(known.and_then(|dispute| dispute.respond_by)),
    };
    if known != Some(&dispute) {
        books.changed.disputes.insert(facts.dispute_id.clone());
        books.disputes.insert(facts.dispute_id.clone(), dispute);
    }
    verdict(books, &facts.payment_id)
}

fn order_of(books: &Books, payment_id: &str) -> Option<domain::OrderId> {
    books.payments.get(payment_id).map(|payment| payment.order)
}

fn verdict(books: &mut Books, payment_id: &str) -> Verdict {
    let Some(order) = order_of(books, payment_id) else { return Verdict::Waiting };
    let misfit = weigh(books, payment_id);
    put_order(books, order, None);
    misfit.map_or(Verdict::Applied(order), |misfit| Verdict::Quarantined(misfit, Some(order)))
}

/// Computes anew what of a payment's credits is taken back, from all that is known of it.
pub fn weigh(books: &mut Books, payment_id: &str) -> Option<Misfit> {
    let payment = books.payments.get(payment_id)?;
    let order = books.orders.get(&payment.order)?;
    let charge = payment.amount?;
    let mine = |money: domain::Money| money.currency == charge.paid.currency;
    let sum = |of: &dyn Fn(RefundState) -> bool| -> i128 {
        let refunds = books.refunds_of(payment_id).filter(|refund| mine(refund.amount) && of(refund.state));
        refunds.map(|refund| i128::from(refund.amount.minor)).sum()
    };
    // A dispute in a currency that is not the charge's is over all of it.
    let disputed = |of: &dyn Fn(DisputeState) -> bool| -> i128 {
        let disputes = books.disputes_of(payment_id).filter(|dispute| of(dispute.state));
        disputes
            .map(|dispute| dispute.amount.filter(|amount| mine(*amount)).map_or(charge.charged, |amount| amount.minor))
            .map(i128::from)
            .sum()
    };
    let told = sum(&|state| state == RefundState::Succeeded);
    let refunded = told.max(payment.refunded_said.into());
    let unexplained = payment.dispute_said && books.disputes_of(payment_id).next().is_none();
    let at_stake = if unexplained { charge.charged.into() } else { 0 }
        + sum(&RefundState::is_under_way)
        + disputed(&DisputeState::is_under_way);
    let (taken_back, bonus_back) = if payment.granted.is_some() {
        let gone = refunded + disputed(&|state| state == DisputeState::Lost);
        let money = take_back::Money { charged: charge.charged, gone, at_stake };
        let bonus = order.bonus.map_or(Credits::ZERO, |bonus| bonus.credits);
        (take_back::taken_back(order.credits, money), take_back::taken_back(bonus, money))
    } else {
        Default::default()
    };
    let refunded = i64::try_from(refunded.min(charge.charged.into())).unwrap_or(charge.charged);
    let misfit = if told > charge.charged.into() {
        Some(Misfit::RefundSurplus)
    } else if books.refunds_of(payment_id).any(|refund| !mine(refund.amount)) {
        Some(Misfit::RefundCurrency)
    } else {
        None
    };
    let moved = (taken_back, bonus_back) != (payment.taken_back, payment.bonus_back);
    if moved {
        books.changed.taken_back.entry(payment_id.to_owned()).or_insert(payment.taken_in_all());
    }
    if moved || refunded != payment.refunded {
        books.changed.payments.insert(payment_id.to_owned());
        // The buyer's page shows it.
        books.changed.orders.insert(payment.order);
    }
    let payment = books.payments.get_mut(payment_id)?;
    (payment.taken_back, payment.bonus_back, payment.refunded) = (taken_back, bonus_back, refunded);
    misfit
}
