//! The control routes for those who have no browser.

use serde_json::json;

use crate::stage::{Stage, text};

#[tokio::test]
async fn every_outcome_can_be_asked_for() {
    let stage = Stage::new().await;
    let checkout = stage.checkout().await;
    let id = &checkout["id"];
    for (body, status, substatus) in [
        (json!({ "checkout_id": id }), "paid", "succeeded"),
        (json!({ "checkout_id": id, "outcome": "declined" }), "open", "failed"),
        (json!({ "checkout_id": id, "outcome": "insufficient_funds" }), "open", "failed"),
        (json!({ "checkout_id": id, "card": "4000000000000002" }), "open", "failed"),
        (json!({ "checkout_id": id, "outcome": "pending" }), "pending", "pending"),
        (json!({ "checkout_id": id, "card": "5385308360135181" }), "open", "incomplete"),
    ] {
        let paid = stage.control("POST", "/pay", body.clone()).await;
        assert_eq!((&paid["status"], &paid["substatus"]), (&json!(status), &json!(substatus)), "{body}");
        assert_eq!(paid["paid_at"].is_string(), status == "paid", "{body}");
    }
    assert_eq!(stage.control("GET", "/payments", json!({})).await.as_array().unwrap().len(), 6);
    let pending = stage.get("/payments?status=pending").await;
    let path = format!("/payments/{}/settle", text(&pending["data"][0]["id"]));
    let failed = stage.control("POST", &path, json!({ "outcome": "failed" })).await;
    assert_eq!((&failed["status"], &failed["decline_code"]), (&json!("open"), &json!("bank_insufficient_funds")));
}

#[tokio::test]
async fn a_refund_can_be_started_from_whops_side() {
    let stage = Stage::new().await;
    let id = stage.paid().await;
    let refund = stage.control("POST", &format!("/payments/{id}/refund"), json!({ "amount": "2.50" })).await;
    assert_eq!(refund["amount"]["amount"], "2.50");
    stage.inbox.wait_for("refund.updated").await;
    assert_eq!(stage.get(&format!("/payments/{id}")).await["refunded_amount"]["amount"], "2.50");
}

#[tokio::test]
async fn a_failed_payment_is_tried_again_under_its_id() {
    let stage = Stage::new().await;
    let checkout = stage.checkout().await;
    let failed = stage.control("POST", "/pay", json!({ "checkout_id": checkout["id"], "outcome": "declined" })).await;
    let again = json!({ "checkout_id": checkout["id"], "payment_id": failed["payment_id"] });
    let paid = stage.control("POST", "/pay", again).await;
    assert_eq!((&paid["payment_id"], &paid["status"]), (&failed["payment_id"], &json!("paid")));
}
