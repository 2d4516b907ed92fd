#![expect(clippy::unwrap_used, reason = "tests")]

use atlas::clock::Clock;
use atlas::ids;
use atlas::providers::Providers;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::PersonId;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;
use sqlx::PgPool;
use time::OffsetDateTime;
use tower::ServiceExt as _;

use super::*;
use crate::layers::{Known, wrap};

const PUBLIC_URL: &str = "https://credits.example.com";
const ISSUER: &str = "https://api.whop.com";
// A key pair made for these tests; it opens nothing.
pub const KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"miSUMd3hIKJ0K8vJxQQEdOQFIXU6h7MsyVcDdU3cSwc","y":"AgbDnPy4e68LxaketRMRcYvoanJRoNXK6r_eJ341Hcc"}"#;
const PRIVATE: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgENrzv9b8SoDVVz1/1KlKKEPRfXCWTjL5788bnbKlS4GhRANCAASaJJQx3eEgonQry8nFBAR05AUhdTqHsyzJVwN1TdxLBwIGw5z8uHuvC8WpHrUTEXGL6GpyUaDVyuq/3id+NR3H";
const NOW: i64 = 1_795_000_000;

fn token(subject: &str, ends: i64) -> String {
    let claims = json!({ "sub": subject, "aud": "app_ours", "iss": "urn:whopcom:exp-proxy", "exp": ends });
    let key = EncodingKey::from_ec_der(&STANDARD.decode(PRIVATE).unwrap());
    encode(&Header::new(Algorithm::ES256), &claims, &key).unwrap()
}

/// The frame, and beside it an answer of every other kind.
async fn site(db: &PgPool) -> Router {
    let ctx = Context {
        db: db.clone(),
        clock: Clock::standing_at(OffsetDateTime::from_unix_timestamp(NOW).unwrap()),
        providers: Providers::default(),
        public_url: PUBLIC_URL.to_owned(),
        keeps_mail: false,
        vault: atlas::vault::Vault::without_keys(),
        staff_need_second_factor: false,
        whop_oauth: None,
        membership_rule: None,
    };
    let ana = PersonId::from_uuid(ids::fresh());
    sqlx::query("insert into user_profiles (id, email, password_hash) values ($1, 'ana@example.com', '')")
        .bind(ana)
        .execute(db)
        .await
        .unwrap();
    sqlx::query("select credits_open_wallet($1)").bind(ana).execute(db).await.unwrap();
    sqlx::query(
        "insert into identities (id, person_id, issuer, subject, linked_at) values ($1, $2, $3, 'user_ana', now())",
    )
    .bind(ids::fresh())
    .bind(ana)
    .bind(ISSUER)
    .execute(db)
    .await
    .unwrap();
    let leptos = LeptosOptions::builder().output_name("atlas").site_pkg_dir("pkg").build();
    let tokens = UserTokens::new("app_ours", KEY).unwrap();
    let frame = Frame { ctx, shelf: Shelf::default(), leptos: leptos.into(), tokens, issuer: ISSUER.to_owned() };
    let others = Router::new()
        .route("/page", get(async || Html("a page")))
        .route("/api/v1/spend", get(async || "{}"))
        .route("/pkg/atlas.js", get(async || "a file"));
    wrap(routes(frame).merge(others), PUBLIC_URL, Known::by(PUBLIC_URL))
}

async fn ask(site: &Router, path: &str, headers: &[(&'static str, &str)]) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::get(path).header("host", "credits.example.com");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = site.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = answer.into_parts();
    let text = String::from_utf8(to_bytes(body, 100_000).await.unwrap().to_vec()).unwrap();
    (parts.status, parts.headers, text)
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t56_only_the_frame_may_be_framed_and_only_by_whop(pool: PgPool) {
    let site = site(&pool).await;
    for path in ["/page", "/api/v1/spend", "/pkg/atlas.js", "/nowhere", "/embed/nowhere"] {
        let (_, headers, _) = ask(&site, path, &[]).await;
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
    }
    for good in [token("user_ana", NOW + 60), "nonsense".to_owned()] {
        let (_, headers, text) = ask(&site, "/embed/credits", &[("x-whop-user-token", &good)]).await;
        assert!(!headers.contains_key("x-frame-options"));
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors https://whop.com https://*.whop.com;"), "{policy}");
        assert!(policy.contains("form-action 'none'") && !policy.contains("script-src"), "{policy}");
        assert_eq!(headers["cache-control"], "no-store");
        assert!(!headers.contains_key("set-cookie"));
        assert!(!text.contains("<script") && !text.contains("<form"), "{text}");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t56_only_whops_token_says_who_looks(pool: PgPool) {
    let site = site(&pool).await;
    let (good, stranger) = (token("user_ana", NOW + 60), token("user_bo", NOW + 60));
    let (status, _, text) = ask(&site, "/embed/credits", &[("x-whop-user-token", &good)]).await;
    assert!(status == StatusCode::OK && text.contains("Your balance"), "{text}");
    let (status, _, text) = ask(&site, "/embed/credits", &[("x-whop-user-token", &stranger)]).await;
    assert!(status == StatusCode::OK && text.contains("isn’t linked") && !text.contains("balance"), "{text}");
    let ended = token("user_ana", NOW);
    for headers in [
        vec![],
        vec![("cookie", "__Host-sid=AAAAAAAAAAAAAAAAAAAAAA")],
        vec![("authorization", &*good)],
        vec![("x-whop-user-token", &*ended)],
        vec![("x-whop-user-token", &*good), ("x-whop-user-token", &*good)],
    ] {
        let (status, _, text) = ask(&site, "/embed/credits", &headers).await;
        assert!(status == StatusCode::UNAUTHORIZED && !text.contains("balance"), "{headers:?}: {text}");
    }
    let by_query = format!("/embed/credits?x-whop-user-token={good}");
    assert_eq!(ask(&site, &by_query, &[]).await.0, StatusCode::UNAUTHORIZED);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_frame_tells_every_currency_and_offers_no_choice(pool: PgPool) {
    let mut tx = pool.begin().await.unwrap();
    for sql in [
        "insert into plans (id, slug) values (gen_random_uuid(), 'starter')",
        "insert into plan_versions (id, plan_id, version, name, credits, price_minor, currency)
            select gen_random_uuid(), id, 1, 'Starter', 5000, 750, 'usd' from plans",
        "insert into plan_version_prices (version_id, currency, price_minor)
            select id, unnest(array['jpy', 'eur']), unnest(array[1150, 690]) from plan_versions",
    ] {
        sqlx::query(sql).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    let site = site(&pool).await;
    let headers = [("x-whop-user-token", &*token("user_ana", NOW + 60)), ("cookie", "currency=eur")];
    let (_, answered, text) = ask(&site, "/embed/credits?currency=EUR", &headers).await;
    assert!(text.contains("$7.50") && text.contains("Also €6.90, ¥1,150."), "{text}");
    assert!(!answered.contains_key("set-cookie") && !text.contains("currency="), "{text}");
}
