//! Deliveries: retried by the schedule, copied, lost, delayed, switched off, sent again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::{Stage, read, text};

#[tokio::test]
async fn a_failed_delivery_is_retried_under_its_id_with_a_fresh_timestamp() {
    // 30 s and 2 min become 300 ms and 1.2 s, so that the third attempt falls into another second.
    let stage = Stage::with(&["--time-scale=100"]).await;
    stage.checkout().await;
    stage.inbox.wait_for("plan.created").await;
    stage.inbox.will_answer(&[500, 302]);
    stage.post("/products", json!({ "title": "Credits" })).await;
    let attempts = stage.inbox.wait(3, |received| received.event() == "product.created").await;
    assert!(attempts.iter().all(|attempt| attempt.id == attempts[0].id && attempt.body == attempts[0].body));
    assert!(attempts[2].timestamp > attempts[0].timestamp);
    assert_ne!(attempts[2].signature, attempts[0].signature);
    let waits: Vec<_> = attempts.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert!(waits[0] >= Duration::from_millis(290) && waits[0] < Duration::from_secs(4), "{waits:?}");
    assert!(waits[1] >= Duration::from_millis(1190) && waits[1] < Duration::from_secs(6), "{waits:?}");
    let log = stage.running.sandbox.wait_for(Duration::from_secs(5), |world| {
        let attempts: Vec<_> = world.attempts.newest().filter(|it| it.event == "product.created").cloned().collect();
        (attempts.len() == 3).then_some(attempts)
    });
    let log = log.await.unwrap();
    assert_eq!(log.iter().map(|attempt| attempt.status_code).collect::<Vec<_>>(), [Some(200), Some(302), Some(500)]);
    assert!(log[0].next_attempt_at.is_none() && log[2].next_attempt_at.is_some());
}

#[tokio::test]
async fn an_endpoint_that_fails_long_enough_is_switched_off() {
    // 72 hours become 26 ms, twelve retries 26 ms.
    let stage = Stage::with(&["--time-scale=10000000"]).await;
    stage.inbox.always_answers(503);
    stage.checkout().await;
    stage.paid().await;
    let off = stage
        .running
        .sandbox
        .wait_for(Duration::from_secs(8), |world| world.endpoints.newest().find(|endpoint| !endpoint.enabled).cloned());
    let off = off.await.unwrap();
    assert!(off.consecutive_failures >= 10);
    let path = format!("/webhooks/{}", off.id);
    let seen = stage.get(&path).await;
    assert_eq!((&seen["enabled"], &seen["disabled_reason"]), (&json!(false), &json!("delivery_failures")));
    assert_eq!(seen["webhook_secret"], Value::Null);
    stage.inbox.always_answers(200);
    let body = json!({ "enabled": true });
    let on = read(stage.api("PATCH", &path).json(&body).send().await.unwrap()).await;
    assert_eq!(
        (&on["enabled"], &on["consecutive_failures"], &on["disabled_at"]),
        (&json!(true), &json!(0), &Value::Null)
    );
}

#[tokio::test]
async fn duplicates_share_their_id() {
    let stage = Stage::new().await;
    stage.control("PUT", "/faults", json!({ "webhook_duplicates": 4, "webhook_only": ["payment.succeeded"] })).await;
    stage.paid().await;
    let copies = stage.inbox.wait(5, |received| received.event() == "payment.succeeded").await;
    assert!(copies.iter().all(|copy| copy.id == copies[0].id));
    assert_eq!(stage.inbox.all().iter().filter(|received| received.event() == "payment.created").count(), 1);
}

#[tokio::test]
async fn lost_messages_stay_lost_and_are_on_record() {
    let stage = Stage::new().await;
    stage.control("PUT", "/faults", json!({ "webhook_loss": 1.0 })).await;
    let id = stage.paid().await;
    let lost = stage.running.sandbox.wait_for(Duration::from_secs(5), |world| {
        (world.attempts.newest().filter(|attempt| attempt.payment_id.as_ref() == Some(&id)).count() == 2).then_some(())
    });
    lost.await.unwrap();
    let log = stage.control("GET", &format!("/deliveries?payment_id={id}"), json!({})).await;
    assert!(log.as_array().unwrap().iter().all(|attempt| attempt["cause"] == "lost" && attempt["success"] == false));
    assert_eq!(stage.inbox.events(), Vec::<String>::new());
    let message = text(&log[0]["webhook_id"]);
    stage.control("POST", &format!("/webhooks/{message}/redeliver"), json!({})).await;
    assert_eq!(stage.inbox.events(), ["payment.succeeded"]);
}

#[tokio::test]
async fn reordering_turns_a_pair_around() {
    let stage = Stage::new().await;
    stage
        .control(
            "PUT",
            "/faults",
            json!({ "webhook_reorder": true, "webhook_only": ["payment.created", "payment.succeeded"] }),
        )
        .await;
    stage.paid().await;
    stage.inbox.wait_for("payment.created").await;
    let order: Vec<_> = stage.inbox.events().into_iter().filter(|event| event.starts_with("payment")).collect();
    assert_eq!(order, ["payment.succeeded", "payment.created"]);
}

#[tokio::test]
async fn a_message_can_be_sent_hundreds_of_times_at_once() {
    let stage = Stage::new().await;
    stage.paid().await;
    let id = stage.inbox.wait_for("payment.succeeded").await.id;
    let path = format!("/webhooks/{id}/redeliver");
    let sent = stage.control("POST", &path, json!({ "copies": 300, "concurrency": 50 })).await;
    assert_eq!(
        (&sent["sent"], &sent["succeeded"], &sent["statuses"]),
        (&json!(300), &json!(300), &json!({ "200": 300 }))
    );
    assert_eq!(stage.inbox.all().iter().filter(|received| received.id == id).count(), 301);
}

#[tokio::test]
async fn endpoints_are_managed_over_the_api() {
    let stage = Stage::new().await;
    let body = json!({ "url": stage.inbox.url, "events": ["refund.created"], "api_version_date": "2026-10-15-1" });
    let made = stage.post("/webhooks", body).await;
    let secret = text(&made["webhook_secret"]);
    assert!(secret.starts_with("ws_") && secret.len() == 67);
    let path = format!("/webhooks/{}", text(&made["id"]));
    assert_eq!(stage.get(&path).await["webhook_secret"], Value::Null);
    assert_eq!(
        stage.post("/webhooks", json!({ "url": "https://a.test", "api_version": "v5" })).await["error"]["type"],
        "bad_request"
    );
    for event in sandbox::webhooks::EVENTS {
        let sent = stage.post(&format!("{path}/test"), json!({ "event": event })).await;
        assert_eq!(sent["success"], true, "{event}: {sent}");
        let id = text(&sent["id"]);
        let received = stage.inbox.wait(1, |received| received.id == id).await.remove(0);
        assert_eq!(
            received.signature,
            sandbox::webhooks::sign::signature(&secret, &id, received.timestamp, &received.body)
        );
        assert_eq!(received.event(), event);
        assert!(received.json()["data"]["id"].is_string());
    }
    let pages = stage.get(&format!("{path}/deliveries?first=3")).await;
    assert_eq!(pages["data"].as_array().unwrap().len(), 3);
    let (delivery, before) = (text(&pages["data"][0]["id"]), stage.inbox.all().len());
    let replay = format!("{path}/deliveries/{delivery}/replay");
    stage.post(&replay, json!({ "regenerate_id": true })).await;
    let all = stage.inbox.wait(before + 1, |_| true).await;
    let (old, new) = (pages["data"][0]["request_body"]["id"].clone(), all[before].json());
    assert_ne!(new["id"], old, "a new id");
    assert_eq!(new["data"], pages["data"][0]["request_body"]["data"], "the same content");
    assert_eq!(read(stage.api("DELETE", &path).send().await.unwrap()).await["deleted"], true);
    assert_eq!(stage.api("GET", &path).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn only_subscribed_events_are_sent() {
    let stage = Stage::new().await;
    let quiet = stage.get("/webhooks").await["data"][0].clone();
    let path = format!("/webhooks/{}", text(&quiet["id"]));
    stage.api("PATCH", &path).json(&json!({ "events": ["payment.succeeded"] })).send().await.unwrap();
    stage.paid().await;
    stage.inbox.wait_for("payment.succeeded").await;
    assert_eq!(stage.inbox.events(), ["payment.succeeded"]);
}
