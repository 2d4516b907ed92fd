//! Paying back at Whop, against a scripted server.

#![expect(clippy::unwrap_used, reason = "tests")]

use atlas::events::Fact;
use atlas::providers::whop::Whop;
use atlas::providers::{PaymentProvider, ProviderError, RefundOrder, Refunding};
use domain::{Money, RefundRequestId, RefundState};
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::whop_scene::{asked, fixture, header, ok, scene, status};

const REQUEST: &str = "0199a0b2-7000-7000-8000-000000000001";

fn refund_order() -> RefundOrder {
    let request: RefundRequestId = REQUEST.parse().unwrap();
    RefundOrder { request, payment_id: "pay_Ex0001".to_owned(), amount: Money::usd(325) }
}

/// Whop answers a refund with this, and lists these refunds.
async fn pays_back(answer: ResponseTemplate, refunds: &[Value]) -> (MockServer, Box<dyn PaymentProvider>) {
    let (server, client) = scene().await;
    let whop = Box::new(Whop::new(client));
    Mock::given(path("/api/v1/payments/pay_Ex0001/refund")).respond_with(answer).mount(&server).await;
    let page = json!({"data": refunds, "page_info": {"end_cursor": null, "has_next_page": false}});
    Mock::given(path("/api/v1/refunds")).respond_with(ok(&page)).mount(&server).await;
    (server, whop)
}

fn refund_of(changes: &Value) -> Value {
    let mut refund = fixture("/objects/refund");
    for (key, value) in changes.as_object().unwrap() {
        refund[key] = value.clone();
    }
    refund
}

#[tokio::test]
async fn a_refund_is_told_with_its_exact_amount_its_key_and_whose_request_it_is() {
    let ours = refund_of(&json!({"metadata": {"refund_request": REQUEST}, "status": "pending"}));
    let other = refund_of(&json!({"id": "rf_Other", "payment_id": "pay_Other"}));
    let (server, whop) = pays_back(ok(&fixture("/objects/payment")), &[ours, other]).await;
    let Refunding::Taken(facts) = whop.refund(&refund_order()).await.unwrap() else { panic!("refused") };
    let [Fact::Refund(refund)] = &facts[..] else { panic!("{facts:?}") };
    assert_eq!((refund.request, refund.state), (Some(refund_order().request), RefundState::Pending));
    assert_eq!(whop.refund(&refund_order()).await.unwrap(), Refunding::Taken(facts));
    let asked = asked(&server).await;
    let posts: Vec<_> = asked.iter().filter(|request| request.method.as_str() == "POST").collect();
    assert_eq!(posts.len(), 2);
    for post in posts {
        assert_eq!(header(post, "idempotency-key"), format!("refund-{REQUEST}"));
        let body = String::from_utf8_lossy(&post.body).into_owned();
        assert_eq!(body, format!(r#"{{"partial_amount":3.25,"metadata":{{"refund_request":"{REQUEST}"}}}}"#));
    }
}

#[tokio::test]
async fn a_refund_that_was_taken_is_taken_even_when_it_can_not_be_read_yet() {
    for refunds in [vec![], vec![refund_of(&json!({"status": "dreaming"}))]] {
        let (_server, whop) = pays_back(ok(&fixture("/objects/payment")), &refunds).await;
        assert_eq!(whop.refund(&refund_order()).await.unwrap(), Refunding::Taken(vec![]));
    }
}

#[tokio::test]
async fn a_no_is_final_and_anything_else_is_not_known_or_was_not_done() {
    let says = |code: u16, message: &str| {
        ResponseTemplate::new(code).set_body_json(json!({"error": {"type": "bad_request", "message": message}}))
    };
    let (_server, whop) = pays_back(says(400, "This payment is not refundable"), &[]).await;
    let no = Refunding::Refused("Whop says: This payment is not refundable".to_owned());
    assert_eq!(whop.refund(&refund_order()).await.unwrap(), no);
    let (_server, whop) = pays_back(status(404), &[]).await;
    assert!(matches!(whop.refund(&refund_order()).await.unwrap(), Refunding::Refused(_)));
    let about_the_key = says(400, "This Idempotency-Key was already used with a different request");
    for unknown in [status(500), status(503), status(409), status(429), about_the_key] {
        let (_server, whop) = pays_back(unknown, &[]).await;
        let error = whop.refund(&refund_order()).await.unwrap_err();
        assert!(matches!(error, ProviderError::Unreachable(_)), "{error:?}");
    }
    for ours in [status(401), status(403)] {
        let (_server, whop) = pays_back(ours, &[]).await;
        let error = whop.refund(&refund_order()).await.unwrap_err();
        assert!(matches!(error, ProviderError::Misconfigured(_)), "{error:?}");
    }
}
