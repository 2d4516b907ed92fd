//! Refunds add up, and disputes stand in their way.

use serde_json::{Value, json};

use crate::stage::{Stage, text};

async fn refund(stage: &Stage, id: &str, body: Value) -> Value {
    stage.post(&format!("/payments/{id}/refund"), body).await
}

#[tokio::test]
async fn partial_refunds_add_up_to_the_payment() {
    let stage = Stage::new().await;
    let id = stage.paid().await;
    let answer = refund(&stage, &id, json!({ "partial_amount": 2.5, "metadata": { "reason": "partial" } })).await;
    assert_eq!(answer["refunded_amount"]["amount"], "0.00", "a refund settles later");
    let created = stage.inbox.wait_for("refund.created").await.json();
    assert_eq!((&created["data"]["amount"], &created["data"]["status"]), (&json!(2.5), &json!("pending")));
    assert_eq!(created["data"]["payment"]["id"], id.as_str());
    assert_eq!(created["data"]["metadata"]["reason"], "partial");
    let updated = stage.inbox.wait_for("refund.updated").await.json();
    assert_eq!(updated["data"]["status"], "succeeded");
    let payment = stage.get(&format!("/payments/{id}")).await;
    assert_eq!(payment["refunded_amount"]["amount"], "2.50");
    assert_eq!((&payment["status"], &payment["substatus"]), (&json!("paid"), &json!("partially_refunded")));
    // More than what is left means what is left.
    refund(&stage, &id, json!({ "partial_amount": 100 })).await;
    stage.inbox.wait(2, |received| received.event() == "refund.updated").await;
    let payment = stage.get(&format!("/payments/{id}")).await;
    assert_eq!(payment["refunded_amount"]["amount"], "7.50");
    assert_eq!((&payment["substatus"], &payment["refundable"]), (&json!("refunded"), &json!(false)));
    assert_eq!(refund(&stage, &id, json!({})).await["error"]["type"], "bad_request");
    let refunds = stage.get(&format!("/refunds?payment_id={id}")).await;
    let amounts: Vec<_> = refunds["data"].as_array().unwrap().iter().map(|it| text(&it["amount"]["amount"])).collect();
    assert_eq!(amounts, ["5.00", "2.50"]);
}

#[tokio::test]
async fn refunds_under_way_count_against_what_is_left() {
    let stage = Stage::with(&["--settle-ms=300"]).await;
    let id = stage.paid().await;
    refund(&stage, &id, json!({ "partial_amount": 5 })).await;
    refund(&stage, &id, json!({})).await;
    assert!(refund(&stage, &id, json!({})).await["error"].is_object());
    let refunds = stage.get("/refunds").await;
    assert_eq!(refunds["data"][0]["amount"]["amount"], "2.50");
}

#[tokio::test]
async fn refunds_that_make_no_sense_are_refused() {
    let stage = Stage::new().await;
    let id = stage.paid().await;
    for amount in [json!(0), json!(-1), json!(1.005), json!("2.50")] {
        assert!(refund(&stage, &id, json!({ "partial_amount": amount })).await["error"].is_object(), "{amount}");
    }
    let checkout = stage.checkout().await;
    let failed = stage.control("POST", "/pay", json!({ "checkout_id": checkout["id"], "outcome": "declined" })).await;
    assert!(refund(&stage, &text(&failed["payment_id"]), json!({})).await["error"].is_object());
    assert_eq!(stage.get("/refunds").await["data"], json!([]));
}

#[tokio::test]
async fn a_dispute_blocks_refunds_until_it_is_won() {
    let stage = Stage::new().await;
    let id = stage.paid().await;
    let path = format!("/payments/{id}/dispute");
    let dispute = stage.control("POST", &path, json!({ "status": "needs_response" })).await;
    assert_eq!((&dispute["amount"], &dispute["payment"]["id"]), (&json!(7.5), &json!(id)));
    assert_eq!(stage.get(&format!("/payments/{id}")).await["substatus"], "dispute_needs_response");
    assert!(text(&refund(&stage, &id, json!({})).await["error"]["message"]).contains("disputed"));
    stage.control("POST", &path, json!({ "status": "won" })).await;
    let opened = stage.inbox.wait_for("dispute.created").await.json();
    let decided = stage.inbox.wait_for("dispute.updated").await.json();
    assert_eq!((&opened["data"]["id"], &decided["data"]["status"]), (&decided["data"]["id"], &json!("won")));
    assert!(refund(&stage, &id, json!({})).await["error"].is_null());
}

#[tokio::test]
async fn a_lost_dispute_leaves_no_refund() {
    let stage = Stage::new().await;
    let id = stage.paid().await;
    let path = format!("/payments/{id}/dispute");
    stage.control("POST", &path, json!({ "status": "needs_response" })).await;
    stage.control("POST", &path, json!({ "status": "lost" })).await;
    let payment = stage.get(&format!("/payments/{id}")).await;
    assert_eq!((&payment["status"], &payment["substatus"]), (&json!("paid"), &json!("dispute_lost")));
    assert_eq!((&payment["refundable"], &payment["refunded_amount"]["amount"]), (&json!(false), &json!("0.00")));
    assert!(refund(&stage, &id, json!({})).await["error"].is_object());
    assert_eq!(stage.get("/refunds").await["data"], json!([]));
}
