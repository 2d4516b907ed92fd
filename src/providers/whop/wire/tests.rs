//! Every shape against whole objects and requests as the API's own types have them.

#![expect(clippy::unwrap_used, reason = "tests")]

use domain::Money;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use time::macros::datetime;

use super::checkout::{CheckoutConfiguration, InlinePlan, NewCheckout};
use super::membership::{Membership, MembershipStatus};
use super::page::{Page, PageInfo};
use super::payment::{NewRefund, Payment, PaymentStatus, PaymentSubstatus};
use super::plan::{NewPlan, Plan, PlanChanges, PlanType, Visibility};
use super::product::Product;
use super::refund::{Refund, RefundStatus};
use super::user::{Access, AccessLevel};
use super::webhook::{Endpoint, NewEndpoint};
use crate::providers::whop::API_VERSION;
use crate::providers::whop::wire::amount::Price;

fn fixture(pointer: &str) -> Value {
    let file: Value = serde_json::from_str(include_str!("../../../../tests/vectors/whop-fixtures.json")).unwrap();
    file.pointer(pointer).unwrap().clone()
}

/// Through text, as it comes from the wire.
fn read<T: DeserializeOwned>(json: &Value) -> T {
    serde_json::from_str(&json.to_string()).unwrap()
}

/// As it goes to the wire.
fn sent(request: &impl Serialize) -> Value {
    serde_json::from_slice(&serde_json::to_vec(request).unwrap()).unwrap()
}

#[test]
fn a_checkout_configuration_is_read() {
    let checkout: CheckoutConfiguration = read(&fixture("/objects/checkout_configuration"));
    assert_eq!((checkout.id.as_str(), checkout.account_id.as_deref()), ("ch_Ex0001", Some("biz_Ex0001")));
    assert_eq!(checkout.purchase_url.as_deref(), Some("https://whop.com/checkout/plan_Ex0001/?session=ch_Ex0001"));
    assert_eq!(checkout.metadata.get("order_id"), Some("ord_0001"));
    assert_eq!(checkout.created_at, Some(datetime!(2026-10-15 12:00 UTC)));
    let plan = checkout.plan.unwrap();
    assert_eq!((plan.id.as_str(), plan.plan_type), ("plan_Ex0001", Some(PlanType::OneTime)));
    assert_eq!(plan.initial_price.unwrap().money(plan.currency.as_deref()), Ok(Money::usd(750)));
    assert_eq!(plan.visibility, Some(Visibility::Hidden));
}

#[test]
fn a_payment_is_read() {
    let payment: Payment = read(&fixture("/objects/payment"));
    assert_eq!((payment.id.as_str(), payment.account()), ("pay_Ex0001", Some("biz_Ex0001")));
    assert_eq!(
        (payment.status.clone(), payment.substatus.clone()),
        (PaymentStatus::Paid, Some(PaymentSubstatus::Succeeded))
    );
    assert_eq!(payment.checkout_configuration_id.as_deref(), Some("ch_Ex0001"));
    for (amount, minor) in [
        (&payment.total, 750),
        (&payment.subtotal, 750),
        (&payment.refunded_amount, 0),
        (&payment.amount_after_fees, 698),
    ] {
        assert_eq!(amount.as_ref().unwrap().money(payment.currency.as_deref()), Ok(Money::usd(minor)));
    }
    assert_eq!(payment.paid_at, Some(datetime!(2026-10-15 11:59:58.412 UTC)));
    assert_eq!(payment.card().unwrap().last4.as_deref(), Some("4242"));
    assert_eq!((payment.tax_amount.clone(), payment.tax_behavior.clone()), (None, None));
    assert_eq!((payment.refundable, payment.plan_id.as_deref()), (Some(true), Some("plan_Ex0001")));
    assert_eq!(
        (payment.member_id.as_deref(), payment.membership_id.as_deref()),
        (Some("mber_Ex0001"), Some("mem_Ex0001"))
    );
}

#[test]
fn both_shapes_of_a_refund_say_the_same() {
    for pointer in
        ["/objects/refund", "/objects/refund_legacy", "/webhooks/refund.created/data", "/objects/list_page/data/0"]
    {
        let refund: Refund = read(&fixture(pointer));
        assert_eq!((refund.id.as_str(), refund.payment()), ("rf_Ex0001", Some("pay_Ex0001")), "{pointer}");
        assert_eq!(refund.status, RefundStatus::Succeeded);
        assert_eq!(refund.amount.unwrap().money(refund.currency.as_deref()), Ok(Money::usd(325)), "{pointer}");
        assert_eq!(refund.metadata.get("reason"), Some("partial"));
    }
    let page: Page<Refund> = read(&fixture("/objects/list_page"));
    assert_eq!(page.data.len(), 1);
    assert_eq!(page.page_info, PageInfo { end_cursor: Some("c2".to_owned()), has_next_page: false });
}

#[test]
fn a_membership_is_read() {
    let membership: Membership = read(&fixture("/objects/membership"));
    assert_eq!((membership.id.as_str(), &membership.status), ("mem_Ex0002", &MembershipStatus::Canceled));
    assert!(!membership.status.gives_access() && !MembershipStatus::Other("valid".to_owned()).gives_access());
    assert!(MembershipStatus::Completed.gives_access());
    assert_eq!(membership.account.map(|account| account.id).as_deref(), Some("biz_Ex0001"));
    assert_eq!(
        (membership.plan_id.as_deref(), membership.user_id.as_deref()),
        (Some("plan_Ex0002"), Some("user_Ex0001"))
    );
    assert_eq!(membership.renewal_price.unwrap().money(None), Ok(Money::usd(1_000)));
    assert_eq!(membership.current_period_end, Some(datetime!(2026-10-15 12:00 UTC)));
    assert_eq!((membership.cancel_at_period_end, membership.billing_period_days), (Some(false), Some(30)));
}

#[test]
fn an_endpoint_is_read_and_its_secret_not_printed() {
    let endpoint: Endpoint = read(&fixture("/objects/webhook_endpoint"));
    assert_eq!((endpoint.id.as_str(), endpoint.enabled), ("hook_Ex0001", Some(true)));
    assert_eq!(endpoint.api_version_date.as_deref(), Some(API_VERSION));
    assert_eq!(endpoint.events.as_deref(), Some(&["payment.succeeded".to_owned(), "refund.created".to_owned()][..]));
    let secret = endpoint.webhook_secret.as_ref().unwrap().expose_secret();
    assert_eq!(secret, fixture("/objects/webhook_endpoint/webhook_secret").as_str().unwrap());
    assert!(!format!("{endpoint:?}").contains(secret));
}

#[test]
fn plans_products_and_access_are_read() {
    let plan: Plan =
        read(&json!({"id": "plan_1", "account": {"id": "biz_1", "title": "Credits Ltd"}, "title": "Starter",
        "plan_type": "one_time", "initial_price": 7.5, "renewal_price": 0, "currency": "usd", "visibility": "hidden",
        "initial_price_due": {"amount": "7.50", "currency": "usd"}, "product": {"id": "prod_1"}, "metadata": null}));
    assert_eq!(plan.initial_price.unwrap().money(plan.currency.as_deref()), Ok(Money::usd(750)));
    assert_eq!((plan.product.unwrap().id.as_str(), plan.visibility), ("prod_1", Some(Visibility::Hidden)));
    let product: Product = read(&json!({"id": "prod_1", "title": "Credits", "visibility": null, "variants": null}));
    assert_eq!((product.title.as_deref(), product.visibility), (Some("Credits"), None));
    let access: Access = read(&json!({"has_access": true, "access_level": "customer"}));
    assert_eq!(access, Access { has_access: true, access_level: Some(AccessLevel::Customer) });
}

#[test]
fn only_what_we_decide_by_has_to_be_there() {
    let payment: Payment = read(&json!({"id": "pay_1", "status": "a_status_of_tomorrow", "new": {"field": 1}}));
    assert_eq!(payment.status, PaymentStatus::Other("a_status_of_tomorrow".to_owned()));
    assert_eq!(payment.status.as_str(), "a_status_of_tomorrow");
    let odd = json!({"id": "pay_1", "status": "open", "failure_message": {"text": "no"}, "created_at": 1_792_065_600,
        "refunded_amount": true, "payment_instrument": "card", "metadata": "x"});
    let payment: Payment = read(&odd);
    assert_eq!((payment.failure_message, payment.created_at, payment.refunded_amount), (None, None, None));
    for broken in
        [json!({"id": "pay_1"}), json!({"status": "paid"}), json!({"id": "pay_1", "status": "paid", "total": {}})]
    {
        assert!(serde_json::from_str::<Payment>(&broken.to_string()).is_err(), "{broken}");
    }
}

#[test]
fn requests_are_sent_as_the_api_has_them() {
    let checkout = NewCheckout {
        account_id: "biz_Ex0001",
        mode: "payment",
        plan: Some(InlinePlan {
            plan_type: PlanType::OneTime,
            initial_price: Price(Money::usd(750)),
            currency: "usd",
            product_id: Some("prod_Ex0001"),
            title: None,
            visibility: Visibility::Hidden,
        }),
        plan_id: None,
        metadata: [("order_id", "ord_0001".to_owned())].into(),
        redirect_url: "https://shop.test/return?order=ord_0001",
    };
    assert_eq!(sent(&checkout), fixture("/requests/create_checkout_one_time/body"));
    let refund =
        NewRefund { partial_amount: Some(Price(Money::usd(325))), metadata: [("reason", "partial".to_owned())].into() };
    assert_eq!(sent(&refund), fixture("/requests/partial_refund/body"));
    assert_eq!(sent(&NewRefund::default()), json!({}));
    let endpoint = NewEndpoint {
        url: "https://shop.test/hooks/whop",
        events: &["payment.succeeded", "refund.created"],
        api_version_date: API_VERSION,
        resource_id: None,
    };
    assert_eq!(sent(&endpoint), fixture("/requests/create_webhook/body"));
}

#[test]
fn prices_are_sent_digit_by_digit() {
    let plan = NewPlan {
        account_id: "biz_1",
        product_id: "prod_1",
        title: "Starter",
        description: None,
        plan_type: PlanType::OneTime,
        initial_price: Price(Money::usd(1_999)),
        currency: "usd",
        visibility: Visibility::Visible,
        unlimited_stock: true,
        metadata: std::collections::BTreeMap::new(),
        internal_notes: None,
    };
    assert_eq!(
        serde_json::to_string(&plan).unwrap(),
        r#"{"account_id":"biz_1","product_id":"prod_1","title":"Starter","plan_type":"one_time","initial_price":19.99,"currency":"usd","visibility":"visible","unlimited_stock":true}"#
    );
    let changes = PlanChanges { initial_price: Some(Price(Money::usd(3_250))), ..PlanChanges::default() };
    assert_eq!(serde_json::to_string(&changes).unwrap(), r#"{"initial_price":32.50}"#);
}
