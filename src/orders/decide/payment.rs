//! What is said of a payment: how far it came, how much was collected, and whether it buys its order's credits.

use domain::{FailureReason, Money, PaymentState, TransactionId};

use super::super::books::{Books, Collected, Order, Payment};
use super::super::take_back::TakenBack;
use super::{Misfit, Verdict, put_order, reversal};
use crate::events::{Failure, PaymentFacts};

pub fn learn(books: &mut Books, facts: &PaymentFacts, next_id: TransactionId) -> Verdict {
    let Some(order) = books.order_of(&facts.payment_id, facts.checkout_id.as_deref()).cloned() else {
        return Verdict::Quarantined(Misfit::UnknownOrder, None);
    };
    // Where the checkout is not ours, neither is what it says of an order: an admin said otherwise.
    let by_checkout = facts.checkout_id == order.checkout_id;
    if by_checkout && facts.order_hint.is_some_and(|hint| hint != order.id) {
        return Verdict::Quarantined(Misfit::ForeignOrder, Some(order.id));
    }
    let known = books.payments.get(&facts.payment_id).cloned();
    if known.as_ref().is_some_and(|payment| payment.order != order.id) {
        return Verdict::Quarantined(Misfit::ForeignPayment, Some(order.id));
    }
    let mut payment = known.clone().map_or_else(|| first_heard(&order, facts), |payment| grown(payment, &order, facts));
    let succeeded = facts.state == PaymentState::Succeeded;
    let fits = succeeded && facts.paid.is_some() && facts.paid == order.price;
    if fits && payment.granted.is_none() {
        payment.granted = Some(next_id);
        books.changed.granted.insert(facts.payment_id.clone());
    }
    let misfit = succeeded && !fits && payment.granted.is_none();
    if known.is_none() {
        books.changed.landed.insert(facts.payment_id.clone());
    }
    if known.as_ref() != Some(&payment) {
        books.changed.payments.insert(facts.payment_id.clone());
    }
    let failure = payment.failure.clone();
    books.payments.insert(facts.payment_id.clone(), payment);
    reversal::weigh(books, &facts.payment_id);
    put_order(books, order.id, failure.as_ref());
    if misfit { Verdict::Quarantined(Misfit::Amount, Some(order.id)) } else { Verdict::Applied(order.id) }
}

fn first_heard(order: &Order, facts: &PaymentFacts) -> Payment {
    let payment = Payment {
        order: order.id,
        linked: false,
        state: facts.state,
        amount: None,
        refunded_said: 0,
        dispute_said: false,
        failure: None,
        method: None,
        paid_at: None,
        granted: None,
        taken_back: TakenBack::default(),
        bonus_back: TakenBack::default(),
        refunded: 0,
    };
    grown(payment, order, facts)
}

/// The payment with what was said now. Facts about an earlier state, arriving late, say nothing about the present one.
fn grown(mut payment: Payment, order: &Order, facts: &PaymentFacts) -> Payment {
    payment.state = payment.state.max(facts.state);
    if let (Some(amount), None) = (collected(facts), payment.granted) {
        payment.amount = Some(better(payment.amount, amount, order.price));
    }
    payment.method = facts.method.clone().or(payment.method);
    payment.paid_at = payment.paid_at.or(facts.paid_at);
    payment.failure = match payment.state {
        PaymentState::Failed | PaymentState::Canceled if facts.state == payment.state => facts
            .failure
            .clone()
            .or(payment.failure)
            .or(Some(Failure { reason: FailureReason::Declined, message: None })),
        PaymentState::Failed | PaymentState::Canceled => payment.failure,
        _ => None,
    };
    if let Some(refunded) = facts.refunded {
        payment.refunded_said = payment.refunded_said.max(refunded.minor);
    }
    payment.dispute_said |= facts.disputed;
    payment
}

fn collected(facts: &PaymentFacts) -> Option<Collected> {
    let paid = facts.paid.filter(|_| facts.state == PaymentState::Succeeded)?;
    let charged =
        facts.charged.filter(|charged| charged.currency == paid.currency).map_or(paid.minor, |charged| charged.minor);
    Some(Collected { paid, charged: charged.max(paid.minor) })
}

/// Of two amounts told for one payment the one that fits its order, else the greater.
fn better(known: Option<Collected>, told: Collected, price: Option<Money>) -> Collected {
    let rank = |amount: &Collected| {
        (Some(amount.paid) == price, amount.paid.minor, amount.charged, amount.paid.currency.code())
    };
    known.filter(|known| rank(known) >= rank(&told)).unwrap_or(told)
}
