//! The journal brings everything back after a restart, and finishes what was under way.

use std::time::Duration;

use serde_json::json;

use crate::stage::{Stage, text};

#[tokio::test]
async fn a_restart_loses_nothing() {
    let folder = std::env::temp_dir().join(format!("sandbox-journal-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("journal.jsonl");
    let flag = format!("--journal={}", path.display());
    let first = Stage::with(&[&flag]).await;
    let id = first.paid().await;
    let before = first.get(&format!("/payments/{id}")).await;
    let checkout = first.checkout().await;
    let purchase = json!({ "checkout_id": checkout["id"], "outcome": "pending" });
    let pending = text(&first.control("POST", "/pay", purchase).await["payment_id"]);
    first.inbox.wait_for("payment.pending").await;
    first.running.stop().await.unwrap();
    // A crash in the middle of a line.
    let mut written = std::fs::read_to_string(&path).unwrap();
    written.push_str(r#"{"at":"2026-10-15T12:00:00.000Z","kind":"pay"#);
    std::fs::write(&path, written).unwrap();

    let second = Stage::with(&[&flag, "--public-url=http://again.test"]).await;
    let after = second.get(&format!("/payments/{id}")).await;
    for field in ["id", "status", "paid_at", "total", "metadata", "user", "client_secret"] {
        let same =
            if field == "user" { after[field]["id"] == before[field]["id"] } else { after[field] == before[field] };
        assert!(same, "{field}");
    }
    let log = second.control("GET", &format!("/deliveries?payment_id={id}"), json!({})).await;
    assert_eq!(log.as_array().unwrap().len(), 2);
    second.control("POST", &format!("/payments/{pending}/settle"), json!({ "outcome": "succeeded" })).await;
    second.running.stop().await.unwrap();

    let third = Stage::with(&[&flag]).await;
    assert_eq!(third.get(&format!("/payments/{pending}")).await["status"], "paid");
    tokio::time::sleep(Duration::from_millis(50)).await;
    third.running.stop().await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}
