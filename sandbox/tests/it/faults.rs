//! Faults do what they are called, and only while they are set.

use std::time::{Duration, Instant};

use sandbox::clock::Moment;
use serde_json::json;

use crate::stage::{Stage, text};

#[tokio::test]
async fn errors_come_as_often_as_asked_and_where_asked() {
    let stage = Stage::new().await;
    let faults = json!({ "api_error_status": 429, "api_error_count": 2, "api_error_paths": "/payments" });
    stage.control("PUT", "/faults", faults).await;
    let ask = async |path: &str| stage.api("GET", path).send().await.unwrap();
    assert_eq!(ask("/products").await.status(), 200);
    let limited = ask("/payments").await;
    assert_eq!((limited.status().as_u16(), &limited.headers()["retry-after"]), (429, &"1".parse().unwrap()));
    assert_eq!(ask("/payments").await.status(), 429);
    assert_eq!(ask("/payments").await.status(), 200);
}

#[tokio::test]
async fn garbage_latency_and_hidden_payments() {
    let stage = Stage::new().await;
    stage.control("PUT", "/faults", json!({ "garbage": true, "api_error_count": 1 })).await;
    let garbage = stage.api("GET", "/payments").send().await.unwrap();
    assert_eq!(garbage.status(), 200);
    assert!(garbage.text().await.unwrap().starts_with("<!doctype html>"));
    stage.control("PUT", "/faults", json!({ "garbage": null, "api_latency_ms": 120 })).await;
    let started = Instant::now();
    stage.get("/payments").await;
    assert!(started.elapsed() >= Duration::from_millis(120));
    stage.control("PUT", "/faults", json!({})).await;
    stage.control("PUT", "/faults", json!({ "payment_read_delay_ms": 60_000 })).await;
    let id = stage.paid().await;
    assert_eq!(stage.api("GET", &format!("/payments/{id}")).send().await.unwrap().status(), 404);
    assert_eq!(stage.get("/payments").await["data"], json!([]));
    let long_ago = Moment::parse("2020-01-01T00:00:00Z").unwrap();
    stage.running.sandbox.change(|world| world.payments.edit(&id).unwrap().created_at = long_ago);
    assert_eq!(stage.get(&format!("/payments/{id}")).await["status"], "paid");
}

#[tokio::test]
async fn settings_merge_and_reset_and_refuse_typing_mistakes() {
    let stage = Stage::new().await;
    stage.control("PUT", "/faults", json!({ "webhook_duplicates": 2 })).await;
    let both = stage.control("PUT", "/faults", json!({ "webhook_only": "payment.succeeded" })).await;
    assert_eq!((&both["webhook_duplicates"], &both["webhook_only"]), (&json!(2), &json!(["payment.succeeded"])));
    for wrong in
        [json!({ "webhook_dupes": 1 }), json!({ "webhook_loss": 1.5 }), json!([1]), json!({ "garbage": "yes" })]
    {
        let response = stage.client.put(format!("{}/sandbox/faults", stage.base)).json(&wrong).send().await.unwrap();
        assert_eq!(response.status(), 400, "{wrong}");
    }
    let reset = stage.control("PUT", "/faults", json!({})).await;
    assert_eq!(reset["webhook_duplicates"], 0);
}

#[tokio::test]
async fn both_shapes_of_the_purchase_url_lead_to_the_same_page() {
    let stage = Stage::new().await;
    let checkout = stage.checkout().await;
    let id = text(&checkout["id"]);
    let session = text(&checkout["purchase_url"]);
    assert!(session.ends_with(&format!("/?session={id}")));
    stage.control("PUT", "/faults", json!({ "purchase_url_shape": "path", "redirect_style": "elements" })).await;
    let path = text(&stage.get(&format!("/checkout_configurations/{id}")).await["purchase_url"]);
    assert_eq!(path, format!("{}/checkout/{id}/", stage.base));
    for url in [session, path] {
        assert!(stage.client.get(&url).send().await.unwrap().text().await.unwrap().contains("$7.50"));
        let paid = stage.control("POST", "/pay", json!({ "purchase_url": url })).await;
        let payment = text(&paid["payment_id"]);
        let back = format!("https://shop.test/return?order=ord_1&payment={payment}&status=succeeded");
        assert_eq!(paid["redirect_url"], back);
    }
    stage.control("PUT", "/faults", json!({ "redirect_style": "none" })).await;
    let paid = stage.control("POST", "/pay", json!({ "checkout_id": id })).await;
    assert_eq!(paid["redirect_url"], "https://shop.test/return?order=ord_1");
}
