//! The rule: what a payment, as a provider describes it, does to an order. Pure, total and free of order: any
//! permutation and repetition of the same facts ends in the same states and the same grants.

use domain::{Money, OrderState, PaymentState, Provider};

use crate::events::PaymentFacts;

/// What the rule needs of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    pub provider: Provider,
    pub checkout_id: Option<String>,
    pub price: Option<Money>,
    pub state: OrderState,
    /// Whether its time to be paid is over: then only money that moves opens it again. A matter of its age, not of its
    /// state, so that it does not depend on whether the sweep or the payment was first.
    pub out_of_time: bool,
}

/// One payment of the order as we know it so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub payment_id: String,
    pub state: PaymentState,
    /// Whether its credits were granted.
    pub granted: bool,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It does not belong to this order: keep it for a person to look at, change nothing.
    Quarantine(Misfit),
    Change(Change),
}

/// The new states, and whether credits move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub payment: PaymentState,
    pub order: OrderState,
    /// The credits of the order are to be granted for this payment now.
    pub grant: bool,
    /// Money came that doesn't fit: nothing is granted, the order waits for a person.
    pub misfit: Option<Misfit>,
}

/// Why facts do not fit an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// Paid to an account that is not ours, or that was not named.
    ForeignAccount,
    /// Another provider or another checkout than the order's.
    ForeignCheckout,
    /// The order id in the metadata is another one.
    ForeignOrder,
    /// Another amount, another currency, or none.
    Amount,
}

impl Misfit {
    /// As it stands in the inbox.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ForeignAccount => "foreign_account",
            Self::ForeignCheckout => "foreign_checkout",
            Self::ForeignOrder => "order_mismatch",
            Self::Amount => "amount_mismatch",
        }
    }
}

/// Decides. `known` are the payments of this order so far, the one that `facts` describes among them if it is not new.
pub fn decide(order: &Ordered, known: &[Known], facts: &PaymentFacts, our_account: &str) -> Decision {
    if facts.account.as_deref() != Some(our_account) {
        return Decision::Quarantine(Misfit::ForeignAccount);
    }
    if facts.provider != order.provider || order.checkout_id.is_none() || facts.checkout_id != order.checkout_id {
        return Decision::Quarantine(Misfit::ForeignCheckout);
    }
    let so_far = known.iter().find(|payment| payment.payment_id == facts.payment_id);
    let granted = so_far.is_some_and(|payment| payment.granted);
    let payment = so_far.map_or(facts.state, |payment| payment.state.max(facts.state));
    let fits = facts.paid.is_some() && facts.paid == order.price;
    let grant = facts.state == PaymentState::Succeeded && fits && !granted;
    let misfit = (facts.state == PaymentState::Succeeded && !fits && !granted).then_some(Misfit::Amount);

    let others = known.iter().filter(|other| other.payment_id != facts.payment_id);
    let payments = others.map(|other| (other.state, other.granted)).chain([(payment, granted || grant)]);
    Decision::Change(Change { payment, order: order_state(order, payments), grant, misfit })
}

/// An order stands where its payments put it, whatever came first.
fn order_state(order: &Ordered, payments: impl Iterator<Item = (PaymentState, bool)>) -> OrderState {
    if matches!(order.state, OrderState::Approved | OrderState::Rejected | OrderState::Requested) {
        return order.state;
    }
    let put = payments.map(|(state, granted)| match state {
        _ if granted => OrderState::Paid,
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
