//! Everybody's orders, as JSON: found, opened, and requests answered.

use atlas::api_keys::Scope;
use domain::Role;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::house::{House, Somebody};

const ORDERS: &str = "/api/admin/credit-orders";

fn found(page: &Value) -> Vec<&str> {
    page["orders"].as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap()).collect()
}

fn at(order: &str) -> String {
    format!("{ORDERS}/{order}")
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn orders_are_found_as_on_the_page(pool: PgPool) {
    let house = House::open(pool).await;
    let support = house.person("sam", Role::Support).await;
    let (ana, ben) = (house.person("ana", Role::Buyer).await, house.person("ben", Role::Buyer).await);
    let first = house.requested(&ana, "a-request-1").await;
    let second = house.requested(&ben, "a-request-2").await;
    let third = house.orders(&ana, "an-order-1", &json!({ "plan": house.plan("starter").await })).await;
    let third = third.body["id"].as_str().unwrap();
    for (query, wanted) in [
        ("", &[third, &second, &first][..]),
        ("?sort=oldest", &[&first, &second, third]),
        ("?state=requested", &[&second, &first]),
        ("?provider=whop", &[third]),
        ("?q=BEN", &[&second]),
        (&format!("?q={first}"), &[&first]),
        ("?from=2020-01-01&to=2020-01-02", &[]),
        ("?state=requested&limit=1", &[&second]),
    ] {
        let page = house.get(&support, &format!("{ORDERS}{query}")).await;
        assert_eq!((page.status, found(&page.body)), (StatusCode::OK, wanted.to_vec()), "{query}");
    }
    let page = house.get(&support, &format!("{ORDERS}?limit=2")).await;
    let rest = house.get(&support, &format!("{ORDERS}?limit=2&after={}", page.body["next"].as_str().unwrap())).await;
    assert_eq!((found(&rest.body), &rest.body["next"]), (vec![first.as_str()], &Value::Null));
    assert_eq!(page.body["orders"][0]["buyer_email"], "ana@example.com");
    for (query, field) in [
        ("state=maybe", "state"),
        ("provider=cash", "provider"),
        ("from=2026-02-30", "from"),
        ("to=today", "to"),
        ("sort=price", "sort"),
        ("q=a%00b", "q"),
        ("after=1", "after"),
        ("limit=-1", "limit"),
        ("page=2", "page"),
    ] {
        assert_eq!(house.get(&support, &format!("{ORDERS}?{query}")).await.wrong(), [field], "{query}");
    }
    let all = house.get(&support, &format!("{ORDERS}?state=x&limit=x&sort=x")).await;
    assert_eq!(all.wrong(), ["state", "sort", "limit"], "all of it at once");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_admin_approves_a_request_once(pool: PgPool) {
    let house = House::open(pool).await;
    let (boss, ana) = (house.person("boss", Role::Admin).await, house.person("ana", Role::Buyer).await);
    let order = house.requested(&ana, "a-request-1").await;
    let approve = json!({ "state": "approved", "credits": 70, "reason": "Paid by invoice 7" });
    let answer = house.patch(&boss, &at(&order), &approve).await;
    assert_eq!((answer.status, &answer.body["state"]), (StatusCode::OK, &json!("approved")), "{answer:?}");
    let said = json!({ "by": "boss@example.com", "reason": "Paid by invoice 7", "credits": 70 });
    assert_eq!(answer.body["answer"], said);
    let ledger = &answer.body["ledger"];
    assert_eq!(
        (ledger[0]["kind"].as_str(), &ledger[0]["credits"], ledger.as_array().unwrap().len()),
        (Some("grant"), &json!(70), 1)
    );
    assert_eq!(house.get(&boss, &at(&order)).await.body, answer.body);
    assert_eq!(house.get(&ana, "/api/credit-orders").await.body["orders"][0]["credits"], 70);
    // Whoever is second hears what the first one said.
    let again = house.patch(&boss, &at(&order), &json!({ "state": "rejected", "reason": "No" })).await;
    assert_eq!((again.problem(), &again.body["current"]), ((409, "not_requested"), &answer.body));
    let noted = "select count(*) from audit_entries where deed = 'request_approved' and why = 'Paid by invoice 7'";
    assert_eq!(house.count(noted).await, 1);
    assert_eq!(house.count("select posted from credit_accounts where kind = 'wallet' and posted <> 0").await, 70);
    house.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_admin_rejects_a_request_and_the_buyer_reads_why(pool: PgPool) {
    let house = House::open(pool).await;
    let (boss, ana) = (house.person("boss", Role::Admin).await, house.person("ana", Role::Buyer).await);
    let order = house.requested(&ana, "a-request-1").await;
    let answer = house.patch(&boss, &at(&order), &json!({ "state": "rejected", "reason": "Never paid" })).await;
    assert_eq!((answer.status, &answer.body["state"]), (StatusCode::OK, &json!("rejected")), "{answer:?}");
    let own = house.get(&ana, "/api/credit-orders").await;
    assert_eq!(own.body["orders"][0]["answer_reason"], "Never paid");
    assert_eq!(house.count("select count(*) from credit_transactions").await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_one_admin_may_not_give_alone_waits_for_another(pool: PgPool) {
    let house = House::open(pool).await;
    let (boss, ana) = (house.person("boss", Role::Admin).await, house.person("ana", Role::Buyer).await);
    let order = house.requested(&ana, "a-request-1").await;
    let large = json!({ "state": "approved", "credits": 900_000_000, "reason": "A large one" });
    let answer = house.patch(&boss, &at(&order), &large).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    let waits = &answer.body["waits_for_second_admin"];
    assert_eq!((&waits["order"], &waits["credits"]), (&json!(order), &json!(900_000_000)));
    assert_eq!(waits["asked_by"], "boss@example.com");
    assert!(waits["confirm_at"].as_str().unwrap().ends_with("/admin/approvals"));
    assert_eq!(house.get(&boss, &at(&order)).await.body["state"], "requested");
    assert_eq!(house.count("select count(*) from credit_transactions").await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_answer_that_is_sent_wrongly_answers_nothing(pool: PgPool) {
    let house = House::open(pool).await;
    let (boss, ana) = (house.person("boss", Role::Admin).await, house.person("ana", Role::Buyer).await);
    let order = house.requested(&ana, "a-request-1").await;
    for (body, fields) in [
        (json!({ "reason": "Yes" }), &["state"][..]),
        (json!({ "state": "approved" }), &["reason"]),
        (json!({ "state": "paid", "reason": "Yes" }), &["state"]),
        (json!({ "state": "approved", "reason": " " }), &["reason"]),
        (json!({ "state": "approved", "reason": "a\nb" }), &["reason"]),
        (json!({ "state": "approved", "reason": "a\u{0}b" }), &["reason"]),
        (json!({ "state": "approved", "reason": "Yes", "credits": 0 }), &["credits"]),
        (json!({ "state": "approved", "reason": "", "credits": -1 }), &["credits", "reason"]),
        (json!({ "state": "approved", "reason": "Yes", "credits": 1.5 }), &["credits"]),
        (json!({ "state": "approved", "reason": "Yes", "credits": "7" }), &["credits"]),
        (json!({ "state": "approved", "reason": "Yes", "credits": 1_000_000_000_001_i64 }), &["credits"]),
        (json!({ "state": "approved", "reason": "Yes", "credits": u64::MAX }), &["credits"]),
        (json!({ "state": "rejected", "reason": "No", "credits": 1 }), &["credits"]),
        (json!({ "state": "approved", "reason": "Yes", "buyer": "me" }), &["buyer"]),
    ] {
        assert_eq!(house.patch(&boss, &at(&order), &body).await.wrong(), fields, "{body}");
    }
    let approve = json!({ "state": "approved", "reason": "Yes" });
    assert_eq!(house.patch(&boss, &at("7"), &approve).await.wrong(), ["id"]);
    assert_eq!(house.get(&boss, &at("7")).await.wrong(), ["id"]);
    let nobodys = atlas::ids::fresh().to_string();
    assert_eq!(house.patch(&boss, &at(&nobodys), &approve).await.problem(), (404, "not_found"));
    assert_eq!(house.get(&boss, &at(&nobodys)).await.problem(), (404, "not_found"));
    assert_eq!(house.count("select count(*) from credit_orders where state = 'requested'").await, 1);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_did_not_confirm_lately_is_told_where_to(pool: PgPool) {
    let house = House::open(pool).await;
    let (boss, ana) = (house.person("boss", Role::Admin).await, house.person("ana", Role::Buyer).await);
    let order = house.requested(&ana, "a-request-1").await;
    house.execute("update sessions set confirmed_at = now() - interval '6 minutes'").await;
    let answer = house.patch(&boss, &at(&order), &json!({ "state": "approved", "reason": "Yes" })).await;
    assert_eq!(answer.problem(), (403, "confirm_first"));
    let place = format!("http://127.0.0.1:3000/confirm?return_to=/admin/orders/{order}");
    assert_eq!(answer.body["confirm_at"], place);
    assert_eq!(house.get(&boss, &at(&order)).await.body["state"], "requested");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn each_role_gets_what_is_for_it_and_says_so(pool: PgPool) {
    let house = House::open(pool).await;
    let ana = house.person("ana", Role::Buyer).await;
    let order = house.requested(&ana, "a-request-1").await;
    let answers = async |who: &Somebody| {
        let list = house.get(who, ORDERS).await.status.as_u16();
        let open = house.get(who, &at(&order)).await.status.as_u16();
        let patch = house.patch(who, &at(&order), &json!({ "state": "rejected", "reason": "No" })).await;
        let plans = house.get(who, "/api/admin/whop-plans").await.status.as_u16();
        [list, open, patch.status.as_u16(), plans]
    };
    let nobody = Somebody { cookie: "sid=none".to_owned() };
    assert_eq!(answers(&nobody).await, [401, 401, 401, 401]);
    assert_eq!(house.get(&nobody, "/api/credit-orders").await.problem(), (401, "unauthorized"));
    assert_eq!(answers(&ana).await, [403, 403, 403, 403]);
    assert_eq!(answers(&house.person("sam", Role::Support).await).await, [200, 200, 403, 403]);
    assert_eq!(answers(&house.person("fay", Role::Finance).await).await, [200, 200, 403, 403]);
    assert_eq!(house.count("select count(*) from credit_orders where state = 'requested'").await, 1);
    assert_eq!(answers(&house.person("boss", Role::Admin).await).await, [200, 200, 200, 200]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_key_made_for_reading_reads_and_no_key_changes(pool: PgPool) {
    let house = House::open(pool).await;
    let (boss, ana) = (house.person("boss", Role::Admin).await, house.person("ana", Role::Buyer).await);
    let order = house.requested(&ana, "a-request-1").await;
    let plan = house.plan("starter").await;
    let (reads, spends) = (house.key(Scope::Read).await, house.key(Scope::Spend).await);
    let looks =
        [ORDERS.to_owned(), at(&order), "/api/admin/whop-plans".to_owned(), format!("/api/admin/whop-plans/{plan}")];
    for path in &looks {
        let get = || house.request(Method::GET, path);
        let answer = house.send(get().bearer_auth(&reads)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        assert!(!answer.headers.contains_key("set-cookie"));
        assert_eq!(house.send(get().bearer_auth(&spends)).await.problem(), (403, "missing_scope"), "{path}");
        assert_eq!(house.send(get().bearer_auth("cred_live_1")).await.problem(), (401, "unauthenticated"), "{path}");
        // What is wrong with the key is not made good by a cookie.
        let both = house.by(&boss, Method::GET, path).bearer_auth(&spends);
        assert_eq!(house.send(both).await.problem(), (403, "missing_scope"), "{path}");
    }
    let reject = json!({ "state": "rejected", "reason": "No" });
    let patch = || house.request(Method::PATCH, &at(&order)).bearer_auth(&reads).json(&reject);
    assert_eq!(house.send(patch()).await.problem(), (401, "unauthorized"));
    assert_eq!(house.send(patch().header("cookie", &boss.cookie)).await.problem(), (403, "takes_a_person"));
    let own = house.by(&ana, Method::GET, "/api/credit-orders").bearer_auth(&reads);
    assert_eq!(house.send(own).await.problem(), (403, "takes_a_person"));
    house.execute("update api_keys set revoked_at = now()").await;
    let revoked = house.request(Method::GET, ORDERS).bearer_auth(&reads);
    assert_eq!(house.send(revoked).await.problem(), (401, "unauthenticated"));
    assert_eq!(house.count("select count(*) from credit_orders where state = 'requested'").await, 1);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn another_site_can_make_no_browser_change_anything(pool: PgPool) {
    let house = House::open(pool).await;
    let (boss, ana) = (house.person("boss", Role::Admin).await, house.person("ana", Role::Buyer).await);
    let order = house.requested(&ana, "a-request-1").await;
    let reject = json!({ "state": "rejected", "reason": "No" });
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("accept", "*/*"),
    ] {
        let request = house.request(Method::PATCH, &at(&order)).header("cookie", &boss.cookie).header(name, value);
        assert_eq!(house.send(request.json(&reject)).await.problem(), (403, "forbidden"), "{name}: {value}");
    }
    // What a form of another site could send, if it came through, is no JSON.
    let request = house.by(&boss, Method::PATCH, &at(&order)).header("content-type", "text/plain");
    assert_eq!(house.send(request.body(reject.to_string())).await.problem(), (415, "unsupported_media_type"));
    assert_eq!(house.count("select count(*) from credit_orders where state = 'requested'").await, 1);
}
