//! The plans, as JSON: made, changed, put on sale, ended.

use domain::Role;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::house::{Answer, House, Somebody};

const PLANS: &str = "/api/admin/whop-plans";

fn at(plan: &str) -> String {
    format!("{PLANS}/{plan}")
}

async fn makes(house: &House, who: &Somebody, body: &Value) -> Answer {
    house.send(house.by(who, Method::POST, PLANS).json(body)).await
}

async fn deletes(house: &House, who: &Somebody, address: &str) -> Answer {
    house.send(house.by(who, Method::DELETE, address)).await
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_plan_is_made_revised_sold_and_ended(pool: PgPool) {
    let house = House::open(pool).await;
    let boss = house.person("boss", Role::Admin).await;
    let made =
        makes(&house, &boss, &json!({ "name": "Team", "credits": 12_000, "price_minor": 1_550, "currency": "EUR" }))
            .await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let plan = made.body["id"].as_str().unwrap().to_owned();
    assert_eq!(made.headers["location"], at(&plan).as_str());
    assert_eq!(
        (&made.body["version"], &made.body["standing"], &made.body["slug"]),
        (&json!(1), &json!("off_sale"), &json!("team"))
    );
    assert_eq!((&made.body["price_minor"], &made.body["currency"]), (&json!(1_550), &json!("eur")));
    assert_eq!(house.get(&boss, &at(&plan)).await.body, made.body);

    let change = json!({ "version": 1, "reason": "Cheaper", "price_minor": 1_250, "expires_after_days": 90 });
    let revised = house.patch(&boss, &at(&plan), &change).await;
    assert_eq!((revised.status, &revised.body["version"]), (StatusCode::OK, &json!(2)), "{revised:?}");
    assert_eq!((&revised.body["price_minor"], &revised.body["name"]), (&json!(1_250), &json!("Team")));
    assert_eq!(revised.body["expires_after_days"], 90);
    // In further currencies, and with credits on top; what is not named stays.
    let other_prices =
        json!([{ "price_minor": 1_390, "currency": "usd" }, { "price_minor": 1_800, "currency": "jpy" }]);
    let sent = json!([{ "price_minor": 1_800, "currency": "JPY" }, { "price_minor": 1_390, "currency": "usd" }]);
    let change = json!({ "version": 2, "reason": "Abroad", "other_prices": sent, "bonus_credits": 500 });
    let abroad = house.patch(&boss, &at(&plan), &change).await;
    assert_eq!(
        (abroad.status, abroad.body["other_prices"].as_array().unwrap().len()),
        (StatusCode::OK, 2),
        "{abroad:?}"
    );
    let named = json!({ "version": 3, "reason": "Named anew", "name": "Team" , "description": "For teams" });
    let kept = house.patch(&boss, &at(&plan), &named).await;
    for price in other_prices.as_array().unwrap() {
        assert!(kept.body["other_prices"].as_array().unwrap().contains(price), "{kept:?}");
    }
    assert_eq!((&kept.body["bonus_credits"], &kept.body["price_minor"]), (&json!(500), &json!(1_250)));
    for (wrong, field) in [
        (json!({ "other_prices": [{ "price_minor": 1, "currency": "eur" }] }), "other_prices"),
        (json!({ "other_prices": [{ "price_minor": -5, "currency": "usd" }] }), "other_prices"),
        (json!({ "other_prices": [{ "price_minor": 500, "currency": "xxq" }] }), "other_prices"),
        (json!({ "bonus_credits": -1 }), "bonus_credits"),
        (json!({ "bonus_expires_after_days": 0 }), "bonus_expires_after_days"),
    ] {
        let mut change = json!({ "version": 4, "reason": "A slip" });
        change.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert_eq!(house.patch(&boss, &at(&plan), &change).await.wrong(), [field], "{change}");
    }
    let change = json!({ "version": 4, "reason": "As before", "other_prices": [], "bonus_credits": null });
    let before = house.patch(&boss, &at(&plan), &change).await;
    assert_eq!((&before.body["other_prices"], &before.body["bonus_credits"]), (&json!([]), &json!(0)), "{before:?}");
    let change =
        json!({ "version": 5, "reason": "Ask us", "price_minor": null, "currency": null, "expires_after_days": null });
    let revised = house.patch(&boss, &at(&plan), &change).await;
    assert_eq!(
        (&revised.body["price_minor"], &revised.body["expires_after_days"]),
        (&Value::Null, &Value::Null),
        "{revised:?}"
    );
    // The same once more is no new version.
    let same = house.patch(&boss, &at(&plan), &json!({ "version": 6, "reason": "Again", "name": "Team" })).await;
    assert_eq!((same.status, &same.body["version"]), (StatusCode::OK, &json!(6)));

    for standing in ["on_sale", "off_sale", "retired"] {
        let answer = house.patch(&boss, &at(&plan), &json!({ "standing": standing, "reason": "Season" })).await;
        assert_eq!((answer.status, &answer.body["standing"]), (StatusCode::OK, &json!(standing)), "{answer:?}");
    }
    let late = house.patch(&boss, &at(&plan), &json!({ "standing": "on_sale", "reason": "Season" })).await;
    assert_eq!(late.problem(), (409, "plan_is_retired"));
    let gone = deletes(&house, &boss, &format!("{}?reason=Nobody+bought+it", at(&plan))).await;
    assert_eq!((gone.status, &gone.body), (StatusCode::NO_CONTENT, &Value::Null), "{gone:?}");
    assert_eq!(house.get(&boss, &at(&plan)).await.problem(), (404, "not_found"));
    let deeds = "select count(*) from audit_entries where deed in
        ('plan_created', 'plan_revised', 'plan_put_on_sale', 'plan_taken_off_sale', 'plan_retired', 'plan_deleted')";
    assert_eq!(house.count(deeds).await, 10);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_plan_sent_again_under_its_key_is_not_made_again(pool: PgPool) {
    let house = House::open(pool).await;
    let boss = house.person("boss", Role::Admin).await;
    let send = async |key: &str, body: Value| {
        house.send(house.by(&boss, Method::POST, PLANS).header("idempotency-key", key).json(&body)).await
    };
    let team = json!({ "name": "Team", "credits": 12_000, "price_minor": 1_550, "currency": "eur" });
    let first = send("plan-team-1", team.clone()).await;
    let again = send("plan-team-1", team.clone()).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::CREATED), "{again:?}");
    assert_eq!(again.body, first.body);
    let other = json!({ "name": "Team", "credits": 13_000, "price_minor": 1_550, "currency": "eur" });
    assert_eq!(send("plan-team-1", other).await.problem(), (422, "idempotency_key_reused"));
    assert_eq!(send("short", team.clone()).await.problem(), (400, "bad_request"));
    assert_eq!(house.count("select count(*) from plans where slug like 'team%'").await, 1);
    // Without a key each is another.
    assert_ne!(makes(&house, &boss, &team).await.body["id"], first.body["id"]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn of_two_who_change_the_same_version_the_second_hears_what_stands(pool: PgPool) {
    let house = House::open(pool).await;
    let boss = house.person("boss", Role::Admin).await;
    let plan = house.plan("starter").await;
    let first = house.patch(&boss, &at(&plan), &json!({ "version": 1, "reason": "More", "credits": 6_000 })).await;
    assert_eq!(first.status, StatusCode::OK, "{first:?}");
    let second = house.patch(&boss, &at(&plan), &json!({ "version": 1, "reason": "Less", "credits": 4_000 })).await;
    assert_eq!((second.problem(), &second.body["current"]), ((409, "plan_changed_meanwhile"), &first.body));
    assert_eq!(house.get(&boss, &at(&plan)).await.body["credits"], 6_000);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_plan_that_was_ordered_is_not_deleted(pool: PgPool) {
    let house = House::open(pool).await;
    let (boss, ana) = (house.person("boss", Role::Admin).await, house.person("ana", Role::Buyer).await);
    house.requested(&ana, "a-request-1").await;
    let plan = house.plan("enterprise").await;
    let refused = deletes(&house, &boss, &format!("{}?reason=Old", at(&plan))).await;
    assert_eq!(refused.problem(), (409, "plan_was_ordered"));
    assert_eq!(house.get(&boss, &at(&plan)).await.body["ordered"], true);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn terms_that_no_form_would_take_are_refused_by_field(pool: PgPool) {
    let house = House::open(pool).await;
    let boss = house.person("boss", Role::Admin).await;
    let plan = house.plan("starter").await;
    let good = json!({ "name": "Team", "credits": 1, "price_minor": 100, "currency": "usd" });
    for (field, value, wrong) in [
        ("name", json!(""), "name"),
        ("name", json!("x".repeat(81)), "name"),
        ("name", json!("a\u{202e}b"), "name"),
        ("name", json!(7), "name"),
        ("description", json!("a\nb"), "description"),
        ("credits", json!(0), "credits"),
        ("credits", json!(-1), "credits"),
        ("credits", json!(1_000_000_000_001_i64), "credits"),
        ("credits", json!(u64::MAX), "credits"),
        ("credits", json!("1"), "credits"),
        ("credits", json!(1.5), "credits"),
        ("price_minor", json!(0), "price_minor"),
        ("price_minor", json!(99), "price_minor"),
        ("price_minor", json!(-100), "price_minor"),
        ("price_minor", json!(i64::MIN), "price_minor"),
        ("price_minor", json!(i64::MAX), "price_minor"),
        ("price_minor", json!(7.5), "price_minor"),
        ("price_minor", Value::Null, "price_minor"),
        ("currency", json!("btc"), "currency"),
        ("currency", Value::Null, "currency"),
        ("expires_after_days", json!(0), "expires_after_days"),
        ("expires_after_days", json!(i64::MAX), "expires_after_days"),
        ("visibility", json!("hidden"), "visibility"),
        ("on_sale", json!(true), "on_sale"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        assert_eq!(makes(&house, &boss, &body).await.wrong(), [wrong], "{body}");
        body["version"] = json!(1);
        body["reason"] = json!("Try");
        assert_eq!(house.patch(&boss, &at(&plan), &body).await.wrong(), [wrong], "{body}");
    }
    assert_eq!(house.count("select count(*) from plan_versions where version > 1").await, 0);
    assert_eq!(house.count("select count(*) from audit_entries where deed like 'plan%'").await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_change_says_what_why_and_of_which_version(pool: PgPool) {
    let house = House::open(pool).await;
    let boss = house.person("boss", Role::Admin).await;
    let plan = house.plan("starter").await;
    for (body, wrong) in [
        (json!({ "reason": "Nothing" }), "body"),
        (json!({ "version": 1, "reason": "Nothing" }), "body"),
        (json!({ "name": "Team", "reason": "No version" }), "version"),
        (json!({ "name": "Team", "version": 1 }), "reason"),
        (json!({ "name": "Team", "version": 1, "reason": "" }), "reason"),
        (json!({ "name": "Team", "version": 1, "standing": "retired", "reason": "Both" }), "standing"),
        (json!({ "standing": "gone", "reason": "Try" }), "standing"),
        (json!({ "name": "Team", "version": 4_294_967_296_i64, "reason": "Try" }), "version"),
    ] {
        assert_eq!(house.patch(&boss, &at(&plan), &body).await.wrong(), [wrong], "{body}");
    }
    for (address, wrong) in [
        (at(&plan), "reason"),
        (format!("{}?reason=", at(&plan)), "reason"),
        (format!("{}?reason=a%0Ab", at(&plan)), "reason"),
        (format!("{}?why=Old", at(&plan)), "why"),
        (format!("{}?reason=Old", at("7")), "id"),
    ] {
        assert_eq!(deletes(&house, &boss, &address).await.wrong(), [wrong], "{address}");
    }
    house.execute("update sessions set confirmed_at = now() - interval '6 minutes'").await;
    for answer in [
        house.patch(&boss, &at(&plan), &json!({ "name": "Team", "version": 1, "reason": "Try" })).await,
        house.patch(&boss, &at(&plan), &json!({ "standing": "retired", "reason": "Try" })).await,
        deletes(&house, &boss, &format!("{}?reason=Old", at(&plan))).await,
    ] {
        assert_eq!(answer.problem(), (403, "confirm_first"));
    }
    let nobodys = atlas::ids::fresh().to_string();
    let change = json!({ "name": "Team", "version": 1, "reason": "Try" });
    assert_eq!(house.patch(&boss, &at(&nobodys), &change).await.problem(), (404, "not_found"));
    let list = house.get(&boss, PLANS).await;
    let starter = list.body["plans"].as_array().unwrap().iter().find(|listed| listed["id"] == plan.as_str()).unwrap();
    assert_eq!((&starter["standing"], &starter["version"]), (&json!("on_sale"), &json!(1)));
}
