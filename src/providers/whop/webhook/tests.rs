//! Both envelopes, both ages of payments, and every state.

#![expect(clippy::unwrap_used, reason = "tests")]

use domain::{DisputeState, FailureReason, Money, Provider, RefundState};
use serde_json::{Value, json};
use time::macros::datetime;

use super::*;
use crate::events::{DisputeFacts, Failure, RefundFacts};

mod hostile;

fn fixture(pointer: &str) -> Value {
    let file: Value = serde_json::from_str(include_str!("../../../../tests/vectors/whop-fixtures.json")).unwrap();
    file.pointer(pointer).unwrap().clone()
}

fn event(kind: &str, changes: &Value) -> ReadEvent {
    let mut envelope = fixture("/webhooks/payment.succeeded");
    envelope["type"] = kind.into();
    merge(&mut envelope["data"], changes);
    read(envelope.to_string().as_bytes()).unwrap()
}

fn merge(target: &mut Value, changes: &Value) {
    for (key, value) in changes.as_object().unwrap() {
        target[key] = value.clone();
    }
}

fn facts_of(event: ReadEvent) -> PaymentFacts {
    match event.content {
        Content::Fact(Fact::Payment(facts)) => facts,
        other => panic!("{other:?}"),
    }
}

fn unfit(event: &ReadEvent) -> &'static str {
    match event.content {
        Content::Unreadable(reason) => reason,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_collected_payment_is_read_whole() {
    let event = event("payment.succeeded", &json!({"metadata": {"order_id": "0199a0b2-7000-7000-8000-000000000001"}}));
    assert_eq!((event.kind.as_str(), event.object_id.as_deref()), ("payment.succeeded", Some("pay_Ex0001")));
    assert_eq!(
        facts_of(event),
        PaymentFacts {
            provider: Provider::Whop,
            payment_id: "pay_Ex0001".to_owned(),
            account: Some("biz_Ex0001".to_owned()),
            checkout_id: Some("ch_Ex0001".to_owned()),
            order_hint: Some("0199a0b2-7000-7000-8000-000000000001".parse().unwrap()),
            state: PaymentState::Succeeded,
            paid: Some(Money::usd(750)),
            charged: Some(Money::usd(750)),
            paid_at: Some(datetime!(2026-10-15 11:59:58.412 UTC)),
            method: Some("visa •••• 4242".to_owned()),
            failure: None,
            refunded: None,
            disputed: false,
        }
    );
}

#[test]
fn an_older_payment_in_an_older_envelope_says_the_same() {
    let body = br#"{"id":"msg_1","type":"payment.succeeded","api_version":"v1","api_version_date":null,
        "timestamp":"2026-10-15T12:00:05.250Z","company_id":"biz_Ex0001","data":{"id":"pay_Ex0001","status":"paid",
        "substatus":"succeeded","currency":"usd","total":7.5,"subtotal":7.5,"tax_amount":null,
        "company":{"id":"biz_Ex0001","route":"credits","title":"Credits Ltd"},"user":{"id":"user_1","username":"ada"},
        "plan":{"id":"plan_1"},"checkout_configuration_id":"ch_Ex0001","paid_at":"2026-10-15T11:59:58.412Z",
        "metadata":{"order_id":"ord_0001","credits":5000},"refunds":[],"payment_method_type":"card",
        "payment_method":{"id":"payt_1","payment_method_type":"card","card":{"brand":"visa","last4":"4242"}}}}"#;
    let new = facts_of(event("payment.succeeded", &json!({})));
    assert_eq!(facts_of(read(body).unwrap()), new);
}

#[test]
fn states_come_from_the_name_and_the_data() {
    use PaymentState::{Canceled, Created, Failed, Pending, RequiresAction, Succeeded};
    for (kind, status, substatus, state) in [
        ("payment.created", "open", "incomplete", Created),
        ("payment.created", "draft", "drafted", Created),
        ("payment.pending", "pending", "pending", Pending),
        ("payment.authorized", "authorized", "requires_capture", Pending),
        ("payment.requires_action", "open", "incomplete", RequiresAction),
        ("payment.failed", "open", "failed", Failed),
        ("payment.failed", "open", "incomplete", Failed),
        ("payment.failed", "uncollectible", "uncollectible", Failed),
        ("payment.failed", "unresolved", "unresolved", Failed),
        ("payment.canceled", "void", "canceled", Canceled),
        ("payment.succeeded", "paid", "succeeded", Succeeded),
        ("payment.succeeded", "paid", "dispute_won", Succeeded),
        ("payment.succeeded", "paid", "a_substatus_of_tomorrow", Succeeded),
        // The data is ahead of the name.
        ("payment.created", "open", "blocked", Failed),
        ("payment.created", "pending", "pending", Pending),
        ("payment.pending", "paid", "succeeded", Succeeded),
    ] {
        let facts = facts_of(event(kind, &json!({"status": status, "substatus": substatus})));
        assert_eq!(facts.state, state, "{kind} {status}/{substatus}");
        assert_eq!(facts.paid.is_some(), state == Succeeded);
        assert_eq!(facts.failure.is_some(), matches!(state, Failed | Canceled));
    }
    let waiting = json!({"status": "open", "substatus": "incomplete", "recovery_url": "https://whop.com/3ds"});
    assert_eq!(facts_of(event("payment.created", &waiting)).state, RequiresAction);
}

#[test]
fn money_is_not_believed_where_something_speaks_against_it() {
    for status in ["open", "draft", "authorized", "pending", "void", "uncollectible", "unresolved"] {
        assert_eq!(
            unfit(&event("payment.succeeded", &json!({"status": status}))),
            Unfit::StateMismatch.as_str(),
            "{status}"
        );
    }
    for kind in ["payment.failed", "payment.canceled"] {
        assert_eq!(unfit(&event(kind, &json!({}))), Unfit::StateMismatch.as_str());
    }
    for kind in ["payment.succeeded", "payment.created", "payment.failed"] {
        assert_eq!(unfit(&event(kind, &json!({"status": "succeeded"}))), Unfit::UnknownStatus.as_str());
    }
    for absent in [json!({"status": null}), json!({"status": 7}), json!({"id": null})] {
        assert_eq!(unfit(&event("payment.succeeded", &absent)), Unfit::Shape.as_str());
    }
    for id in ["", "pay 1", "pay_\u{0}", "../refunds"] {
        let event = event("payment.succeeded", &json!({"id": id}));
        assert_eq!((unfit(&event), event.object_id), (Unfit::Id.as_str(), None));
    }
}

#[test]
fn what_was_taken_back_meanwhile_is_said_with_the_payment() {
    let said = |substatus: &str, refunded: Value| {
        let changes = json!({"status": "paid", "substatus": substatus, "refunded_amount": refunded});
        let facts = facts_of(event("payment.succeeded", &changes));
        (facts.refunded.map(|refunded| refunded.minor), facts.disputed)
    };
    assert_eq!(said("succeeded", money("0.00")), (None, false));
    assert_eq!(said("refunded", money("7.50")), (Some(750), false));
    assert_eq!(said("refunded", Value::Null), (Some(750), false), "all of it");
    assert_eq!(said("auto_refunded", Value::Null), (Some(750), false));
    assert_eq!(said("partially_refunded", money("2.50")), (Some(250), false));
    assert_eq!(said("partially_refunded", Value::Null), (Some(0), false), "to be asked for");
    for open in ["open_dispute", "dispute_needs_response", "dispute_lost", "dispute_closed", "open_resolution"] {
        assert_eq!(said(open, Value::Null), (None, true), "{open}");
    }
    for over in ["dispute_won", "dispute_warning_closed", "resolution_won"] {
        assert_eq!(said(over, Value::Null), (None, false), "{over}");
    }
    let odd = event("payment.succeeded", &json!({"refunded_amount": money("-1.00")}));
    assert_eq!(unfit(&odd), Unfit::Amount.as_str());
}

#[test]
fn the_account_is_one_or_unknown() {
    assert_eq!(unfit(&event("payment.succeeded", &json!({"account_id": "biz_Other"}))), Unfit::Account.as_str());
    assert_eq!(unfit(&event("payment.succeeded", &json!({"company": {"id": "biz_Other"}}))), Unfit::Account.as_str());
    let inner_unsaid = facts_of(event("payment.succeeded", &json!({"account_id": null})));
    assert_eq!(inner_unsaid.account.as_deref(), Some("biz_Ex0001"));

    let mut envelope = fixture("/webhooks/payment.succeeded");
    envelope["company_id"] = "biz_Other".into();
    assert_eq!(unfit(&read(envelope.to_string().as_bytes()).unwrap()), Unfit::Account.as_str());
    envelope["account_id"] = Value::Null;
    assert_eq!(unfit(&read(envelope.to_string().as_bytes()).unwrap()), Unfit::Account.as_str());
    envelope["company_id"] = Value::Null;
    envelope["data"]["account_id"] = Value::Null;
    assert_eq!(facts_of(read(envelope.to_string().as_bytes()).unwrap()).account, None);
}

fn money(amount: &str) -> Value {
    json!({"amount": amount, "currency": "usd", "decimals": 2, "display_decimals": 2})
}

#[test]
fn what_was_paid_is_without_the_tax_on_top() {
    for (total, tax, behavior, paid) in [
        ("9.00", Some("1.50"), Some("exclusive"), Money::usd(750)),
        ("7.50", Some("1.20"), Some("inclusive"), Money::usd(750)),
        ("7.50", Some("0.00"), Some("unspecified"), Money::usd(750)),
        ("7.50", None, Some("exclusive"), Money::usd(750)),
        ("7.50", None, None, Money::usd(750)),
        ("0.00", None, None, Money::usd(0)),
    ] {
        let changes = json!({"total": money(total), "tax_amount": tax.map(money), "tax_behavior": behavior});
        assert_eq!(facts_of(event("payment.succeeded", &changes)).paid, Some(paid), "{total} {tax:?} {behavior:?}");
    }
    for unfit_money in [
        json!({"total": null}),
        json!({"total": money("7.505")}),
        json!({"total": money("-7.50")}),
        json!({"total": {"amount": "7.50", "currency": "eur"}}),
        json!({"currency": "whop_usd", "total": 7.5}),
        json!({"currency": null, "total": 7.5}),
        json!({"tax_behavior": "exclusive", "tax_amount": money("8.00")}),
        json!({"tax_behavior": "exclusive", "tax_amount": money("-1.00")}),
        json!({"tax_behavior": "exclusive", "tax_amount": {"amount": "1.00", "currency": "eur"}}),
    ] {
        assert_eq!(unfit(&event("payment.succeeded", &unfit_money)), Unfit::Amount.as_str(), "{unfit_money}");
    }
}

#[test]
fn a_failure_has_a_reason_and_a_clean_sentence() {
    let changes = json!({"status": "open", "substatus": "failed", "decline_code": "insufficient_funds",
        "failure_message": "Your card\u{0} has\ninsufficient funds.", "payment_instrument": null});
    let facts = facts_of(event("payment.failed", &changes));
    let message = Some("Your card has insufficient funds.".to_owned());
    assert_eq!(facts.failure, Some(Failure { reason: FailureReason::InsufficientFunds, message }));
    assert_eq!(facts.method.as_deref(), Some("card"));

    let odd = json!({"status": "open", "substatus": "failed", "decline_code": {"new": 1}, "failure_message": 7});
    let failure = facts_of(event("payment.failed", &odd)).failure;
    assert_eq!(failure, Some(Failure { reason: FailureReason::Declined, message: None }));
}

#[test]
fn a_metadata_of_any_kind_is_only_a_hint() {
    for metadata in [json!(null), json!([1]), json!("x"), json!({"order_id": 7}), json!({"order_id": "\u{0}"})] {
        assert_eq!(facts_of(event("payment.succeeded", &json!({"metadata": metadata}))).order_hint, None);
    }
}

#[test]
fn everything_else_is_kept_but_means_nothing() {
    for kind in ["setup_intent.succeeded", "transfer.completed"] {
        let envelope = fixture("/webhooks").get(kind).unwrap().clone();
        let event = read(envelope.to_string().as_bytes()).unwrap();
        assert_eq!((&event.content, event.kind.as_str()), (&Content::Other, kind));
        assert_eq!(event.object_id.as_deref(), envelope["data"]["id"].as_str());
    }
    let unknown = read(br#"{"type":"payment.of_tomorrow","data":[1e999]}"#).unwrap();
    assert_eq!((unknown.content, unknown.object_id), (Content::Other, None));
}

/// A refund or dispute event with some of its data changed.
fn reversal(kind: &str, changes: &Value) -> Content {
    let mut envelope = fixture("/webhooks").get(kind).unwrap().clone();
    merge(&mut envelope["data"], changes);
    read(envelope.to_string().as_bytes()).unwrap().content
}

#[test]
fn a_refund_says_the_same_in_both_its_shapes() {
    let told = |status: &str, state| {
        let facts = RefundFacts {
            provider: Provider::Whop,
            refund_id: "rf_Ex0001".to_owned(),
            payment_id: "pay_Ex0001".to_owned(),
            account: Some("biz_Ex0001".to_owned()),
            amount: Money::usd(325),
            state,
            request: None,
            failure: None,
        };
        assert_eq!(reversal("refund.created", &json!({"status": status})), Content::Fact(Fact::Refund(facts.clone())));
        let mut envelope = fixture("/webhooks/refund.created");
        envelope["type"] = "refund.updated".into();
        envelope["data"] = fixture("/objects/refund");
        envelope["data"]["status"] = status.into();
        let read = read(envelope.to_string().as_bytes()).unwrap();
        assert_eq!((read.content, read.object_id.as_deref()), (Content::Fact(Fact::Refund(facts)), Some("rf_Ex0001")));
    };
    told("pending", RefundState::Pending);
    told("requires_action", RefundState::RequiresAction);
    told("succeeded", RefundState::Succeeded);
    told("failed", RefundState::Failed);
    told("canceled", RefundState::Canceled);
}

#[test]
fn a_dispute_is_read_in_every_state() {
    for (status, state) in [
        ("warning_needs_response", DisputeState::Inquiry),
        ("warning_under_review", DisputeState::Inquiry),
        ("warning_closed", DisputeState::InquiryClosed),
        ("needs_response", DisputeState::Open),
        ("under_review", DisputeState::Open),
        ("prevented", DisputeState::Prevented),
        ("won", DisputeState::Won),
        ("lost", DisputeState::Lost),
    ] {
        let facts = DisputeFacts {
            provider: Provider::Whop,
            dispute_id: "dspt_Ex0001".to_owned(),
            payment_id: "pay_Ex0001".to_owned(),
            account: Some("biz_Ex0001".to_owned()),
            amount: Some(Money::usd(750)),
            state,
            respond_by: Some(datetime!(2026-10-25 00:00 UTC)),
        };
        let content = reversal("dispute.created", &json!({"status": status}));
        assert_eq!(content, Content::Fact(Fact::Dispute(facts)), "{status}");
    }
}

#[test]
fn a_refund_or_dispute_that_can_not_be_read_takes_nothing() {
    let reason = |content| match content {
        Content::Unreadable(reason) => reason,
        other => panic!("{other:?}"),
    };
    for (changes, unfit) in [
        (json!({"status": "reversed"}), Unfit::UnknownStatus),
        (json!({"status": null}), Unfit::Shape),
        (json!({"amount": 3.255}), Unfit::Amount),
        (json!({"amount": 0}), Unfit::Amount),
        (json!({"amount": -1}), Unfit::Amount),
        (json!({"amount": null}), Unfit::Amount),
        (json!({"currency": null}), Unfit::Amount),
        (json!({"payment": null}), Unfit::Shape),
        (json!({"payment": {"id": "pay 1"}}), Unfit::Id),
        (json!({"account_id": "biz_Other"}), Unfit::Account),
    ] {
        assert_eq!(reason(reversal("refund.created", &changes)), unfit.as_str(), "{changes}");
    }
    for (changes, unfit) in [
        (json!({"status": "closed_somehow"}), Unfit::UnknownStatus),
        (json!({"payment": null}), Unfit::Shape),
        (json!({"payment": {"id": ""}}), Unfit::Id),
        (json!({"amount": "7.505"}), Unfit::Amount),
        (json!({"account_id": "biz_Other"}), Unfit::Account),
    ] {
        assert_eq!(reason(reversal("dispute.created", &changes)), unfit.as_str(), "{changes}");
    }
}
