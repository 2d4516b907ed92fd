//! The rule: what a fact does to the books. Pure, total and free of order: any permutation and repetition of the same
//! facts ends in the same books. Each row only ever grows (states by their order, amounts to the greater), and what
//! follows from the rows is computed anew each time.

mod payment;
mod reversal;

use domain::{OrderId, OrderState, PaymentState, TransactionId};

use super::books::{Books, Order};
use crate::events::{Fact, Failure};

/// What became of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the books.
    Applied(OrderId),
    /// It is in the books and counts once its payment is known.
    Waiting,
    /// A person has to look. What it changed, if anything, is in the books; no credits were given for it.
    Quarantined(Misfit, Option<OrderId>),
}

/// Why a fact does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// Of an account that is not ours, or that was not named.
    ForeignAccount,
    /// Of a checkout that is not ours.
    UnknownOrder,
    /// The order id in the metadata is another one than the checkout's.
    ForeignOrder,
    /// A payment that belongs to another order, or a refund or dispute to another payment, than we knew.
    ForeignPayment,
    /// Another amount, another currency, or none.
    Amount,
    /// A refund in another currency than the charge. It takes nothing back.
    RefundCurrency,
    /// More was refunded than was charged. Everything was taken back, and no more.
    RefundSurplus,
}

impl Misfit {
    /// As it stands in the inbox.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ForeignAccount => "foreign_account",
            Self::UnknownOrder => "unknown_order",
            Self::ForeignOrder => "order_mismatch",
            Self::ForeignPayment => "payment_mismatch",
            Self::Amount => "amount_mismatch",
            Self::RefundCurrency => "refund_currency",
            Self::RefundSurplus => "refund_surplus",
        }
    }
}

/// Takes a fact into the books. `next_id` names the grant, should there be one.
pub fn learn(books: &mut Books, fact: &Fact, our_account: &str, next_id: TransactionId) -> Verdict {
    if fact.account() != Some(our_account) {
        return Verdict::Quarantined(Misfit::ForeignAccount, None);
    }
    match fact {
        Fact::Payment(facts) => payment::learn(books, facts, next_id),
        Fact::Refund(facts) => reversal::learn_refund(books, facts),
        Fact::Dispute(facts) => reversal::learn_dispute(books, facts),
    }
}

/// Puts an order where its payments put it, whatever came first. `failure` is the newest reason, if there was one.
fn put_order(books: &mut Books, id: OrderId, failure: Option<&Failure>) {
    let Some(order) = books.orders.get(&id) else { return };
    let state = order_state(order, books);
    let failure = if state == OrderState::Failed { failure.or(order.failure.as_ref()).cloned() } else { None };
    if state != order.state || failure != order.failure {
        books.changed.orders.insert(id);
        if let Some(order) = books.orders.get_mut(&id) {
            (order.state, order.failure) = (state, failure);
        }
    }
}

fn order_state(order: &Order, books: &Books) -> OrderState {
    if matches!(order.state, OrderState::Approved | OrderState::Rejected | OrderState::Requested) {
        return order.state;
    }
    let put = books.payments_of(order.id).map(|payment| match payment.state {
        _ if payment.granted.is_some() => OrderState::Paid,
        PaymentState::Succeeded => OrderState::UnderReview,
        PaymentState::Pending | PaymentState::RequiresAction => OrderState::Processing,
        PaymentState::Failed | PaymentState::Canceled => OrderState::Failed,
        PaymentState::Created => OrderState::Opened,
    });
    let strongest = put.max_by_key(|state| strength(*state)).unwrap_or(OrderState::Opened);
    if order.out_of_time && strength(strongest) <= strength(OrderState::Failed) {
        return OrderState::Expired;
    }
    strongest
}

const fn strength(state: OrderState) -> u8 {
    match state {
        OrderState::Paid => 4,
        OrderState::UnderReview => 3,
        OrderState::Processing => 2,
        OrderState::Failed => 1,
        _ => 0,
    }
}
