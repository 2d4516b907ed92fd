//! Keys, versions, errors, pages and resources of the API.

use serde_json::{Value, json};

use crate::stage::{KEY, Stage, read, text};

#[tokio::test]
async fn only_the_right_key_gets_in() {
    let stage = Stage::new().await;
    let url = format!("{}/api/v1/payments", stage.base);
    for request in [
        stage.client.get(&url),
        stage.client.get(&url).bearer_auth("wrong"),
        stage.client.get(&url).header("authorization", format!("Basic {KEY}")),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(read(response).await["error"]["type"], "unauthorized");
    }
    assert_eq!(stage.api("GET", "/payments").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_checkout_is_public_but_its_metadata_is_not() {
    let stage = Stage::new().await;
    let path = format!("/checkout_configurations/{}", text(&stage.checkout().await["id"]));
    let public = stage.client.get(format!("{}/api/v1{path}", stage.base)).send().await.unwrap();
    assert_eq!(public.status(), 200);
    assert_eq!(read(public).await["metadata"], Value::Null);
    assert_eq!(stage.get(&path).await["metadata"]["order_id"], "ord_1");
    let deletion = stage.client.delete(format!("{}/api/v1{path}", stage.base)).send().await.unwrap();
    assert_eq!(deletion.status(), 401);
}

#[tokio::test]
async fn an_unknown_version_is_refused_by_name() {
    let stage = Stage::new().await;
    let url = format!("{}/api/v1/payments", stage.base);
    let ask = |date: Option<&'static str>| {
        let request = stage.client.get(&url).bearer_auth(KEY);
        date.map_or(request.try_clone().unwrap(), |date| request.header("api-version-date", date)).send()
    };
    let refused = ask(Some("2026-10-16")).await.unwrap();
    assert_eq!(refused.status(), 400);
    assert!(text(&read(refused).await["error"]["message"]).contains("2026-10-15-1"));
    let older = ask(Some("2026-07-20")).await.unwrap();
    assert!(older.status().is_success() && older.headers().contains_key("sandbox-note"));
    let none = ask(None).await.unwrap();
    assert!(none.status().is_success() && none.headers().contains_key("sandbox-note"));
    let newest = ask(Some("2026-10-15-1")).await.unwrap();
    assert!(newest.status().is_success() && !newest.headers().contains_key("sandbox-note"));
}

#[tokio::test]
async fn lists_come_in_pages_that_stay_right_while_they_grow() {
    let stage = Stage::new().await;
    for number in 0..23 {
        stage.post("/products", json!({ "title": format!("Product {number}") })).await;
    }
    let first = stage.get("/products").await;
    assert_eq!(first["data"].as_array().unwrap().len(), 20);
    assert_eq!(first["data"][0]["title"], "Product 22");
    assert_eq!(first["page_info"]["has_next_page"], true);
    assert_eq!(first["page_info"]["has_previous_page"], false);
    stage.post("/products", json!({ "title": "Late" })).await;
    let cursor = text(&first["page_info"]["end_cursor"]);
    let second = stage.get(&format!("/products?after={cursor}")).await;
    let titles: Vec<_> = second["data"].as_array().unwrap().iter().map(|product| text(&product["title"])).collect();
    assert_eq!(titles, ["Product 2", "Product 1", "Product 0"]);
    assert_eq!(second["page_info"]["has_next_page"], false);
    let back = stage.get(&format!("/products?last=2&before={cursor}")).await;
    assert_eq!(back["data"][1]["title"], "Product 4");
    let oldest = stage.get("/products?first=1&direction=asc&include_total_count=true").await;
    assert_eq!(oldest["data"][0]["title"], "Product 0");
    assert_eq!(oldest["page_info"]["total_count"], 24);
    for bad in ["first=0", "first=x", "after=nonsense", "first=1&last=1", "direction=up", "created_after=yesterday"] {
        let response = stage.api("GET", &format!("/products?{bad}")).send().await.unwrap();
        assert_eq!(response.status(), 400, "{bad}");
    }
}

#[tokio::test]
async fn prices_keep_their_digits() {
    let stage = Stage::new().await;
    let body = r#"{"title": "Exact", "initial_price": 4.350, "currency": "usd"}"#;
    let response = stage.api("POST", "/variants").body(body).send().await.unwrap();
    let raw = response.text().await.unwrap();
    assert!(raw.contains(r#""initial_price":4.35,"#), "{raw}");
    assert!(raw.contains(r#""initial_price_due":{"amount":"4.35","currency":"usd""#), "{raw}");
    for (price, words) in [("7.505", "decimals"), ("0.5", "at least 1.00"), ("-1", "negative"), ("\"7.5\"", "number")] {
        let response =
            stage.api("POST", "/plans").body(format!(r#"{{"initial_price": {price}}}"#)).send().await.unwrap();
        assert_eq!(response.status(), 400, "{price}");
        assert!(text(&read(response).await["error"]["message"]).contains(words), "{price}");
    }
}

#[tokio::test]
async fn plans_live_under_both_names() {
    let stage = Stage::new().await;
    let plan = stage.post("/plans", json!({ "initial_price": 10, "renewal_price": 5, "plan_type": "renewal" })).await;
    let path = format!("/variants/{}", text(&plan["id"]));
    assert_eq!(stage.get(&path).await["initial_price_due"]["amount"], "15.00");
    let changed = read(stage.api("PATCH", &path).json(&json!({ "title": "New" })).send().await.unwrap()).await;
    assert_eq!((&changed["title"], &changed["initial_price"]), (&json!("New"), &json!(10)));
    let gone = read(stage.api("DELETE", &path).send().await.unwrap()).await;
    assert_eq!(gone, json!({ "id": plan["id"], "deleted": true }));
    assert_eq!(stage.api("GET", &path).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn equal_inline_plans_are_one_plan() {
    let stage = Stage::new().await;
    let (one, two) = (stage.checkout().await, stage.checkout().await);
    assert_ne!(one["id"], two["id"]);
    assert_eq!(one["plan"]["id"], two["plan"]["id"]);
    let plan = json!({ "initial_price": 7.5, "currency": "usd", "title": "Starter", "force_create_new_plan": true });
    let forced = stage.post("/checkout_configurations", json!({ "plan": plan })).await;
    assert_ne!(forced["plan"]["id"], one["plan"]["id"]);
}

#[tokio::test]
async fn bad_checkouts_are_refused_with_a_reason() {
    let stage = Stage::new().await;
    let plan = json!({ "initial_price": 7.5 });
    for (body, status) in [
        (json!({}), 400),
        (json!({ "plan": plan, "plan_id": "plan_x" }), 400),
        (json!({ "plan_id": "plan_unknown" }), 404),
        (json!({ "plan": plan, "account_id": "biz_Other" }), 403),
        (json!({ "plan": plan, "redirect_url": "http://shop.test/" }), 400),
        (json!({ "plan": plan, "redirect_url": "nonsense" }), 400),
        (json!({ "plan": plan, "metadata": { "long": "x".repeat(501) } }), 400),
        (json!({ "plan": { "currency": "dublons" } }), 400),
        (json!([]), 400),
    ] {
        let response = stage.api("POST", "/checkout_configurations").json(&body).send().await.unwrap();
        assert_eq!(response.status(), status, "{body}");
        assert!(read(response).await["error"]["message"].is_string());
    }
    let response = stage.api("POST", "/checkout_configurations").body("{").send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(
        stage.api("GET", "/checkout_configurations").send().await.unwrap().status(),
        400,
        "account_id is required"
    );
}

#[tokio::test]
async fn unknown_places_answer_in_json() {
    let stage = Stage::new().await;
    for path in ["/api/v1/nothing", "/api/v1/payments/pay_x", "/sandbox/nothing", "/nothing"] {
        let response = stage.client.get(format!("{}{path}", stage.base)).bearer_auth(KEY).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(read(response).await["error"]["type"], "not_found", "{path}");
    }
}

#[tokio::test]
async fn buyers_of_a_product_become_members() {
    let stage = Stage::new().await;
    let product = stage.post("/products", json!({ "title": "Credits" })).await;
    let plan = stage.post("/variants", json!({ "product_id": product["id"], "initial_price": 7.5 })).await;
    let checkout = stage.post("/checkout_configurations", json!({ "plan_id": plan["id"] })).await;
    let body = json!({ "checkout_id": checkout["id"], "email": "Ada@Shop.test" });
    let paid = stage.control("POST", "/pay", body).await;
    let payment = stage.get(&format!("/payments/{}", text(&paid["payment_id"]))).await;
    assert_eq!(payment["customer_email"], "ada@shop.test");
    let membership = stage.get(&format!("/memberships/{}", text(&payment["membership_id"]))).await;
    assert_eq!((&membership["status"], &membership["product_id"]), (&json!("completed"), &product["id"]));
    let user = text(&payment["user"]["id"]);
    let access = stage.get(&format!("/users/{user}/access/{}", text(&product["id"]))).await;
    assert_eq!(access, json!({ "has_access": true, "access_level": "customer" }));
    assert_eq!(stage.get("/users/me/access/biz_Test01").await["access_level"], "admin");
    let cancel = format!("/memberships/{}/cancel", text(&membership["id"]));
    assert_eq!(stage.post(&cancel, json!({})).await["status"], "canceled");
    assert_eq!(stage.post(&cancel, json!({})).await["error"]["type"], "not_cancelable");
    stage.inbox.wait_for("membership.activated").await;
    let updates = stage.inbox.wait(2, |received| received.event() == "membership.updated").await;
    assert!(updates.iter().any(|update| update.json()["previous_attributes"]["status"] == "completed"));
}
