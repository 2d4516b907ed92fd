//! The rule is free of order: whatever the permutation and the repetitions, the same set of facts ends in the same books,
//! the same grants and the same credits taken back. Shown for every sequence of up to six facts, and for random longer
//! ones, against a model that knows no order at all.

mod model;

use std::collections::BTreeSet;

use atlas::events::{Fact, PaymentFacts};
use atlas::ids;
use atlas::orders::books::{Books, Changed};
use atlas::orders::decide::{Misfit, Verdict, learn};
use domain::{DisputeState, Money, OrderState, PaymentState, RefundState, TransactionId};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use self::model::{CHECKOUT, End, OURS, PRICE, books, dispute, end_of, model, payment, refund};

/// One payment, and everything that may take it back.
fn one_payment() -> Vec<Fact> {
    vec![
        payment("pay_1", PaymentState::Pending),
        payment("pay_1", PaymentState::Failed),
        payment("pay_1", PaymentState::Succeeded),
        refund("rf_1", "pay_1", 250, RefundState::Pending),
        refund("rf_1", "pay_1", 250, RefundState::Succeeded),
        refund("rf_2", "pay_1", 600, RefundState::Succeeded),
        dispute("dp_1", "pay_1", Some(400), DisputeState::Open),
        dispute("dp_1", "pay_1", Some(400), DisputeState::Won),
        dispute("dp_2", "pay_1", None, DisputeState::Lost),
    ]
}

/// All that may be said: two payments in all states, fitting and not, refunds and disputes in all states, what the
/// payment says of them itself, and what is not ours.
fn everything() -> Vec<Fact> {
    let with = |change: &dyn Fn(&mut PaymentFacts)| {
        let Fact::Payment(mut facts) = payment("pay_1", PaymentState::Succeeded) else { panic!("a payment") };
        change(&mut facts);
        Fact::Payment(facts)
    };
    let mut all = one_payment();
    all.extend(PaymentState::ALL.iter().flat_map(|state| [payment("pay_1", *state), payment("pay_2", *state)]));
    all.extend(RefundState::ALL.iter().map(|state| refund("rf_1", "pay_1", 250, *state)));
    all.extend(RefundState::ALL.iter().map(|state| refund("rf_3", "pay_2", 750, *state)));
    all.extend(DisputeState::ALL.iter().map(|state| dispute("dp_1", "pay_1", Some(400), *state)));
    all.extend(DisputeState::ALL.iter().map(|state| dispute("dp_3", "pay_2", None, *state)));
    all.push(with(&|facts| facts.paid = Some(Money::usd(749))));
    all.push(with(&|facts| facts.paid = None));
    all.push(with(&|facts| facts.refunded = Some(Money::usd(100))));
    all.push(with(&|facts| facts.refunded = Some(PRICE)));
    all.push(with(&|facts| facts.disputed = true));
    all.push(with(&|facts| facts.account = Some("biz_other".to_owned())));
    all.push(with(&|facts| facts.account = None));
    all.push(with(&|facts| facts.checkout_id = Some("ch_other".to_owned())));
    all.push(refund("rf_4", "pay_nowhere", 100, RefundState::Succeeded));
    all
}

const STARTS: [OrderState; 3] = [OrderState::Opened, OrderState::Failed, OrderState::Expired];

/// Takes one fact in, and watches that nothing is granted twice or comes back.
fn learns(books: &mut Books, fact: &Fact) -> Verdict {
    let before = books.clone();
    books.changed = Changed::default();
    let verdict = learn(books, fact, OURS, TransactionId::from_uuid(ids::fresh()));
    for (id, payment) in &books.payments {
        let was = before.payments.get(id);
        let granted_before = was.and_then(|was| was.granted);
        assert_eq!(books.changed.granted.contains(id), granted_before.is_none() && payment.granted.is_some());
        assert!(granted_before.is_none() || granted_before == payment.granted, "{id} is granted twice");
        let before = was.map(|was| (was.taken_back, was.bonus_back)).unwrap_or_default();
        assert_eq!(books.changed.taken_back.contains_key(id), before != (payment.taken_back, payment.bonus_back));
        assert_eq!(books.changed.payments.contains(id), was != Some(payment));
    }
    verdict
}

fn ends(start: OrderState, said: &[&Fact]) -> End {
    let mut books = books(start);
    for fact in said {
        learns(&mut books, fact);
    }
    end_of(&books)
}

/// Every sequence of up to `length` facts, prefixes included, from each start. How many there were.
fn every_sequence(alphabet: &[Fact], length: usize) -> usize {
    fn go_on(known: &Books, start: OrderState, said: &mut Vec<usize>, left: usize, alphabet: &[Fact]) -> usize {
        let set: BTreeSet<usize> = said.iter().copied().collect();
        let facts: Vec<&Fact> = set.iter().map(|place| &alphabet[*place]).collect();
        let told = || said.iter().map(|place| &alphabet[*place]).collect::<Vec<_>>();
        assert_eq!(end_of(known), model(start, &facts), "from {start} by {:#?}", told());
        if left == 0 {
            return 1;
        }
        let mut seen = 1;
        for (place, fact) in alphabet.iter().enumerate() {
            let mut next = known.clone();
            learns(&mut next, fact);
            said.push(place);
            seen += go_on(&next, start, said, left - 1, alphabet);
            said.pop();
        }
        seen
    }
    STARTS.iter().map(|start| go_on(&books(*start), *start, &mut Vec::new(), length, alphabet)).sum()
}

#[test]
fn every_sequence_of_up_to_four_facts_ends_where_its_set_says() {
    assert_eq!(every_sequence(&one_payment(), 4), 3 * (0..=4).map(|length| 9_usize.pow(length)).sum::<usize>());
}

#[test]
#[ignore = "minutes; run by `make sequences`"]
fn every_sequence_of_up_to_six_facts_ends_where_its_set_says() {
    let seen = every_sequence(&one_payment(), 6);
    println!("{seen} sequences");
    assert_eq!(seen, 3 * (0..=6).map(|length| 9_usize.pow(length)).sum::<usize>());
}

#[test]
#[ignore = "minutes; run by `make sequences`"]
fn ten_thousand_sequences_of_500_facts_end_where_their_sets_say() {
    let fact = prop::sample::select(everything());
    for number in 0..10_000 {
        let mut runner = crate::cases::numbered(number);
        let said: Vec<Fact> = (0..500).map(|_| fact.new_tree(&mut runner).unwrap().current()).collect();
        let said: Vec<&Fact> = said.iter().collect();
        for start in STARTS {
            assert_eq!(ends(start, &said), model(start, &said), "sequence {number} from {start}");
        }
    }
}

proptest! {
    #![proptest_config(crate::cases::config(2_000))]

    #[test]
    fn every_longer_sequence_ends_where_its_set_says(
        said in prop::collection::vec(prop::sample::select(everything()), 4..40),
        start in prop::sample::select(STARTS.to_vec()),
    ) {
        let said: Vec<&Fact> = said.iter().collect();
        prop_assert_eq!(ends(start, &said), model(start, &said));
    }

    #[test]
    fn repeating_everything_changes_nothing(
        said in prop::collection::vec(prop::sample::select(everything()), 1..20),
        start in prop::sample::select(STARTS.to_vec()),
    ) {
        let mut books = books(start);
        for fact in &said {
            learns(&mut books, fact);
        }
        let settled = end_of(&books);
        for fact in said.iter().rev() {
            learns(&mut books, fact);
            prop_assert!(books.changed.granted.is_empty() && books.changed.taken_back.is_empty());
            prop_assert!(books.changed.refunds.is_empty() && books.changed.disputes.is_empty());
        }
        prop_assert_eq!(end_of(&books), settled);
    }
}

#[test]
fn what_is_not_ours_changes_nothing_and_says_why() {
    let Fact::Payment(paid) = payment("pay_1", PaymentState::Succeeded) else { panic!("a payment") };
    let account = |account: Option<&str>| PaymentFacts { account: account.map(str::to_owned), ..paid.clone() };
    let checkout = |checkout: Option<&str>| PaymentFacts { checkout_id: checkout.map(str::to_owned), ..paid.clone() };
    for (facts, misfit) in [
        (account(None), Misfit::ForeignAccount),
        (account(Some("")), Misfit::ForeignAccount),
        (account(Some("BIZ_OURS")), Misfit::ForeignAccount),
        (checkout(None), Misfit::UnknownOrder),
        (checkout(Some("ch_other")), Misfit::UnknownOrder),
    ] {
        let mut books = books(OrderState::Opened);
        assert_eq!(learns(&mut books, &Fact::Payment(facts.clone())), Verdict::Quarantined(misfit, None), "{facts:?}");
        assert_eq!(end_of(&books), ends(OrderState::Opened, &[]));
    }
}

#[test]
fn money_that_does_not_fit_waits_for_a_person() {
    let Fact::Payment(paid) = payment("pay_1", PaymentState::Succeeded) else { panic!("a payment") };
    let euro = Money::new(PRICE.minor, "eur".parse().unwrap());
    for amount in
        [None, Some(Money::usd(749)), Some(Money::usd(751)), Some(Money::usd(0)), Some(Money::usd(-750)), Some(euro)]
    {
        let mut books = books(OrderState::Opened);
        let verdict = learns(&mut books, &Fact::Payment(PaymentFacts { paid: amount, ..paid.clone() }));
        assert!(matches!(verdict, Verdict::Quarantined(Misfit::Amount, Some(_))), "{amount:?}: {verdict:?}");
        assert!(books.payments["pay_1"].granted.is_none());
        assert_eq!(books.orders.values().next().unwrap().state, OrderState::UnderReview);
    }
}

#[test]
fn an_order_without_a_price_is_never_paid_by_a_webhook() {
    let Fact::Payment(paid) = payment("pay_1", PaymentState::Succeeded) else { panic!("a payment") };
    for facts in [paid.clone(), PaymentFacts { paid: None, ..paid }] {
        let mut books = books(OrderState::Opened);
        books.orders.values_mut().next().unwrap().price = None;
        assert!(matches!(learns(&mut books, &Fact::Payment(facts)), Verdict::Quarantined(Misfit::Amount, _)));
        assert!(books.payments["pay_1"].granted.is_none());
    }
}

#[test]
fn a_refund_or_dispute_keeps_its_payment() {
    let mut books = books(OrderState::Opened);
    for fact in [
        payment("pay_1", PaymentState::Succeeded),
        refund("rf_1", "pay_1", 250, RefundState::Pending),
        dispute("dp_1", "pay_1", None, DisputeState::Inquiry),
    ] {
        learns(&mut books, &fact);
    }
    let settled = end_of(&books);
    for stolen in
        [refund("rf_1", "pay_2", 250, RefundState::Succeeded), dispute("dp_1", "pay_2", None, DisputeState::Lost)]
    {
        assert!(matches!(learns(&mut books, &stolen), Verdict::Quarantined(Misfit::ForeignPayment, _)));
    }
    assert_eq!(end_of(&books), settled);
    assert_eq!(books.order_of_checkout(CHECKOUT).unwrap().state, OrderState::Paid);
}

#[test]
fn more_refunded_than_charged_takes_everything_and_calls_somebody() {
    let mut books = books(OrderState::Opened);
    learns(&mut books, &payment("pay_1", PaymentState::Succeeded));
    learns(&mut books, &refund("rf_1", "pay_1", 700, RefundState::Succeeded));
    let verdict = learns(&mut books, &refund("rf_2", "pay_1", 51, RefundState::Succeeded));
    assert!(matches!(verdict, Verdict::Quarantined(Misfit::RefundSurplus, Some(_))));
    let payment = &books.payments["pay_1"];
    assert_eq!((payment.taken_back.taken.get(), payment.refunded), (5_000, 750));
}
