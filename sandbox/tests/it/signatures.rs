//! Signatures against known values, and on what is really sent.

use sandbox::webhooks::sign::signature;
use serde_json::Value;

use crate::stage::{SECRET, Stage};

#[test]
fn known_vectors_come_out_the_same() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../signatures.json")).unwrap();
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let field = |name: &str| vector[name].as_str().unwrap();
        let signed =
            signature(field("secret"), field("id"), field("timestamp").parse().unwrap(), field("body").as_bytes());
        assert_eq!(signed, field("signature"), "{}", field("name"));
    }
}

#[tokio::test]
async fn what_is_delivered_is_signed_over_its_exact_bytes() {
    let stage = Stage::new().await;
    stage.paid().await;
    let received = stage.inbox.wait_for("payment.succeeded").await;
    assert_eq!(received.signature, signature(SECRET, &received.id, received.timestamp, &received.body));
    let json = received.json();
    assert_eq!(json["id"], received.id.as_str());
    assert_eq!(json["account_id"], "biz_Test01");
    assert_eq!(json["api_version_date"], "2026-10-15-1");
}
