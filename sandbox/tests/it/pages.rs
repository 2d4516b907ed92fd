//! The desk: what happened, and buttons that work.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn the_desk_shows_what_happened_and_its_buttons_work() {
    let stage = Stage::new().await;
    let empty = stage.client.get(&stage.base).send().await.unwrap();
    assert_eq!(
        empty.headers()["content-security-policy"].to_str().unwrap().split(';').next(),
        Some("default-src 'none'")
    );
    assert!(empty.text().await.unwrap().contains("Nobody has paid yet"));
    let id = stage.paid().await;
    stage.inbox.wait_for("payment.succeeded").await;
    stage.control("PUT", "/faults", json!({ "webhook_duplicates": 1 })).await;
    let desk = stage.client.get(&stage.base).send().await.unwrap().text().await.unwrap();
    for words in [
        id.as_str(),
        "$7.50",
        "payment.succeeded",
        "Redeliver",
        "Refund",
        "webhook_duplicates",
        r#"http-equiv="refresh""#,
    ] {
        assert!(desk.contains(words), "{words}");
    }
    let press = async |path: &str, body: &'static str| {
        let request = stage.client.post(format!("{}/desk/{path}", stage.base));
        request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap()
    };
    let pressed = press(&format!("refund/{id}"), "amount=2.50").await;
    assert_eq!((pressed.status().as_u16(), &pressed.headers()["location"]), (303, &"/".parse().unwrap()));
    stage.inbox.wait_for("refund.updated").await;
    let refused = press(&format!("refund/{id}"), "amount=lots").await;
    let address = refused.headers()["location"].to_str().unwrap();
    let page = stage.client.get(format!("{}{address}", stage.base)).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("The amount must be a number"));
    press(&format!("dispute/{id}"), "status=needs_response").await;
    stage.inbox.wait_for("dispute.created").await;
    assert_eq!(stage.client.get(format!("{}/healthz", stage.base)).send().await.unwrap().status(), 200);
}
