//! The books said without any order: where a set of facts leads, from the definition.

use std::collections::{BTreeMap, BTreeSet};

use atlas::events::{DisputeFacts, Fact, PaymentFacts, RefundFacts};
use atlas::ids;
use atlas::orders::books::{Books, Order};
use atlas::plans::Bonus;
use domain::{Credits, DisputeState, Money, OrderId, OrderState, PaymentState, PersonId, Provider, RefundState};

pub const OURS: &str = "biz_ours";
pub const CHECKOUT: &str = "ch_ours";
pub const PRICE: Money = Money::usd(750);
const CREDITS: i64 = 5_000;
/// So that its shares are rounded at other places than those of the credits.
const BONUS: i64 = 1_001;

pub fn payment(payment_id: &str, state: PaymentState) -> Fact {
    let collected = (state == PaymentState::Succeeded).then_some(PRICE);
    Fact::Payment(PaymentFacts {
        provider: Provider::Whop,
        payment_id: payment_id.to_owned(),
        account: Some(OURS.to_owned()),
        checkout_id: Some(CHECKOUT.to_owned()),
        order_hint: None,
        state,
        paid: collected,
        charged: collected,
        paid_at: None,
        method: None,
        failure: None,
        refunded: None,
        disputed: false,
    })
}

pub fn refund(refund_id: &str, payment_id: &str, cents: i64, state: RefundState) -> Fact {
    Fact::Refund(RefundFacts {
        provider: Provider::Whop,
        refund_id: refund_id.to_owned(),
        payment_id: payment_id.to_owned(),
        account: Some(OURS.to_owned()),
        amount: Money::usd(cents),
        state,
        request: None,
        failure: None,
    })
}

pub fn dispute(dispute_id: &str, payment_id: &str, cents: Option<i64>, state: DisputeState) -> Fact {
    Fact::Dispute(DisputeFacts {
        provider: Provider::Whop,
        dispute_id: dispute_id.to_owned(),
        payment_id: payment_id.to_owned(),
        account: Some(OURS.to_owned()),
        amount: cents.map(Money::usd),
        state,
        respond_by: None,
    })
}

/// One order with a checkout, in `state`.
pub fn books(state: OrderState) -> Books {
    let order = Order {
        id: OrderId::from_uuid(ids::fresh()),
        buyer: PersonId::from_uuid(ids::fresh()),
        plan_name: "Starter".to_owned(),
        credits: Credits::new(CREDITS),
        expires_after_days: None,
        bonus: Some(Bonus { credits: Credits::new(BONUS), expires_after_days: None }),
        checkout_id: Some(CHECKOUT.to_owned()),
        price: Some(PRICE),
        state,
        failure: None,
        out_of_time: state == OrderState::Expired,
    };
    let mut books = Books::new(Provider::Whop);
    books.orders.insert(order.id, order);
    books
}

/// What the books come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    order: OrderState,
    payments: BTreeMap<String, PaymentEnd>,
    refunds: BTreeMap<String, RefundState>,
    disputes: BTreeMap<String, DisputeState>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PaymentEnd {
    state: PaymentState,
    granted: bool,
    refunded: i64,
    taken: i64,
    frozen: i64,
    bonus_taken: i64,
    bonus_frozen: i64,
}

pub fn end_of(books: &Books) -> End {
    let payments = books.payments.iter().map(|(id, payment)| {
        let end = PaymentEnd {
            state: payment.state,
            granted: payment.granted.is_some(),
            refunded: payment.refunded,
            taken: payment.taken_back.taken.get(),
            frozen: payment.taken_back.frozen.get(),
            bonus_taken: payment.bonus_back.taken.get(),
            bonus_frozen: payment.bonus_back.frozen.get(),
        };
        (id.clone(), end)
    });
    End {
        order: books.orders.values().next().unwrap().state,
        payments: payments.collect(),
        refunds: books.refunds.iter().map(|(id, refund)| (id.clone(), refund.state)).collect(),
        disputes: books.disputes.iter().map(|(id, dispute)| (id.clone(), dispute.state)).collect(),
    }
}

pub fn model(start: OrderState, facts: &[&Fact]) -> End {
    let facts: Vec<&Fact> = facts.iter().copied().filter(|fact| fact.account() == Some(OURS)).collect();
    let payments: Vec<&PaymentFacts> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Payment(facts) if facts.checkout_id.as_deref() == Some(CHECKOUT) => Some(facts),
            _ => None,
        })
        .collect();
    let ids: BTreeSet<&str> = payments.iter().map(|payment| payment.payment_id.as_str()).collect();
    let payments: BTreeMap<String, PaymentEnd> =
        ids.into_iter().map(|id| (id.to_owned(), ended(id, &payments, &facts))).collect();
    let any = |states: &[PaymentState]| payments.values().any(|payment| states.contains(&payment.state));
    let order = if payments.is_empty() {
        start
    } else if payments.values().any(|payment| payment.granted) {
        OrderState::Paid
    } else if any(&[PaymentState::Succeeded]) {
        OrderState::UnderReview
    } else if any(&[PaymentState::Pending, PaymentState::RequiresAction]) {
        OrderState::Processing
    } else if start == OrderState::Expired {
        OrderState::Expired
    } else if any(&[PaymentState::Failed, PaymentState::Canceled]) {
        OrderState::Failed
    } else {
        OrderState::Opened
    };
    let (refunds, disputes) = (refunds_of(None, &facts), disputes_of(None, &facts));
    End {
        order,
        payments,
        refunds: refunds.into_iter().map(|(id, (state, _))| (id, state)).collect(),
        disputes: disputes.into_iter().map(|(id, (state, _))| (id, state)).collect(),
    }
}

/// The last state of each refund, by the order of the states, with its cents.
fn refunds_of(payment_id: Option<&str>, facts: &[&Fact]) -> BTreeMap<String, (RefundState, i64)> {
    let mut refunds = BTreeMap::new();
    for fact in facts {
        if let Fact::Refund(facts) = fact
            && payment_id.is_none_or(|id| id == facts.payment_id)
        {
            let refund = refunds.entry(facts.refund_id.clone()).or_insert((facts.state, facts.amount.minor));
            refund.0 = facts.state.max(refund.0);
        }
    }
    refunds
}

fn disputes_of(payment_id: Option<&str>, facts: &[&Fact]) -> BTreeMap<String, (DisputeState, i64)> {
    let mut disputes = BTreeMap::new();
    for fact in facts {
        if let Fact::Dispute(facts) = fact
            && payment_id.is_none_or(|id| id == facts.payment_id)
        {
            let cents = facts.amount.map_or(PRICE.minor, |amount| amount.minor);
            let dispute = disputes.entry(facts.dispute_id.clone()).or_insert((facts.state, cents));
            dispute.0 = facts.state.max(dispute.0);
        }
    }
    disputes
}

fn ended(id: &str, payments: &[&PaymentFacts], facts: &[&Fact]) -> PaymentEnd {
    let told: Vec<&&PaymentFacts> = payments.iter().filter(|payment| payment.payment_id == id).collect();
    let state = told.iter().map(|payment| payment.state).max().unwrap();
    let granted = told.iter().any(|payment| payment.state == PaymentState::Succeeded && payment.paid == Some(PRICE));
    // What was charged is known as soon as an amount was told; the one that fits counts, else the greatest.
    let amounts =
        told.iter().filter(|payment| payment.state == PaymentState::Succeeded).filter_map(|payment| payment.paid);
    let charged =
        if granted { PRICE.minor } else { amounts.map(|amount| amount.minor.max(PRICE.minor)).max().unwrap_or(0) };
    if charged == 0 {
        return PaymentEnd { state, granted, refunded: 0, taken: 0, frozen: 0, bonus_taken: 0, bonus_frozen: 0 };
    }
    let (refunds, disputes) = (refunds_of(Some(id), facts), disputes_of(Some(id), facts));
    let refunded_in = |of: &[RefundState]| -> i64 {
        refunds.values().filter(|(state, _)| of.contains(state)).map(|(_, cents)| cents).sum()
    };
    let disputed_in = |of: &[DisputeState]| -> i64 {
        disputes.values().filter(|(state, _)| of.contains(state)).map(|(_, cents)| cents).sum()
    };
    let said = told.iter().filter_map(|payment| payment.refunded).map(|refunded| refunded.minor).max().unwrap_or(0);
    let refunded = refunded_in(&[RefundState::Succeeded]).max(said);
    let unexplained = disputes.is_empty() && told.iter().any(|payment| payment.disputed);
    let gone = (refunded + disputed_in(&[DisputeState::Lost])).min(charged);
    let at_stake = refunded_in(&[RefundState::Pending, RefundState::RequiresAction])
        + disputed_in(&[DisputeState::Inquiry, DisputeState::Open])
        + if unexplained { charged } else { 0 };
    let touched = (gone + at_stake).min(charged);
    let share =
        |of: i64| if granted { (of * gone / charged, of * touched / charged - of * gone / charged) } else { (0, 0) };
    let ((taken, frozen), (bonus_taken, bonus_frozen)) = (share(CREDITS), share(BONUS));
    PaymentEnd { state, granted, refunded: refunded.min(charged), taken, frozen, bonus_taken, bonus_frozen }
}
