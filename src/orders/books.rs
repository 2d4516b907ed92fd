//! What is known of orders, their payments, and what may take those back: the rows of one provider, as plain values. They
//! are loaded, learn facts through the rule (`orders::decide`), and are written back.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Credits, DisputeState, Money, OrderId, OrderState, PaymentState, PersonId, Provider, RefundRequestId, RefundState,
    TransactionId,
};
use time::OffsetDateTime;

use super::take_back::TakenBack;
use crate::events::Failure;
use crate::plans::Bonus;

/// The books of one provider, as far as they were opened.
#[derive(Debug, Clone)]
pub struct Books {
    pub provider: Provider,
    pub orders: BTreeMap<OrderId, Order>,
    /// By the provider's payment id.
    pub payments: BTreeMap<String, Payment>,
    pub refunds: BTreeMap<String, Refund>,
    pub disputes: BTreeMap<String, Dispute>,
    pub changed: Changed,
}

/// What is to be written back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    pub orders: BTreeSet<OrderId>,
    pub payments: BTreeSet<String>,
    pub refunds: BTreeSet<String>,
    pub disputes: BTreeSet<String>,
    /// Payments whose credits are to be granted.
    pub granted: BTreeSet<String>,
    /// Payments whose credits are to be taken back, held or given back, with what was taken of them before, bonus and all.
    pub taken_back: BTreeMap<String, Credits>,
    /// Payments that were not known before.
    pub landed: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub buyer: PersonId,
    pub plan_name: String,
    pub credits: Credits,
    /// Days from the arrival of the credits to their end.
    pub expires_after_days: Option<i32>,
    /// What is granted beside the credits.
    pub bonus: Option<Bonus>,
    pub checkout_id: Option<String>,
    pub price: Option<Money>,
    pub state: OrderState,
    /// Set when the state is failed.
    pub failure: Option<Failure>,
    /// Whether its time to be paid is over: then only money that moves opens it again. A matter of its age, not of its
    /// state, so that it does not depend on whether the sweep or the payment was first.
    pub out_of_time: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub order: OrderId,
    /// An admin said that it is this order's: its checkout is not one of ours.
    pub linked: bool,
    pub state: PaymentState,
    /// For the goods, and with the tax that was added on top. None while nothing was collected.
    pub amount: Option<Collected>,
    /// What of it was refunded, at most, by the provider's word about the payment.
    pub refunded_said: i64,
    /// Whether the provider said with the payment that it is disputed.
    pub dispute_said: bool,
    pub failure: Option<Failure>,
    pub method: Option<String>,
    pub paid_at: Option<OffsetDateTime>,
    /// The grant, once there is one.
    pub granted: Option<TransactionId>,
    pub taken_back: TakenBack,
    /// The same share of the bonus.
    pub bonus_back: TakenBack,
    /// Refunded for good, never more than was charged.
    pub refunded: i64,
}

/// Two amounts in one currency, `charged >= paid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collected {
    pub paid: Money,
    /// Minor units.
    pub charged: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    pub payment_id: String,
    pub amount: Money,
    pub state: RefundState,
    pub request: Option<RefundRequestId>,
    pub failure: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    pub payment_id: String,
    /// None: all that was charged.
    pub amount: Option<Money>,
    pub state: DisputeState,
    pub respond_by: Option<OffsetDateTime>,
}

impl Payment {
    /// Taken back for good, of the credits and of the bonus.
    pub fn taken_in_all(&self) -> Credits {
        Credits::new(self.taken_back.taken.get() + self.bonus_back.taken.get())
    }
}

impl Books {
    pub fn new(provider: Provider) -> Self {
        Self {
            provider,
            orders: BTreeMap::new(),
            payments: BTreeMap::new(),
            refunds: BTreeMap::new(),
            disputes: BTreeMap::new(),
            changed: Changed::default(),
        }
    }

    pub fn order_of_checkout(&self, checkout_id: &str) -> Option<&Order> {
        self.orders.values().find(|order| order.checkout_id.as_deref() == Some(checkout_id))
    }

    /// The order that a payment is for: by its checkout, the only tie that a browser can't bend, or because an admin linked it.
    pub fn order_of(&self, payment_id: &str, checkout_id: Option<&str>) -> Option<&Order> {
        let linked = || self.payments.get(payment_id).filter(|payment| payment.linked).map(|payment| payment.order);
        checkout_id.and_then(|checkout| self.order_of_checkout(checkout)).or_else(|| self.orders.get(&linked()?))
    }

    pub fn payments_of(&self, order: OrderId) -> impl Iterator<Item = &Payment> {
        self.payments.values().filter(move |payment| payment.order == order)
    }

    pub fn refunds_of<'a>(&'a self, payment_id: &'a str) -> impl Iterator<Item = &'a Refund> {
        self.refunds.values().filter(move |refund| refund.payment_id == payment_id)
    }

    pub fn disputes_of<'a>(&'a self, payment_id: &'a str) -> impl Iterator<Item = &'a Dispute> {
        self.disputes.values().filter(move |dispute| dispute.payment_id == payment_id)
    }
}
