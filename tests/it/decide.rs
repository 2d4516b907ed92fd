//! The rule for payments is free of order: whatever the permutation and the repetitions, the same set of facts ends in
//! the same states and the same grants. Shown for every sequence of up to five facts, and for random longer ones.

use std::collections::{BTreeMap, BTreeSet};

use atlas::events::PaymentFacts;
use atlas::orders::decide::{Decision, Known, Misfit, Ordered, decide};
use domain::{Money, OrderState, PaymentState, Provider};
use proptest::prelude::*;

const OURS: &str = "biz_ours";
const CHECKOUT: &str = "ch_ours";
const PRICE: Money = Money::usd(750);

/// Everything that may be said about an order: two payments in all states, fitting and not, and what is not ours.
fn alphabet() -> Vec<PaymentFacts> {
    let facts = |payment_id: &str, state: PaymentState| PaymentFacts {
        provider: Provider::Whop,
        payment_id: payment_id.to_owned(),
        account: Some(OURS.to_owned()),
        checkout_id: Some(CHECKOUT.to_owned()),
        order_hint: None,
        state,
        paid: (state == PaymentState::Succeeded).then_some(PRICE),
        paid_at: None,
        method: None,
        failure: None,
    };
    let paid = facts("pay_1", PaymentState::Succeeded);
    let mut all: Vec<PaymentFacts> = PaymentState::ALL.iter().map(|state| facts("pay_1", *state)).collect();
    all.push(PaymentFacts { paid: Some(Money::usd(749)), ..paid.clone() });
    all.push(facts("pay_2", PaymentState::Failed));
    all.push(facts("pay_2", PaymentState::Succeeded));
    all.push(PaymentFacts { account: Some("biz_other".to_owned()), ..paid.clone() });
    all.push(PaymentFacts { checkout_id: Some("ch_other".to_owned()), ..paid });
    all
}

/// An order with its payments, kept as settling keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct World {
    order: OrderState,
    out_of_time: bool,
    payments: BTreeMap<String, (PaymentState, bool)>,
}

impl World {
    fn new(order: OrderState) -> Self {
        Self { order, out_of_time: order == OrderState::Expired, payments: BTreeMap::new() }
    }

    /// Takes one fact in; how often credits were granted by it.
    fn learns(&mut self, facts: &PaymentFacts) -> Decision {
        let order = Ordered {
            provider: Provider::Whop,
            checkout_id: Some(CHECKOUT.to_owned()),
            price: Some(PRICE),
            state: self.order,
            out_of_time: self.out_of_time,
        };
        let known: Vec<Known> = self
            .payments
            .iter()
            .map(|(id, (state, granted))| Known { payment_id: id.clone(), state: *state, granted: *granted })
            .collect();
        let decision = decide(&order, &known, facts, OURS);
        if let Decision::Change(change) = &decision {
            let payment = self.payments.entry(facts.payment_id.clone()).or_insert((change.payment, false));
            assert!(!(change.grant && payment.1), "{} is granted twice", facts.payment_id);
            assert!(!(change.grant && change.misfit.is_some()), "granted although it does not fit");
            assert!(change.payment >= payment.0, "{} went back to {}", facts.payment_id, change.payment);
            *payment = (change.payment, payment.1 || change.grant);
            self.order = change.order;
        }
        decision
    }
}

fn is_ours(facts: &PaymentFacts) -> bool {
    facts.account.as_deref() == Some(OURS) && facts.checkout_id.as_deref() == Some(CHECKOUT)
}

/// Where a set of facts leads, said without any order: each payment at the furthest state anybody told of, granted if
/// it was ever told as collected in full.
fn outcome(start: OrderState, facts: &[&PaymentFacts]) -> World {
    let mut world = World::new(start);
    for facts in facts.iter().filter(|facts| is_ours(facts)) {
        let fits = facts.state == PaymentState::Succeeded && facts.paid == Some(PRICE);
        let payment = world.payments.entry(facts.payment_id.clone()).or_insert((facts.state, fits));
        *payment = (payment.0.max(facts.state), payment.1 || fits);
    }
    let any = |of: &[PaymentState]| world.payments.values().any(|(state, _)| of.contains(state));
    world.order = if world.payments.is_empty() {
        start
    } else if world.payments.values().any(|(_, granted)| *granted) {
        OrderState::Paid
    } else if any(&[PaymentState::Succeeded]) {
        OrderState::UnderReview
    } else if any(&[PaymentState::Pending, PaymentState::RequiresAction]) {
        OrderState::Processing
    } else if world.out_of_time {
        OrderState::Expired
    } else if any(&[PaymentState::Failed, PaymentState::Canceled]) {
        OrderState::Failed
    } else {
        OrderState::Opened
    };
    world
}

const STARTS: [OrderState; 3] = [OrderState::Opened, OrderState::Failed, OrderState::Expired];

#[test]
fn every_sequence_of_up_to_five_facts_ends_where_its_set_says() {
    fn go_on(world: &World, start: OrderState, said: &mut Vec<usize>, alphabet: &[PaymentFacts], seen: &mut usize) {
        let set: BTreeSet<usize> = said.iter().copied().collect();
        let facts: Vec<&PaymentFacts> = set.iter().map(|place| &alphabet[*place]).collect();
        assert_eq!(
            *world,
            outcome(start, &facts),
            "from {start} by {:#?}",
            said.iter().map(|place| &alphabet[*place]).collect::<Vec<_>>()
        );
        *seen += 1;
        if said.len() == 5 {
            return;
        }
        for (place, facts) in alphabet.iter().enumerate() {
            let mut next = world.clone();
            next.learns(facts);
            said.push(place);
            go_on(&next, start, said, alphabet, seen);
            said.pop();
        }
    }
    let alphabet = alphabet();
    for start in STARTS {
        let mut seen = 0;
        go_on(&World::new(start), start, &mut Vec::new(), &alphabet, &mut seen);
        assert_eq!(seen, (0..=5).map(|length| alphabet.len().pow(length)).sum::<usize>());
    }
}

proptest! {
    #![proptest_config(crate::cases::config(2_000))]

    #[test]
    fn every_longer_sequence_ends_where_its_set_says(
        said in prop::collection::vec(prop::sample::select(alphabet()), 6..40),
        start in prop::sample::select(STARTS.to_vec()),
    ) {
        let mut world = World::new(start);
        for facts in &said {
            world.learns(facts);
        }
        prop_assert_eq!(world, outcome(start, &said.iter().collect::<Vec<_>>()));
    }

    #[test]
    fn repeating_everything_changes_nothing(
        said in prop::collection::vec(prop::sample::select(alphabet()), 1..20),
        start in prop::sample::select(STARTS.to_vec()),
    ) {
        let mut world = World::new(start);
        for facts in &said {
            world.learns(facts);
        }
        let settled = world.clone();
        for facts in said.iter().rev() {
            if let Decision::Change(change) = world.learns(facts) {
                prop_assert!(!change.grant);
            }
        }
        prop_assert_eq!(world, settled);
    }
}

#[test]
fn what_is_not_ours_changes_nothing_and_says_why() {
    let paid = alphabet().into_iter().find(|facts| facts.state == PaymentState::Succeeded).unwrap();
    let account = |account: Option<&str>| PaymentFacts { account: account.map(str::to_owned), ..paid.clone() };
    let checkout = |checkout: Option<&str>| PaymentFacts { checkout_id: checkout.map(str::to_owned), ..paid.clone() };
    let stripe = PaymentFacts { provider: Provider::Stripe, ..paid.clone() };
    for (facts, misfit) in [
        (account(None), Misfit::ForeignAccount),
        (account(Some("")), Misfit::ForeignAccount),
        (account(Some("BIZ_OURS")), Misfit::ForeignAccount),
        (checkout(None), Misfit::ForeignCheckout),
        (checkout(Some("ch_other")), Misfit::ForeignCheckout),
        (stripe, Misfit::ForeignCheckout),
    ] {
        let mut world = World::new(OrderState::Opened);
        assert_eq!(world.learns(&facts), Decision::Quarantine(misfit), "{facts:?}");
        assert_eq!(world, World::new(OrderState::Opened));
    }
}

#[test]
fn money_that_does_not_fit_waits_for_a_person() {
    let paid = alphabet().into_iter().find(|facts| facts.state == PaymentState::Succeeded).unwrap();
    let euro = Money::new(PRICE.minor, "eur".parse().unwrap());
    for amount in
        [None, Some(Money::usd(749)), Some(Money::usd(751)), Some(Money::usd(0)), Some(Money::usd(-750)), Some(euro)]
    {
        let mut world = World::new(OrderState::Opened);
        let Decision::Change(change) = world.learns(&PaymentFacts { paid: amount, ..paid.clone() }) else {
            panic!("it is an order of ours")
        };
        assert_eq!((change.grant, change.misfit), (false, Some(Misfit::Amount)), "{amount:?}");
        assert_eq!(world.order, OrderState::UnderReview);
    }
}

#[test]
fn an_order_without_a_checkout_or_a_price_is_never_paid_by_a_webhook() {
    let paid = alphabet().into_iter().find(|facts| facts.state == PaymentState::Succeeded).unwrap();
    let order = |checkout_id: Option<&str>, price| Ordered {
        provider: Provider::Whop,
        checkout_id: checkout_id.map(str::to_owned),
        price,
        state: OrderState::Opened,
        out_of_time: false,
    };
    assert_eq!(decide(&order(None, Some(PRICE)), &[], &paid, OURS), Decision::Quarantine(Misfit::ForeignCheckout));
    let nowhere = PaymentFacts { checkout_id: None, ..paid.clone() };
    assert_eq!(decide(&order(None, Some(PRICE)), &[], &nowhere, OURS), Decision::Quarantine(Misfit::ForeignCheckout));
    for unpriced in [paid.clone(), PaymentFacts { paid: None, ..paid }] {
        let Decision::Change(change) = decide(&order(Some(CHECKOUT), None), &[], &unpriced, OURS) else {
            panic!("it is an order of ours")
        };
        assert_eq!((change.grant, change.misfit), (false, Some(Misfit::Amount)));
    }
}
