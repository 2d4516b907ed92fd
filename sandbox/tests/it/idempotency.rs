//! The idempotency table: once is once.

use std::time::Duration;

use reqwest::Response;
use sandbox::world::World;
use serde_json::{Value, json};

use crate::stage::{Stage, read};

async fn post(stage: &Stage, key: &str, body: &Value) -> Response {
    stage.api("POST", "/checkout_configurations").header("idempotency-key", key).json(body).send().await.unwrap()
}

fn plan(price: u32) -> Value {
    json!({ "plan": { "initial_price": price } })
}

#[tokio::test]
async fn the_same_request_gets_the_same_bytes() {
    let stage = Stage::new().await;
    let first = post(&stage, "order-1", &plan(10)).await;
    assert!(!first.headers().contains_key("idempotent-replayed"));
    let first = first.text().await.unwrap();
    let again = post(&stage, "order-1", &plan(10)).await;
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(again.text().await.unwrap(), first);
    assert_eq!(stage.get("/checkout_configurations?account_id=biz_Test01").await["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn refusals_are_replayed_too() {
    let stage = Stage::new().await;
    let first = post(&stage, "bad", &json!({})).await;
    let again = post(&stage, "bad", &json!({})).await;
    assert_eq!((first.status().as_u16(), again.status().as_u16()), (400, 400));
    assert!(again.headers().contains_key("idempotent-replayed"));
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let stage = Stage::new().await;
    post(&stage, "order-1", &plan(10)).await;
    let other = post(&stage, "order-1", &plan(11)).await;
    assert_eq!(other.status(), 400);
    assert_eq!(read(other).await["error"]["message"], "This Idempotency-Key was already used with a different request");
    let elsewhere = stage.api("POST", "/products").header("idempotency-key", "order-1").json(&plan(10));
    assert_eq!(elsewhere.send().await.unwrap().status(), 400);
    let long = post(&stage, &"k".repeat(256), &plan(10)).await;
    assert_eq!(long.status(), 400);
}

#[tokio::test]
async fn an_error_after_doing_is_healed_by_a_retry() {
    let stage = Stage::new().await;
    stage.control("PUT", "/faults", json!({ "api_error_after_doing": true, "api_error_count": 1 })).await;
    let lost = post(&stage, "order-1", &plan(10)).await;
    assert_eq!(lost.status(), 500);
    let again = post(&stage, "order-1", &plan(10)).await;
    assert_eq!(again.status(), 200);
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(stage.get("/checkout_configurations?account_id=biz_Test01").await["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_caller_who_hangs_up_still_gets_it_done_once() {
    let stage = Stage::new().await;
    stage.control("PUT", "/faults", json!({ "api_timeout_after_doing": true, "api_error_count": 1 })).await;
    let request = stage.api("POST", "/checkout_configurations").header("idempotency-key", "order-1").json(&plan(10));
    let made = |world: &World| world.checkouts.newest().next().map(|_| ());
    tokio::select! {
        answered = request.send() => panic!("{answered:?}"),
        made = stage.running.sandbox.wait_for(Duration::from_secs(8), made) => made.unwrap(),
    }
    let again = post(&stage, "order-1", &plan(10)).await;
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(stage.get("/checkout_configurations?account_id=biz_Test01").await["data"].as_array().unwrap().len(), 1);
}
