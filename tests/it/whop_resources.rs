//! Every call of the client goes where the API has it, and reads what the API answers.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use atlas::providers::whop::wire::amount::Price;
use atlas::providers::whop::wire::membership::{CancelWhen, MembershipChanges, MembershipStatus};
use atlas::providers::whop::wire::plan::{NewPlan, PlanChanges, PlanType, Visibility};
use atlas::providers::whop::wire::product::{NewProduct, ProductChanges};
use atlas::providers::whop::wire::webhook::{EndpointChanges, NewEndpoint};
use atlas::providers::whop::{API_VERSION, Client};
use domain::Money;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use wiremock::MockServer;

use crate::whop_scene::{answers, asked, fixture, header, ok, scene};

async fn answering(body: &Value) -> (MockServer, Client) {
    let (server, client) = scene().await;
    answers(&server, [ok(body)]).await;
    (server, client)
}

fn page_of(item: &Value) -> Value {
    json!({"data": [item], "page_info": {"end_cursor": null, "has_next_page": false}})
}

/// What was asked: `POST /variants key {"title":"Starter"}`.
async fn said(server: &MockServer) -> Vec<String> {
    let describe = |request: &wiremock::Request| {
        let path = request.url.path().strip_prefix("/api/v1").unwrap();
        let parts = [
            request.method.as_str(),
            path,
            header(request, "idempotency-key"),
            std::str::from_utf8(&request.body).unwrap(),
        ];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    };
    asked(server).await.iter().map(describe).collect()
}

#[tokio::test]
async fn checkouts() {
    let checkout = fixture("/objects/checkout_configuration");
    let (server, client) = answering(&checkout).await;
    assert_eq!(client.checkout("ch_Ex0001").await.unwrap().id, "ch_Ex0001");
    client.delete_checkout("ch_Ex0001").await.unwrap();
    assert_eq!(
        said(&server).await,
        ["GET /checkout_configurations/ch_Ex0001", "DELETE /checkout_configurations/ch_Ex0001",]
    );
    let (server, client) = answering(&page_of(&checkout)).await;
    assert_eq!(client.checkouts(Some("plan_Ex0001")).collect().await.unwrap().len(), 1);
    assert_eq!(said(&server).await, ["GET /checkout_configurations"]);
    assert!(asked(&server).await[0].url.query().unwrap().contains("plan_id=plan_Ex0001"));
}

#[tokio::test]
async fn plans() {
    let plan = json!({"id": "plan_1", "title": "Starter", "initial_price": 7.5, "currency": "usd"});
    let (server, client) = answering(&plan).await;
    let new = NewPlan {
        account_id: client.company_id(),
        product_id: "prod_1",
        title: "Starter",
        description: None,
        plan_type: PlanType::OneTime,
        initial_price: Price(Money::usd(750)),
        currency: "usd",
        visibility: Visibility::Visible,
        unlimited_stock: true,
        metadata: BTreeMap::from([("plan_id", "1".to_owned())]),
        internal_notes: None,
    };
    client.create_plan(&new, "plan-1").await.unwrap();
    client.plan("plan_1").await.unwrap();
    let changes = PlanChanges { visibility: Some(Visibility::Archived), ..PlanChanges::default() };
    let updated = client.update_plan("plan_1", &changes).await.unwrap();
    assert_eq!(updated.initial_price.unwrap().money(updated.currency.as_deref()), Ok(Money::usd(750)));
    client.delete_plan("plan_1").await.unwrap();
    assert_eq!(
        said(&server).await,
        [
            r#"POST /variants plan-1 {"account_id":"biz_Ex0001","product_id":"prod_1","title":"Starter","plan_type":"one_time","initial_price":7.50,"currency":"usd","visibility":"visible","unlimited_stock":true,"metadata":{"plan_id":"1"}}"#,
            "GET /variants/plan_1",
            r#"PATCH /variants/plan_1 {"visibility":"archived"}"#,
            "DELETE /variants/plan_1",
        ]
    );
    let (server, client) = answering(&page_of(&plan)).await;
    assert_eq!(client.plans(None).collect().await.unwrap()[0].title.as_deref(), Some("Starter"));
    assert_eq!(said(&server).await, ["GET /variants"]);
}

#[tokio::test]
async fn products() {
    let product = json!({"id": "prod_1", "title": "Credits"});
    let (server, client) = answering(&product).await;
    let new = NewProduct {
        account_id: client.company_id(),
        title: "Credits",
        headline: None,
        description: None,
        visibility: Visibility::Hidden,
        metadata: BTreeMap::new(),
    };
    client.create_product(&new, "product-1").await.unwrap();
    client.product("prod_1").await.unwrap();
    let changes = ProductChanges { headline: Some("Prepaid"), ..ProductChanges::default() };
    client.update_product("prod_1", &changes).await.unwrap();
    client.delete_product("prod_1").await.unwrap();
    assert_eq!(
        said(&server).await,
        [
            r#"POST /products product-1 {"account_id":"biz_Ex0001","title":"Credits","visibility":"hidden"}"#,
            "GET /products/prod_1",
            r#"PATCH /products/prod_1 {"headline":"Prepaid"}"#,
            "DELETE /products/prod_1",
        ]
    );
    let (server, client) = answering(&page_of(&product)).await;
    assert_eq!(client.products().collect().await.unwrap()[0].id, "prod_1");
    assert_eq!(said(&server).await, ["GET /products"]);
}

#[tokio::test]
async fn refunds() {
    let (server, client) = answering(&fixture("/objects/refund")).await;
    let refund = client.refund("rf_Ex0001").await.unwrap();
    assert_eq!(refund.amount.unwrap().money(None), Ok(Money::usd(325)));
    assert_eq!(said(&server).await, ["GET /refunds/rf_Ex0001"]);
    let (server, client) = answering(&fixture("/objects/list_page")).await;
    let listed = client.refunds(Some("pay_Ex0001")).collect().await.unwrap();
    assert_eq!(listed[0].payment(), Some("pay_Ex0001"));
    assert!(asked(&server).await[0].url.query().unwrap().contains("payment_id=pay_Ex0001"));
}

#[tokio::test]
async fn memberships() {
    let membership = fixture("/objects/membership");
    let (server, client) = answering(&membership).await;
    assert_eq!(client.membership("mem_Ex0002").await.unwrap().status, MembershipStatus::Canceled);
    let keep = MembershipChanges { cancel_at_period_end: Some(false), ..MembershipChanges::default() };
    client.update_membership("mem_Ex0002", &keep).await.unwrap();
    client.cancel_membership("mem_Ex0002", CancelWhen::AtPeriodEnd, Some("asked"), "cancel-1").await.unwrap();
    client.cancel_membership("mem_Ex0002", CancelWhen::Now, None, "cancel-2").await.unwrap();
    assert_eq!(
        said(&server).await,
        [
            "GET /memberships/mem_Ex0002",
            r#"PATCH /memberships/mem_Ex0002 {"cancel_at_period_end":false}"#,
            r#"POST /memberships/mem_Ex0002/cancel cancel-1 {"cancel_at_period_end":true,"reason":"asked"}"#,
            r#"POST /memberships/mem_Ex0002/cancel cancel-2 {"cancel_at_period_end":false}"#,
        ]
    );
    let (server, client) = answering(&page_of(&membership)).await;
    assert_eq!(client.memberships(Some("user_Ex0001")).collect().await.unwrap().len(), 1);
    assert!(asked(&server).await[0].url.query().unwrap().contains("user_id=user_Ex0001"));
}

#[tokio::test]
async fn users() {
    let (server, client) = answering(&json!({"id": "user_1", "username": "ada", "email": null})).await;
    assert_eq!(client.me().await.unwrap().username.as_deref(), Some("ada"));
    assert_eq!(client.user("ada").await.unwrap().id, "user_1");
    assert_eq!(said(&server).await, ["GET /users/me", "GET /users/ada"]);
    let (server, client) = answering(&json!({"has_access": true, "access_level": "a_level_of_tomorrow"})).await;
    assert!(client.access("user_1", "prod_1").await.unwrap().has_access);
    assert_eq!(said(&server).await, ["GET /users/user_1/access/prod_1"]);
}

#[tokio::test]
async fn endpoints() {
    let endpoint = fixture("/objects/webhook_endpoint");
    let (server, client) = answering(&endpoint).await;
    let new = NewEndpoint {
        url: "https://shop.test/hooks/whop",
        events: &["payment.succeeded"],
        api_version_date: API_VERSION,
        resource_id: None,
    };
    let made = client.create_endpoint(&new, "endpoint-1").await.unwrap();
    assert!(made.webhook_secret.unwrap().expose_secret().starts_with("ws_"));
    client.endpoint("hook_Ex0001").await.unwrap();
    let wake = EndpointChanges { enabled: Some(true), ..EndpointChanges::default() };
    assert_eq!(client.update_endpoint("hook_Ex0001", &wake).await.unwrap().enabled, Some(true));
    client.test_endpoint("hook_Ex0001", "payment.succeeded", "sample-1").await.unwrap();
    client.delete_endpoint("hook_Ex0001").await.unwrap();
    assert_eq!(
        said(&server).await,
        [
            r#"POST /webhooks endpoint-1 {"url":"https://shop.test/hooks/whop","events":["payment.succeeded"],"api_version_date":"2026-10-15-1"}"#,
            "GET /webhooks/hook_Ex0001",
            r#"PATCH /webhooks/hook_Ex0001 {"enabled":true}"#,
            r#"POST /webhooks/hook_Ex0001/test sample-1 {"event":"payment.succeeded"}"#,
            "DELETE /webhooks/hook_Ex0001",
        ]
    );
    let (server, client) = answering(&page_of(&endpoint)).await;
    assert_eq!(client.endpoints().collect().await.unwrap()[0].id, "hook_Ex0001");
    assert_eq!(said(&server).await, ["GET /webhooks"]);
}
