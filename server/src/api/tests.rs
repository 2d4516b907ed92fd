//! The contract of docs/api.md over real connections, against a real database.
#![expect(clippy::unwrap_used, reason = "tests")]

mod cut;
mod described;
mod desk;
mod house;
mod mishaps;
mod orders;
mod scene;
mod shelf;

use std::num::NonZeroU32;
use std::time::Duration;

use domain::PersonId;
use http::StatusCode;
use serde_json::json;
use sqlx::PgPool;

use crate::meter::Rate;
use scene::Scene;

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_spend_is_answered_with_what_it_took_and_what_is_left(pool: PgPool) {
    let scene = Scene::open(pool).await;
    let ana = scene.person(5_000).await;
    let body = json!({ "owner": ana, "credits": 25, "description": "Used for job 1" }).to_string();
    let answer = scene.ask("job-1", &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!((&answer.body["credits"], &answer.body["balance"]), (&json!(25), &json!(4_975)));
    assert_eq!(answer.body.as_object().unwrap().len(), 3);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(!answer.headers.contains_key("idempotent-replayed") && !answer.headers.contains_key("set-cookie"));

    scene.ask("job-2", &json!({ "owner": ana, "credits": 75 }).to_string()).await;
    let again = scene.ask("job-1", &body).await;
    assert_eq!((again.status, &again.body), (answer.status, &answer.body), "the first answer, byte for byte");
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(scene.left(ana).await, 4_900);
    let said = scene.descriptions(ana).await;
    assert_eq!(said, ["Used for job 1", "Shop"]);
    scene.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t60_a_key_is_limited_and_hears_what_is_left(pool: PgPool) {
    let rate = Rate { burst: NonZeroU32::new(2).unwrap(), each: Duration::from_mins(1) };
    let scene = Scene::open_limited(pool, rate).await;
    let ana = scene.person(100).await;
    let first = scene.spend("1", ana, 1).await;
    assert_eq!(first.headers["ratelimit-policy"], "\"key\";q=2;w=120");
    assert_eq!((first.status, &first.headers["ratelimit"]), (StatusCode::OK, &"\"key\";r=1".parse().unwrap()));
    let second = scene.ask("2", "nonsense").await;
    assert_eq!(
        (second.status, &second.headers["ratelimit"]),
        (StatusCode::BAD_REQUEST, &"\"key\";r=0".parse().unwrap())
    );
    let third = scene.spend("3", ana, 1).await;
    assert_eq!((third.status, third.code()), (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"));
    let seconds: u64 = third.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let another = scene.another_key().await;
    assert_eq!(scene.ask_with(&another, ana).await.status, StatusCode::OK);
    assert_eq!(scene.left(ana).await, 98);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_has_no_valid_key_gets_nothing(pool: PgPool) {
    let scene = Scene::open(pool).await;
    let ana = scene.person(100).await;
    let key = scene.key.clone();
    let foreign = key.replace(&key[20..24], if &key[20..24] == "aaaa" { "bbbb" } else { "aaaa" });
    for authorization in [
        vec![],
        vec!["Bearer".to_owned()],
        vec!["Bearer sk_live_1".to_owned()],
        vec![format!("Basic {key}")],
        vec![format!("Bearer {foreign}")],
        vec![format!("Bearer {key}x")],
        vec![format!("Bearer {key}"), format!("Bearer {key}")],
        vec![key.clone()],
    ] {
        let mut request = scene.post("k", &json!({ "owner": ana, "credits": 1 }).to_string());
        request.headers_mut().remove("authorization");
        for value in &authorization {
            request.headers_mut().append("authorization", value.parse().unwrap());
        }
        // A cookie is worth nothing here, and does not make it a form from another site either.
        request.headers_mut().insert("cookie", "sid=1".parse().unwrap());
        let answer = scene.send(request).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "unauthenticated"), "{authorization:?}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    // Well made, but never given out; then given out and revoked.
    let unknown = scene.another_key().await;
    scene.execute("delete from api_keys where name = 'Another'").await;
    assert_eq!(scene.ask_with(&unknown, ana).await.status, StatusCode::UNAUTHORIZED);
    let revoked = scene.another_key().await;
    assert_eq!(scene.ask_with(&revoked, ana).await.status, StatusCode::OK);
    scene.execute("update api_keys set revoked_at = now() where name = 'Another'").await;
    assert_eq!(scene.ask_with(&revoked, ana).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(scene.left(ana).await, 99);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_key_that_was_made_for_something_else_may_not_spend(pool: PgPool) {
    let scene = Scene::open(pool).await;
    let ana = scene.person(100).await;
    scene.execute("alter table api_keys drop constraint api_keys_scopes").await;
    scene.execute("update api_keys set scopes = '{}'").await;
    let answer = scene.spend("k", ana, 1).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "missing_scope"));
    assert_eq!(scene.left(ana).await, 100);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_refusal_says_why_and_leaves_no_trace(pool: PgPool) {
    let scene = Scene::open(pool).await;
    let (ana, ben) = (scene.person(10).await, scene.person(10).await);
    let nobody = PersonId::from_uuid(atlas::ids::fresh());
    let unknown = scene.spend("k", nobody, 1).await;
    assert_eq!((unknown.status, unknown.code()), (StatusCode::NOT_FOUND, "unknown_owner"));
    let too_much = scene.spend("k", ana, 11).await;
    assert_eq!((too_much.status, too_much.code()), (StatusCode::PAYMENT_REQUIRED, "not_enough_credits"));
    scene.execute("update credit_accounts set debt = 5 where owner_id is not null and posted = 10").await;
    let owed = scene.spend("k", ben, 1).await;
    assert_eq!((owed.status, owed.code()), (StatusCode::PAYMENT_REQUIRED, "credits_are_owed"));
    scene.execute("update credit_accounts set debt = 0").await;
    // The same key is still free, for whatever it is used next.
    assert_eq!(scene.spend("k", ana, 10).await.status, StatusCode::OK);
    assert_eq!((scene.left(ana).await, scene.left(ben).await), (0, 10));
    scene.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_key_used_for_another_request_is_refused(pool: PgPool) {
    let scene = Scene::open(pool).await;
    let (ana, ben) = (scene.person(100).await, scene.person(100).await);
    assert_eq!(scene.spend("k", ana, 10).await.status, StatusCode::OK);
    let described = json!({ "owner": ana, "credits": 10, "description": "Something else" }).to_string();
    for answer in [scene.spend("k", ana, 11).await, scene.spend("k", ben, 10).await, scene.ask("k", &described).await] {
        assert_eq!((answer.status, answer.code()), (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused"));
    }
    assert_eq!((scene.left(ana).await, scene.left(ben).await), (90, 100));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_asked_for_wrongly_never_reaches_the_ledger(pool: PgPool) {
    let scene = Scene::open(pool).await;
    let ana = scene.person(100).await;
    let long = "x".repeat(201);
    for (rest, status) in [
        (r#""credits": 0"#, 422),
        (r#""credits": -1"#, 422),
        (r#""credits": 1.0"#, 422),
        (r#""credits": 1e3"#, 422),
        (r#""credits": "1""#, 422),
        (r#""credits": null"#, 422),
        (r#""credits": true"#, 422),
        (r#""credits": 1000000000001"#, 422),
        (r#""credits": 9223372036854775808"#, 422),
        (r#""credits": 1, "credits": 2"#, 422),
        (r#""credits": 1, "price": 1"#, 422),
        (r#""credit": 1"#, 422),
        (r#""credits": 1, "description": """#, 422),
        (r#""credits": 1, "description": "a\nb""#, 422),
        (r#""credits": 1, "description": "a\u0000b""#, 422),
        (r#""credits": 1, "description": "\u202edecived""#, 422),
        (r#""credits": 1, "description": 5"#, 422),
        (&format!(r#""credits": 1, "description": "{long}""#), 422),
        (r#""credits": 1, "description": "\ud800""#, 400),
        (r#""credits": 1,"#, 400),
        (r#""credits": 01"#, 400),
    ] {
        let answer = scene.ask("k", &format!(r#"{{"owner": "{ana}", {rest}}}"#)).await;
        assert_eq!(answer.status.as_u16(), status, "{rest}: {answer:?}");
        assert_eq!(answer.code(), if status == 422 { "invalid" } else { "bad_request" }, "{rest}");
    }
    for body in ["", "[]", "null", "{}", r#"{"owner": "ana", "credits": 1}"#, &"[".repeat(10_000)] {
        let answer = scene.ask("k", body).await;
        assert!([400, 422].contains(&answer.status.as_u16()), "{body}: {answer:?}");
    }
    let answer = scene.ask_bytes("k", b"{\"owner\": \"\xff\"}".to_vec()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(scene.left(ana).await, 100);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_envelope_has_to_be_right(pool: PgPool) {
    let scene = Scene::open(pool).await;
    let ana = scene.person(100).await;
    let body = json!({ "owner": ana, "credits": 1 }).to_string();
    let long = "k".repeat(256);
    for keys in [&[][..], &["a", "a"], &[""], &["a b"], &["ä"], &[&long]] {
        let mut request = scene.post("k", &body);
        request.headers_mut().remove("idempotency-key");
        for key in keys {
            request.headers_mut().append("idempotency-key", http::HeaderValue::from_bytes(key.as_bytes()).unwrap());
        }
        let answer = scene.send(request).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "bad_request"), "{keys:?}");
    }
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-encoding", "gzip"),
    ] {
        let mut request = scene.post("k", &body);
        request.headers_mut().insert(name, value.parse().unwrap());
        let answer = scene.send(request).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"));
    }
    let padded = format!("{body}{}", " ".repeat(16 * 1024));
    let answer = scene.ask("k", &padded).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
    let mut get = scene.post("k", "");
    *get.method_mut() = http::Method::GET;
    let answer = scene.send(get).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"));

    let mut charset = scene.post(&"k".repeat(255), &body);
    charset.headers_mut().insert("content-type", "Application/JSON; charset=utf-8".parse().unwrap());
    assert_eq!(scene.send(charset).await.status, StatusCode::OK);
    assert_eq!(scene.left(ana).await, 99);
}
