//! Both envelopes, both ages of payments, every state, and bodies that nobody should send.

#![expect(clippy::unwrap_used, reason = "tests")]

use domain::{FailureReason, Money, Provider};
use proptest::prelude::*;
use serde_json::{Value, json};
use time::macros::datetime;

use super::*;
use crate::events::Failure;

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
        Content::Payment(facts) => facts,
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
            paid_at: Some(datetime!(2026-10-15 11:59:58.412 UTC)),
            method: Some("visa •••• 4242".to_owned()),
            failure: None,
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
        ("payment.succeeded", "paid", "partially_refunded", Succeeded),
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
    for kind in
        ["refund.created", "setup_intent.succeeded", "membership.updated", "dispute.created", "transfer.completed"]
    {
        let envelope = fixture("/webhooks").get(kind).unwrap().clone();
        let event = read(envelope.to_string().as_bytes()).unwrap();
        assert_eq!((&event.content, event.kind.as_str()), (&Content::Other, kind));
        assert_eq!(event.object_id.as_deref(), envelope["data"]["id"].as_str());
    }
    let unknown = read(br#"{"type":"payment.of_tomorrow","data":[1e999]}"#).unwrap();
    assert_eq!((unknown.content, unknown.object_id), (Content::Other, None));
}

#[test]
fn what_is_no_envelope_is_said_to_be_none() {
    let deep = "[".repeat(10_000);
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "{",
        "payment",
        r#"{"type":"payment.succeeded"}"#,
        r#"{"data":{}}"#,
        r#"{"event":"payment.succeeded","data":{}}"#,
        r#"{"action":"payment.succeeded","data":{}}"#,
        r#"{"type":7,"data":{}}"#,
        r#"{"type":"","data":{}}"#,
        r#"{"type":"payment\u0000succeeded","data":{}}"#,
        r#"{"type":"\ud800","data":{}}"#,
        r#"{"type":"a","type":"b","data":{}}"#,
        r#"{"type":"a","data":{},"data":{}}"#,
        r#"{"type":"a","data":{}} x"#,
        "\u{feff}{\"type\":\"a\",\"data\":{}}",
        r#"["a",null,null,null,{}]"#,
        &deep,
    ] {
        assert!(read(body.as_bytes()).is_err(), "{}", &body[..body.len().min(60)]);
    }
    assert!(read(b"{\"type\":\"a\",\"data\":{\"x\":\"\xff\"}}").is_err());
}

#[test]
fn hostile_data_is_unreadable_and_never_money() {
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let start = r#""id":"pay_1","status":"paid","currency":"usd""#;
    for (data, reason) in [
        (format!(r#"{{{start},"total":1e999}}"#), Unfit::Amount.as_str()),
        (format!(r#"{{{start},"total":1234567890123456789012345678901234567890}}"#), Unfit::Amount.as_str()),
        (format!(r#"{{{start},"total":"\ud800"}}"#), Unfit::Shape.as_str()),
        (format!(r#"{{{start},"total":{nested}}}"#), Unfit::Shape.as_str()),
        (format!(r#"{{{start},"status":"paid","total":7.5}}"#), Unfit::Shape.as_str()),
        (format!(r#"{{{start},"total":7.5,"total":9.5}}"#), Unfit::Shape.as_str()),
        (format!(r#"{{{start},"total":7.5,"account_id":"biz_\ud800"}}"#), Unfit::Shape.as_str()),
        (format!(r#"{{{start},"total":7.5,"checkout_configuration_id":"ch_\u0000"}}"#), Unfit::Id.as_str()),
        ("[]".to_owned(), Unfit::Shape.as_str()),
        (nested.clone(), Unfit::Shape.as_str()),
    ] {
        let body = format!(r#"{{"type":"payment.succeeded","account_id":"biz_1","data":{data}}}"#);
        assert_eq!(unfit(&read(body.as_bytes()).unwrap()), reason, "{}", &data[..data.len().min(80)]);
    }
    // In a field that we don't read, none of it matters.
    let body =
        format!(r#"{{"type":"payment.succeeded","data":{{{start},"total":7.5,"x":{nested},"y":1e999,"z":"\ud800"}}}}"#);
    assert_eq!(facts_of(read(body.as_bytes()).unwrap()).paid, Some(Money::usd(750)));
}

/// JSON that is likely to meet our fields.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["paid", "open", "usd", "7.50", "exclusive", "pay_1", "biz_1", "failed"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let keys = prop::sample::select(vec![
            "id",
            "status",
            "total",
            "amount",
            "currency",
            "company",
            "metadata",
            "order_id",
            "card",
            "tax_amount",
            "tax_behavior",
            "payment_instrument",
            "failure_message",
            "checkout_configuration_id",
            "paid_at",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(keys.prop_map(str::to_owned), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&body);
    }

    #[test]
    fn no_data_makes_it_panic_or_pay_without_saying_paid(
        data in json_value(), kind in prop::sample::select(vec!["succeeded", "failed", "created", "canceled"]),
    ) {
        let body = json!({"type": format!("payment.{kind}"), "data": data}).to_string();
        let event = read(body.as_bytes()).unwrap();
        if let Content::Payment(facts) = event.content {
            prop_assert_eq!(facts.state == PaymentState::Succeeded, data["status"] == "paid");
            prop_assert_eq!(facts.paid.is_some(), facts.state == PaymentState::Succeeded);
        }
    }

    #[test]
    fn a_broken_real_event_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut body = fixture("/webhooks/payment.succeeded").to_string().into_bytes();
        let at = at.index(body.len());
        if cut { body.truncate(at) } else { body[at] = byte }
        let _ = read(&body);
    }
}
