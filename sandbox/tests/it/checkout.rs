//! A buyer at the checkout page, without a script: forms and redirects only.

use reqwest::Response;
use serde_json::{Value, json};

use crate::stage::{Stage, text};

async fn press(stage: &Stage, checkout: &Value, fields: &[(&str, &str)]) -> Response {
    let url = format!("{}/checkout/{}/pay", stage.base, text(&checkout["id"]));
    let usual = [("number", "4242 4242 4242 4242"), ("expiry", "12 / 34"), ("cvc", "123"), ("email", "")];
    let mut form: Vec<_> =
        usual.into_iter().filter(|(name, _)| !fields.iter().any(|(other, _)| other == name)).collect();
    form.extend(fields);
    let pairs: Vec<_> = form.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
    let request = stage.client.post(url).header("content-type", "application/x-www-form-urlencoded");
    request.body(pairs.join("&")).send().await.unwrap()
}

fn location(response: &Response) -> String {
    assert_eq!(response.status(), 303);
    response.headers()["location"].to_str().unwrap().to_owned()
}

async fn page(stage: &Stage, address: &str) -> (u16, String) {
    let response = stage.client.get(address).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn paying_leads_back_to_the_seller() {
    let stage = Stage::new().await;
    let checkout = stage.checkout().await;
    let (status, html) = page(&stage, checkout["purchase_url"].as_str().unwrap()).await;
    assert_eq!(status, 200);
    for words in ["Starter", "$7.50", "No real money", ">Pay</button>", ">Decline</button>", "4000 0000 0000 0341"] {
        assert!(html.contains(words), "{words}");
    }
    let back = location(&press(&stage, &checkout, &[("action", "pay"), ("email", "ada@shop.test")]).await);
    let payment = stage.get("/payments").await["data"][0].clone();
    let id = text(&payment["id"]);
    let expected = format!(
        "https://shop.test/return?order=ord_1&payment_id={id}&receipt_id={id}&checkout_status=success&status=success"
    );
    assert_eq!(back, expected);
    assert_eq!(payment["status"], "paid");
    assert_eq!(payment["total"], json!({ "amount": "7.50", "currency": "usd", "decimals": 2, "display_decimals": 2 }));
    assert_eq!(payment["amount_after_fees"]["amount"], "6.98");
    assert_eq!(payment["metadata"]["order_id"], "ord_1");
    assert_eq!(payment["checkout_configuration_id"], checkout["id"]);
    assert_eq!(payment["payment_instrument"]["card"]["last4"], "4242");
    let succeeded = stage.inbox.wait_for("payment.succeeded").await.json();
    assert_eq!(succeeded["data"]["id"], payment["id"]);
    assert_eq!(succeeded["data"]["paid_at"], payment["paid_at"]);
    let created = stage.inbox.wait_for("payment.created").await.json();
    assert_eq!((&created["data"]["status"], &created["data"]["substatus"]), (&json!("open"), &json!("incomplete")));
}

#[tokio::test]
async fn a_declined_buyer_tries_again_with_the_same_payment() {
    let stage = Stage::new().await;
    let checkout = stage.checkout().await;
    let again = location(&press(&stage, &checkout, &[("action", "decline"), ("email", "ada@shop.test")]).await);
    let (status, html) = page(&stage, &again).await;
    assert_eq!(status, 200);
    assert!(html.contains("Your bank declined this payment") && html.contains(r#"value="ada@shop.test""#));
    let payment = stage.get("/payments").await["data"][0].clone();
    assert_eq!((&payment["status"], &payment["decline_code"]), (&json!("open"), &json!("card_declined_by_issuer")));
    let id = text(&payment["id"]);
    assert!(again.ends_with(&format!("payment={id}")));
    let back = location(&press(&stage, &checkout, &[("action", "pay"), ("payment", &id)]).await);
    assert!(back.contains(&id));
    let payments = stage.get("/payments").await;
    assert_eq!(payments["data"].as_array().unwrap().len(), 1);
    assert_eq!(payments["data"][0]["status"], "paid");
    assert_eq!(payments["data"][0]["payments_failed"], 1);
    assert_eq!(payments["data"][0]["decline_code"], Value::Null);
    let failed = stage.inbox.wait_for("payment.failed").await.json();
    assert_eq!(failed["data"]["failure_message"], payment["failure_message"]);
    // A paid payment cannot be paid once more by pressing the old button.
    press(&stage, &checkout, &[("action", "pay"), ("payment", &id)]).await;
    assert_eq!(stage.get("/payments").await["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_mistyped_is_said_beside_its_field() {
    let stage = Stage::new().await;
    let checkout = stage.checkout().await;
    for (field, value, words) in [
        ("number", "4242 4242 4242 4241", "card number is not valid"),
        ("expiry", "12 / 19", "expired"),
        ("cvc", "1", "security code"),
        ("email", "nonsense", "e-mail address"),
    ] {
        let response = press(&stage, &checkout, &[("action", "pay"), (field, value)]).await;
        assert_eq!(response.status(), 422, "{field}");
        let html = response.text().await.unwrap();
        assert!(html.contains(words) && html.contains(&format!(r#"value="{value}""#)), "{field}");
    }
    assert_eq!(stage.get("/payments").await["data"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn what_buyers_and_sellers_write_is_escaped() {
    let stage = Stage::new().await;
    let plan = json!({ "initial_price": 1, "title": "<script>alert(1)</script>" });
    let checkout = stage.post("/checkout_configurations", json!({ "plan": plan, "metadata": { "<b>": "<i>" } })).await;
    let response = press(&stage, &checkout, &[("action", "pay"), ("email", "\"><script>")]).await;
    let html = response.text().await.unwrap();
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"));
    let (_, desk) = page(&stage, &stage.base).await;
    assert!(!desk.contains("<script>") && !desk.contains("<i>"));
}

#[tokio::test]
async fn a_challenge_decides_by_its_password() {
    let stage = Stage::new().await;
    let checkout = stage.checkout().await;
    for (password, outcome) in [("wrong", "failed"), ("Checkout1!", "succeeded")] {
        let asked = location(&press(&stage, &checkout, &[("action", "pay"), ("number", "5385 3083 6013 5181")]).await);
        let (path, id) = asked.split_once("?payment=").unwrap();
        let status = stage.get(&format!("/payments/{id}/status")).await;
        assert_eq!(
            (&status["status"], &status["next_action"]["type"]),
            (&json!("requires_action"), &json!("redirect"))
        );
        assert_eq!(page(&stage, &format!("{}{asked}", stage.base)).await.0, 200);
        let body = format!("payment={id}&password={}", password.replace('!', "%21"));
        let request = stage.client.post(format!("{}{path}", stage.base));
        request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap();
        let payment = stage.get(&format!("/payments/{id}")).await;
        assert_eq!(payment["substatus"], outcome);
        assert_eq!(payment["three_ds_verified"], outcome == "succeeded");
    }
}

#[tokio::test]
async fn bank_debit_is_pending_first() {
    let stage = Stage::new().await;
    let checkout = stage.checkout().await;
    stage.control("PUT", "/faults", json!({ "bank_debit_hold": true })).await;
    let back = location(&press(&stage, &checkout, &[("action", "debit")]).await);
    assert!(back.ends_with("checkout_status=pending&status=pending"));
    let payment = stage.inbox.wait_for("payment.pending").await.json()["data"].clone();
    assert_eq!((&payment["status"], &payment["payment_method_type"]), (&json!("pending"), &json!("us_bank_account")));
    let path = format!("/payments/{}/settle", text(&payment["id"]));
    stage.control("POST", &path, json!({ "outcome": "succeeded" })).await;
    stage.inbox.wait_for("payment.succeeded").await;
    stage.control("PUT", "/faults", json!({})).await;
    press(&stage, &checkout, &[("action", "debit")]).await;
    stage.inbox.wait(2, |received| received.event() == "payment.succeeded").await;
}

#[tokio::test]
async fn one_checkout_can_be_paid_twice_or_closed() {
    let stage = Stage::new().await;
    let checkout = stage.checkout().await;
    location(&press(&stage, &checkout, &[("action", "twice")]).await);
    stage.inbox.wait(2, |received| received.event() == "payment.succeeded").await;
    let closed = location(&press(&stage, &checkout, &[("action", "close")]).await);
    let (status, html) = page(&stage, &format!("{}{closed}", stage.base)).await;
    assert_eq!(status, 200);
    assert!(html.contains("Nothing was charged"));
    assert_eq!(stage.get("/payments").await["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_unknown_checkout_is_a_clean_404() {
    let stage = Stage::new().await;
    for path in ["/checkout/ch_unknown/", "/checkout/ch_unknown", "/checkout/plan_x/?session=ch_unknown"] {
        let (status, html) = page(&stage, &format!("{}{path}", stage.base)).await;
        assert_eq!(status, 404, "{path}");
        assert!(html.contains("does not exist"), "{path}");
    }
}
