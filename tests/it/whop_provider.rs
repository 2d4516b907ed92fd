//! Whop as a place to pay: opening a checkout and looking up its payments, against a scripted server.

#![expect(clippy::unwrap_used, reason = "tests")]

use atlas::events::{Content, Fact};
use atlas::providers::whop::Whop;
use atlas::providers::{Checkout, CheckoutRequest, PaymentProvider, PaymentQuery, ProviderError, Unreadable, Window};
use domain::{Money, PaymentState, Provider};
use serde_json::{Value, json};
use time::macros::datetime;
use wiremock::matchers::{path, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::whop_scene::{answers, asked, fixture, header, ok, scene, status};

const ORDER: &str = "0199a0b2-7000-7000-8000-000000000001";

async fn provider() -> (MockServer, Box<dyn PaymentProvider>) {
    let (server, client) = scene().await;
    (server, Box::new(Whop::new(client)))
}

fn request() -> CheckoutRequest {
    CheckoutRequest {
        order: ORDER.parse().unwrap(),
        title: "Starter, 5,000 credits".to_owned(),
        price: Money::usd(750),
        return_url: format!("https://credits.test/payment/status?order={ORDER}"),
    }
}

fn checkout(changes: &Value) -> ResponseTemplate {
    let mut checkout = fixture("/objects/checkout_configuration");
    checkout["metadata"]["order_id"] = ORDER.into();
    for (key, value) in changes.as_object().unwrap() {
        checkout[key] = value.clone();
    }
    ok(&checkout)
}

#[tokio::test]
async fn a_checkout_is_opened_for_exactly_the_price_under_the_orders_key() {
    let (server, whop) = provider().await;
    answers(&server, [checkout(&json!({}))]).await;
    let opened = whop.open_checkout(&request()).await.unwrap();
    let url = "https://whop.com/checkout/plan_Ex0001/?session=ch_Ex0001".to_owned();
    let expected = Checkout { id: "ch_Ex0001".to_owned(), url, plan_id: Some("plan_Ex0001".to_owned()) };
    assert_eq!(opened, expected);
    assert_eq!(whop.open_checkout(&request()).await.unwrap(), expected);

    let asked = asked(&server).await;
    assert_eq!((asked[0].method.as_str(), asked[0].url.path()), ("POST", "/api/v1/checkout_configurations"));
    let sent: Value = serde_json::from_slice(&asked[0].body).unwrap();
    let mut shape = fixture("/requests/create_checkout_one_time/body");
    shape["plan"].as_object_mut().unwrap().remove("product_id");
    shape["plan"]["title"] = "Starter, 5,000 credits".into();
    shape["metadata"]["order_id"] = ORDER.into();
    shape["redirect_url"] = format!("https://credits.test/payment/status?order={ORDER}").into();
    assert_eq!(sent, shape);
    assert!(String::from_utf8_lossy(&asked[0].body).contains(r#""initial_price":7.50,"#));
    assert!(asked.iter().all(|request| header(request, "idempotency-key") == format!("checkout-{ORDER}")));
    assert_eq!(asked[0].body, asked[1].body);
}

#[tokio::test]
async fn a_long_title_is_cut_to_what_whop_takes() {
    let (server, whop) = provider().await;
    answers(&server, [checkout(&json!({}))]).await;
    let title = "Entèrprise\u{0}, 1,000,000,000,000 credits".to_owned();
    whop.open_checkout(&CheckoutRequest { title, ..request() }).await.unwrap();
    let sent: Value = serde_json::from_slice(&asked(&server).await[0].body).unwrap();
    assert_eq!(sent["plan"]["title"], "Entèrprise, 1,000,000,000,000…");
    assert_eq!(sent["plan"]["title"].as_str().unwrap().chars().count(), 30);
}

#[tokio::test]
async fn a_buyer_is_not_sent_to_a_checkout_that_is_not_ours() {
    for changes in [
        json!({"plan": {"id": "plan_1", "initial_price": 750, "currency": "usd"}}),
        json!({"plan": {"id": "plan_1", "initial_price": 7.5, "currency": "eur"}}),
        json!({"plan": {"id": "plan_1", "initial_price": 7.505, "currency": "usd"}}),
        json!({"metadata": {"order_id": "another"}}),
        json!({"purchase_url": null}),
        json!({"purchase_url": "javascript:alert(1)"}),
        json!({"purchase_url": "/checkout/ch_1"}),
        json!({"id": "ch 1"}),
    ] {
        let (server, whop) = provider().await;
        answers(&server, [checkout(&changes)]).await;
        let error = whop.open_checkout(&request()).await.unwrap_err();
        assert!(matches!(error, ProviderError::Unreadable(_)), "{changes} {error:?}");
    }
    // What is not said is not against us.
    let (server, whop) = provider().await;
    answers(&server, [checkout(&json!({"metadata": null, "plan": null}))]).await;
    assert_eq!(whop.open_checkout(&request()).await.unwrap().plan_id, None);
}

#[tokio::test]
async fn a_checkout_that_can_not_be_made_says_why() {
    for (answer, is_ours) in
        [(status(404), true), (status(401), true), (status(400), true), (status(503), false), (status(409), false)]
    {
        let (server, whop) = provider().await;
        answers(&server, [answer]).await;
        let error = whop.open_checkout(&request()).await.unwrap_err();
        assert_eq!(matches!(error, ProviderError::Misconfigured(_)), is_ours, "{error:?}");
        assert_eq!(matches!(error, ProviderError::Unreachable(_)), !is_ours, "{error:?}");
    }
}

fn query(payment_hint: Option<&str>) -> PaymentQuery {
    PaymentQuery {
        checkout_id: "ch_Ex0001".to_owned(),
        plan_id: Some("plan_Ex0001".to_owned()),
        created_after: datetime!(2026-10-15 12:00 UTC),
        payment_hint: payment_hint.map(ToOwned::to_owned),
    }
}

fn payment(id: &str, changes: &Value) -> Value {
    let mut payment = fixture("/objects/payment");
    payment["id"] = id.into();
    for (key, value) in changes.as_object().unwrap() {
        payment[key] = value.clone();
    }
    payment
}

async fn listed(server: &MockServer, payments: &[Value]) {
    let page = json!({"data": payments, "page_info": {"end_cursor": null, "has_next_page": false}});
    Mock::given(path("/api/v1/payments")).respond_with(ok(&page)).mount(server).await;
}

#[tokio::test]
async fn payments_of_a_checkout_are_found_among_those_of_the_plan() {
    let (server, whop) = provider().await;
    let declined = json!({"status": "open", "substatus": "failed", "decline_code": "expired_card", "account_id": null});
    listed(
        &server,
        &[
            payment("pay_1", &json!({"checkout_configuration_id": "ch_Other"})),
            payment("pay_2", &json!({})),
            payment("pay_3", &json!({"checkout_configuration_id": null})),
            payment("pay_4", &declined),
        ],
    )
    .await;
    let found = whop.payments_of(&query(None)).await.unwrap();
    let states: Vec<_> = found.iter().map(|facts| (facts.payment_id.as_str(), facts.state, facts.paid)).collect();
    let expected = [("pay_2", PaymentState::Succeeded, Some(Money::usd(750))), ("pay_4", PaymentState::Failed, None)];
    assert_eq!(states, expected);
    assert!(found.iter().all(|facts| facts.account.as_deref() == Some("biz_Ex0001")));
    let asked = asked(&server).await;
    let filter = asked[0].url.query_pairs().into_owned().collect::<std::collections::BTreeMap<_, _>>();
    assert_eq!((filter["plan_id"].as_str(), filter["account_id"].as_str()), ("plan_Ex0001", "biz_Ex0001"));
    assert_eq!((filter["created_after"].as_str(), filter["direction"].as_str()), ("2026-10-15T11:50:00Z", "desc"));
}

#[tokio::test]
async fn a_hint_is_only_a_place_to_look() {
    let by_id = || path_regex("^/api/v1/payments/pay_");
    // Not listed yet, but readable; then listed too: once, both times.
    for listed_too in [vec![], vec![payment("pay_9", &json!({}))]] {
        let (server, whop) = provider().await;
        listed(&server, &listed_too).await;
        Mock::given(by_id()).respond_with(ok(&payment("pay_9", &json!({})))).mount(&server).await;
        let found = whop.payments_of(&query(Some("pay_9"))).await.unwrap();
        assert_eq!(found.iter().map(|facts| facts.payment_id.as_str()).collect::<Vec<_>>(), ["pay_9"]);
    }
    // Somebody else's, and one that doesn't exist.
    let foreign = payment("pay_9", &json!({"checkout_configuration_id": "ch_Other"}));
    for answer in [ok(&foreign), status(404)] {
        let (server, whop) = provider().await;
        listed(&server, &[]).await;
        Mock::given(by_id()).respond_with(answer).mount(&server).await;
        assert_eq!(whop.payments_of(&query(Some("pay_9"))).await.unwrap(), []);
    }
    // Nonsense is not even asked for.
    let (server, whop) = provider().await;
    listed(&server, &[]).await;
    for nonsense in ["", "../webhooks", "pay_9/refund", "\u{0}"] {
        assert_eq!(whop.payments_of(&query(Some(nonsense))).await.unwrap(), []);
    }
    assert!(asked(&server).await.iter().all(|request| request.url.path() == "/api/v1/payments"));
}

#[tokio::test]
async fn what_can_not_be_read_is_never_taken_for_paid() {
    for changes in [
        json!({"status": "succeeded"}),
        json!({"total": null}),
        json!({"total": {"amount": "7.505", "currency": "usd"}}),
    ] {
        let (server, whop) = provider().await;
        listed(&server, &[payment("pay_1", &changes)]).await;
        let error = whop.payments_of(&query(None)).await.unwrap_err();
        assert!(matches!(error, ProviderError::Unreadable(_)), "{error:?}");
        let (server, whop) = provider().await;
        listed(&server, &[payment("pay_1", &changes), payment("pay_2", &json!({}))]).await;
        let found = whop.payments_of(&query(None)).await.unwrap();
        assert_eq!(found.iter().map(|facts| facts.payment_id.as_str()).collect::<Vec<_>>(), ["pay_2"]);
    }
}

#[tokio::test]
async fn the_search_ends_after_five_pages() {
    let (server, whop) = provider().await;
    let page = |n: u32| {
        let info = json!({"end_cursor": format!("c{n}"), "has_next_page": true});
        ok(&json!({"data": [payment("pay_1", &json!({"checkout_configuration_id": "ch_Other"}))], "page_info": info}))
    };
    answers(&server, (1..20).map(page)).await;
    assert_eq!(whop.payments_of(&query(None)).await.unwrap(), []);
    assert_eq!(asked(&server).await.len(), 5);
}

#[tokio::test]
async fn the_payments_of_a_window_come_page_by_page_and_none_is_passed_over() {
    let (server, whop) = provider().await;
    let page = |payments: &[Value], cursor: Option<&str>| {
        ok(&json!({"data": payments, "page_info": {"end_cursor": cursor, "has_next_page": cursor.is_some()}}))
    };
    let unsaid = json!({"account_id": null, "checkout_configuration_id": null});
    let strange = json!({"status": "dreaming"});
    answers(
        &server,
        [
            page(&[payment("pay_1", &json!({})), payment("pay_2", &strange)], Some("c1")),
            page(&[payment("pay_3", &unsaid)], None),
        ],
    )
    .await;
    let window = Window { from: datetime!(2026-11-20 00:00 UTC), to: datetime!(2026-11-21 00:00 UTC) };
    let first = whop.payments_between(window, None).await.unwrap();
    let ids: Vec<_> = first.payments.iter().map(|facts| facts.payment_id.as_str()).collect();
    assert_eq!((ids, first.next.as_deref()), (vec!["pay_1"], Some("c1")));
    let unreadable = Unreadable { payment_id: "pay_2".to_owned(), reason: "unknown_status".to_owned() };
    assert_eq!(first.unreadable, [unreadable]);
    let last = whop.payments_between(window, Some("c1")).await.unwrap();
    assert_eq!((last.payments.len(), &last.next, last.payments[0].account.as_deref()), (1, &None, Some("biz_Ex0001")));

    let asked: Vec<String> =
        asked(&server).await.iter().map(|request| request.url.query().unwrap().to_owned()).collect();
    for part in ["created_after=2026-11-20T00%3A00%3A00Z", "created_before=2026-11-21T00%3A00%3A00Z"] {
        assert!(asked.iter().all(|query| query.contains(part)), "{asked:?}");
    }
    assert!(!asked[0].contains("after=c1") && asked[1].contains("after=c1"), "{asked:?}");
}

#[tokio::test]
async fn it_is_whop_and_reads_whops_events() {
    let (_server, whop) = provider().await;
    assert_eq!((whop.name(), whop.account()), (Provider::Whop, "biz_Ex0001"));
    let event = whop.read_event(fixture("/webhooks/payment.succeeded").to_string().as_bytes()).unwrap();
    let Content::Fact(Fact::Payment(facts)) = event.content else { panic!("{event:?}") };
    assert_eq!((facts.account.as_deref(), facts.paid), (Some(whop.account()), Some(Money::usd(750))));
    assert!(whop.read_event(b"<html>").is_err());
}
