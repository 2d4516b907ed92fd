//! Bodies that nobody should send: whatever they are, they are answered with a value.

use domain::{Money, PaymentState};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Content, Fact, Unfit, facts_of, fixture, read, unfit};

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
        if let Content::Fact(Fact::Payment(facts)) = event.content {
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
