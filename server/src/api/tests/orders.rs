//! A buyer's own orders, as JSON.

use domain::Role;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::house::House;

const ORDERS: &str = "/api/credit-orders";

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_order_is_begun_once_for_each_key_and_leads_to_its_checkout(pool: PgPool) {
    let house = House::open(pool).await;
    let ana = house.person("ana", Role::Buyer).await;
    let starter = json!({ "plan": house.plan("starter").await });
    let order = house.orders(&ana, "an-order-1", &starter).await;
    assert_eq!((order.status, &order.body["state"]), (StatusCode::CREATED, &json!("opened")), "{order:?}");
    assert_eq!(order.body["plan"], starter["plan"]);
    assert_eq!((&order.body["price_minor"], &order.body["currency"]), (&json!(750), &json!("usd")));
    assert_eq!((&order.body["credits"], &order.body["provider"]), (&json!(5_000), &json!("whop")));
    assert!(order.body["checkout_url"].as_str().unwrap().starts_with("http://127.0.0.1"), "{order:?}");
    assert!(!order.headers.contains_key("idempotent-replayed"));
    let again = house.orders(&ana, "an-order-1", &starter).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &order.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let another = house.orders(&ana, "an-order-2", &starter).await;
    assert_ne!(another.body["id"], order.body["id"]);
    assert_eq!(house.count("select count(*) from credit_orders").await, 2);
    // What the credits are for belongs to its buyer alone: the same key of somebody else is another order.
    let ben = house.person("ben", Role::Buyer).await;
    assert_ne!(house.orders(&ben, "an-order-1", &starter).await.body["id"], order.body["id"]);
    house.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn another_wish_under_the_same_key_is_refused(pool: PgPool) {
    let house = House::open(pool).await;
    let ana = house.person("ana", Role::Buyer).await;
    let (starter, enterprise) = (house.plan("starter").await, house.plan("enterprise").await);
    house.orders(&ana, "an-order-1", &json!({ "plan": starter })).await;
    house.requested(&ana, "a-request-1").await;
    for (key, body) in [
        ("an-order-1", json!({ "plan": enterprise })),
        ("an-order-1", json!({ "plan": starter, "note": "Please" })),
        ("a-request-1", json!({ "plan": starter })),
        ("a-request-1", json!({ "plan": enterprise })),
        ("a-request-1", json!({ "plan": enterprise, "note": "Please!" })),
    ] {
        let answer = house.orders(&ana, key, &body).await;
        assert_eq!(answer.problem(), (422, "idempotency_key_reused"), "{key} {body}");
    }
    let again = house.orders(&ana, "a-request-1", &json!({ "plan": enterprise, "note": "Please" })).await;
    assert_eq!(again.headers["idempotent-replayed"], "true");
    // At the same moment, one of them is there first.
    let at_once = async |note: &str| {
        let body = json!({ "plan": enterprise, "note": note });
        house.orders(&ana, "a-request-2", &body).await.status.as_u16()
    };
    let (one, other) = tokio::join!(at_once("One"), at_once("Two"));
    assert_eq!((one.min(other), one.max(other)), (201, 422));
    assert_eq!(house.count("select count(*) from credit_orders").await, 3);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_order_is_paid_for_in_the_currency_that_was_chosen(pool: PgPool) {
    let house = House::open(pool).await;
    let (ana, boss) = (house.person("ana", Role::Buyer).await, house.person("boss", Role::Admin).await);
    let starter = house.plan("starter").await;
    let prices = json!([{ "price_minor": 690, "currency": "eur" }]);
    let change = json!({ "version": 1, "reason": "Abroad", "other_prices": prices });
    assert_eq!(house.patch(&boss, &format!("/api/admin/whop-plans/{starter}"), &change).await.status, StatusCode::OK);
    let body = |currency: &str| json!({ "plan": starter, "currency": currency });
    let order = house.orders(&ana, "an-order-1", &body("EUR")).await;
    assert_eq!((&order.body["price_minor"], &order.body["currency"]), (&json!(690), &json!("eur")), "{order:?}");
    assert_eq!(house.orders(&ana, "an-order-1", &body("usd")).await.problem(), (422, "idempotency_key_reused"));
    assert_eq!(house.orders(&ana, "an-order-2", &body("gbp")).await.problem(), (409, "plan_not_sold_in"));
    assert_eq!(house.orders(&ana, "an-order-3", &body("money")).await.wrong(), ["currency"]);
    assert_eq!(house.count("select count(*) from credit_orders").await, 1);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_path_is_the_one_that_the_page_would_take(pool: PgPool) {
    let house = House::open(pool).await;
    let ana = house.person("ana", Role::Buyer).await;
    house.execute("update user_profiles set payment_path = 'manual' where email = 'ana@example.com'").await;
    let body = json!({ "plan": house.plan("starter").await, "note": "By invoice, please" });
    let order = house.orders(&ana, "an-order-1", &body).await;
    assert_eq!((order.status, &order.body["state"]), (StatusCode::CREATED, &json!("requested")), "{order:?}");
    assert_eq!((&order.body["note"], &order.body["checkout_url"]), (&json!("By invoice, please"), &Value::Null));
    // Whoever pays at a checkout has nobody to write to, and hears so before anything is begun.
    house.execute("update user_profiles set payment_path = 'whop' where email = 'ana@example.com'").await;
    assert_eq!(house.orders(&ana, "an-order-2", &body).await.wrong(), ["note"]);
    // An order stays on the path that it was begun on.
    assert_eq!(house.orders(&ana, "an-order-1", &body).await.body, order.body);
    assert_eq!(house.count("select count(*) from credit_orders").await, 1);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn own_orders_come_newest_first_a_page_at_a_time(pool: PgPool) {
    let house = House::open(pool).await;
    let (ana, ben) = (house.person("ana", Role::Buyer).await, house.person("ben", Role::Buyer).await);
    let mut made = Vec::new();
    for nth in 0..5 {
        made.push(house.requested(&ana, &format!("a-request-{nth}")).await);
    }
    house.requested(&ben, "a-request-of-ben").await;
    made.reverse();
    let mut seen = Vec::new();
    let mut path = format!("{ORDERS}?limit=2");
    for pages in 1.. {
        let page = house.get(&ana, &path).await;
        let orders = page.body["orders"].as_array().unwrap();
        seen.extend(orders.iter().map(|order| order["id"].as_str().unwrap().to_owned()));
        let Some(next) = page.body["next"].as_str() else {
            assert_eq!((pages, orders.len()), (3, 1));
            break;
        };
        path = format!("{ORDERS}?limit=2&after={next}");
    }
    assert_eq!(seen, made);
    assert_eq!(house.get(&ben, ORDERS).await.body["orders"].as_array().unwrap().len(), 1);
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=two", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("after=x", "after"),
        ("after=0.1", "after"),
        ("state=paid", "state"),
        ("limit=1&limit=2", "limit"),
    ] {
        assert_eq!(house.get(&ana, &format!("{ORDERS}?{query}")).await.wrong(), [field], "{query}");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_sent_wrongly_begins_nothing_and_is_named(pool: PgPool) {
    let house = House::open(pool).await;
    let ana = house.person("ana", Role::Buyer).await;
    let plan = house.plan("enterprise").await;
    let long = "x".repeat(2_001);
    let send = async |body: String| {
        let request = house.by(&ana, Method::POST, ORDERS).header("idempotency-key", "an-order-1");
        house.send(request.header("content-type", "application/json").body(body)).await
    };
    for (rest, field) in [
        (r#""plan": 1"#, "plan"),
        (r#""plan": "starter""#, "plan"),
        (r#""plan": null"#, "plan"),
        (r#""plan": {}"#, "plan"),
        (r#""note": "Please""#, "plan"),
        (&format!(r#""plan": "{plan}", "credits": 1000000"#), "credits"),
        (&format!(r#""plan": "{plan}", "price_minor": 1"#), "price_minor"),
        (&format!(r#""plan": "{plan}", "buyer": "{plan}""#), "buyer"),
        (&format!(r#""plan": "{plan}", "plan": "{plan}""#), "plan"),
        (&format!(r#""plan": "{plan}", "note": 99999999999999999999999999"#), "note"),
        (&format!(r#""plan": "{plan}", "note": ["Please"]"#), "note"),
        (&format!(r#""plan": "{plan}", "note": "a\u0000b""#), "note"),
        (&format!(r#""plan": "{plan}", "note": "{long}""#), "note"),
    ] {
        assert_eq!(send(format!("{{{rest}}}")).await.wrong(), [field], "{rest}");
    }
    for body in
        ["", "{", "plan=1", "{\"plan\": \"\\ud800\"}", &format!("{{\"plan\": \"{plan}\"}} x"), &"[".repeat(9_000)]
    {
        let answer = send(body.to_owned()).await;
        assert!([(400, "bad_request"), (422, "invalid")].contains(&answer.problem()), "{body}: {answer:?}");
    }
    for body in ["[]", "null", "1", "\"text\""] {
        assert_eq!(send(body.to_owned()).await.problem().0, 422, "{body}");
    }
    let large = send(format!("{{\"note\": \"{}\"}}", "x".repeat(70_000))).await;
    assert_eq!(large.problem(), (413, "too_large"));
    let unknown = house.orders(&ana, "an-order-1", &json!({ "plan": atlas::ids::fresh() })).await;
    assert_eq!(unknown.problem(), (409, "plan_not_on_sale"));
    assert_eq!(house.count("select count(*) from credit_orders").await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_envelope_of_an_order_has_to_be_right(pool: PgPool) {
    let house = House::open(pool).await;
    let ana = house.person("ana", Role::Buyer).await;
    let body = json!({ "plan": house.plan("starter").await });
    let long = "k".repeat(129);
    for keys in [&[][..], &["an-order-1", "an-order-2"], &["short"], &["with spaces in"], &[long.as_str()]] {
        let mut request = house.by(&ana, Method::POST, ORDERS).json(&body);
        for key in keys {
            request = request.header("idempotency-key", *key);
        }
        assert_eq!(house.send(request).await.problem(), (400, "bad_request"), "{keys:?}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let request =
            house.by(&ana, Method::POST, ORDERS).header("idempotency-key", "an-order-1").body(body.to_string());
        let request = if kind.is_empty() { request } else { request.header("content-type", kind) };
        assert_eq!(house.send(request).await.problem(), (415, "unsupported_media_type"), "{kind}");
    }
    let put = house.send(house.by(&ana, Method::PUT, ORDERS).json(&body)).await;
    assert_eq!(put.problem(), (405, "method_not_allowed"));
    assert_eq!(put.headers["allow"], "GET,HEAD,POST");
    assert_eq!(house.count("select count(*) from credit_orders").await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_holds_on_the_page_holds_here(pool: PgPool) {
    let house = House::open(pool).await;
    let ana = house.person("ana", Role::Buyer).await;
    let starter = json!({ "plan": house.plan("starter").await });
    house.execute("insert into settings (name, value, changed_at) values ('payments_stopped', '{\"message\": \"Look\"}', now())").await;
    let stopped = house.orders(&ana, "an-order-1", &starter).await;
    assert_eq!(stopped.problem(), (503, "payments_are_stopped"));
    assert!(stopped.headers.contains_key("retry-after"));
    house.execute("delete from settings").await;
    house.execute("update user_profiles set daily_credits_max = 4999").await;
    assert_eq!(house.orders(&ana, "an-order-1", &starter).await.problem(), (403, "daily_limit"));
    house.execute("update user_profiles set daily_credits_max = null").await;
    // Ten at once, of which two are spent.
    for _ in 0..8 {
        house.orders(&ana, "an-order-1", &starter).await;
    }
    let often = house.orders(&ana, "an-order-1", &starter).await;
    assert_eq!(often.problem(), (429, "too_many_requests"));
    let seconds: u32 = often.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=180).contains(&seconds), "{seconds}");
    assert_eq!(house.count("select count(*) from credit_orders").await, 1);
}
