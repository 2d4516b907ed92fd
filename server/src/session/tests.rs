#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use atlas::providers::Providers;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response, StatusCode, header};
use time::{Duration, OffsetDateTime};
use tokio::sync::Notify;
use tower::ServiceExt as _;
use tower_sessions::Session;

use super::*;

struct Site {
    ctx: atlas::Context,
    pages: Router,
    clock: Clock,
    /// The slow page has read its session.
    reached: Arc<Notify>,
    /// Lets the slow page go on.
    go_on: Arc<Notify>,
}

impl Site {
    fn new(db: &PgPool, public_url: &str) -> Self {
        let clock = Clock::standing_at(OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap());
        let ctx = atlas::Context {
            db: db.clone(),
            clock: clock.clone(),
            providers: Providers::default(),
            public_url: public_url.to_owned(),
            keeps_mail: false,
            staff_need_second_factor: true,
            vault: atlas::vault::Vault::without_keys(),
            whop_oauth: None,
            membership_rule: None,
        };
        let (reached, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let slow = {
            let (reached, go_on) = (reached.clone(), go_on.clone());
            async move |session: Session| {
                session.insert("seen", true).await.unwrap();
                reached.notify_one();
                go_on.notified().await;
            }
        };
        let pages = Router::new()
            .route(
                "/read",
                get(async |session: Session| session.get::<String>("name").await.unwrap().unwrap_or_default()),
            )
            .route("/store", get(async |session: Session| session.insert("name", "a\0na").await.unwrap()))
            .route("/end", get(async |session: Session| session.flush().await.unwrap()))
            .route("/renew", get(async |session: Session| session.cycle_id().await.unwrap()))
            .route("/slow", get(slow))
            .route("/aside", get(async || "nothing"));
        Self { pages: attach(pages, &ctx), ctx, clock, reached, go_on }
    }

    async fn visit(&self, path: &str, cookie: Option<&str>) -> Response<Body> {
        let mut request = Request::get(path);
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let response = self.pages.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response
    }

    async fn name(&self, cookie: &str) -> String {
        let body = self.visit("/read", Some(cookie)).await.into_body();
        String::from_utf8(axum::body::to_bytes(body, 1_000).await.unwrap().to_vec()).unwrap()
    }
}

fn set_cookie(response: &Response<Body>) -> Option<String> {
    response.headers().get(header::SET_COOKIE).map(|value| value.to_str().unwrap().to_owned())
}

/// What the browser sends back.
fn cookie(response: &Response<Body>) -> String {
    set_cookie(response).unwrap().split(';').next().unwrap().to_owned()
}

async fn rows(db: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from sessions").fetch_one(db).await.unwrap()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_stores_nothing_leaves_no_trace(db: PgPool) {
    let site = Site::new(&db, "http://127.0.0.1:3000");
    assert_eq!(set_cookie(&site.visit("/read", None).await), None);
    assert_eq!(rows(&db).await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_cookie_is_held_to_our_host(db: PgPool) {
    let over_https = Site::new(&db, "https://credits.example.com");
    let stored = over_https.visit("/store", None).await;
    let made = set_cookie(&stored).unwrap();
    assert!(made.starts_with("__Host-sid="), "{made}");
    for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(made.contains(&format!("; {attribute}")), "{attribute} in {made}");
    }
    assert!(!made.contains("Domain"));
    let taken_back = set_cookie(&over_https.visit("/end", Some(&cookie(&stored))).await).unwrap();
    assert!(taken_back.starts_with("__Host-sid=;") && taken_back.contains("; Secure"), "{taken_back}");

    let over_http = set_cookie(&Site::new(&db, "http://127.0.0.1:3000").visit("/store", None).await).unwrap();
    assert!(over_http.starts_with("sid=") && !over_http.contains("Secure"), "{over_http}");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_stored_comes_back_and_the_table_cannot_sign_anybody_in(db: PgPool) {
    let site = Site::new(&db, "http://127.0.0.1:3000");
    let cookie = cookie(&site.visit("/store", None).await);
    assert_eq!(site.name(&cookie).await, "a\u{fffd}na");
    let text: String = sqlx::query_scalar("select sessions::text from sessions").fetch_one(&db).await.unwrap();
    assert!(!text.contains(cookie.trim_start_matches("sid=")));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_ended_session_is_not_brought_back_by_a_slow_request(db: PgPool) {
    let site = Site::new(&db, "http://127.0.0.1:3000");
    let cookie = cookie(&site.visit("/store", None).await);
    let sign_out = async {
        site.reached.notified().await;
        site.visit("/end", Some(&cookie)).await;
        site.go_on.notify_one();
    };
    futures::join!(site.visit("/slow", Some(&cookie)), sign_out);
    assert_eq!(site.name(&cookie).await, "");
    assert_eq!(rows(&db).await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_renewed_session_keeps_its_data_under_a_new_id_only(db: PgPool) {
    let site = Site::new(&db, "http://127.0.0.1:3000");
    let old = cookie(&site.visit("/store", None).await);
    let new = cookie(&site.visit("/renew", Some(&old)).await);
    assert_ne!(old, new);
    assert_eq!(site.name(&new).await, "a\u{fffd}na");
    assert_eq!(site.name(&old).await, "");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_session_in_use_lives_on_but_not_for_ever(db: PgPool) {
    let site = Site::new(&db, "http://127.0.0.1:3000");
    let cookie = cookie(&site.visit("/store", None).await);
    for _ in 0..32 {
        site.clock.advance(Duration::hours(22));
        assert_ne!(site.name(&cookie).await, "");
    }
    // 29 days and 8 hours. The end at 30 days stands, however busy it was.
    site.clock.advance(Duration::hours(17));
    assert_eq!(site.name(&cookie).await, "");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_idle_session_ends_and_is_swept_away(db: PgPool) {
    let site = Site::new(&db, "http://127.0.0.1:3000");
    let cookie = cookie(&site.visit("/store", None).await);
    site.clock.advance(Duration::hours(24));
    assert_eq!(site.name(&cookie).await, "");
    atlas::people::sessions::sweep(&site.ctx).await.unwrap();
    assert_eq!(rows(&db).await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn pages_that_do_not_ask_are_served_without_the_database(db: PgPool) {
    let site = Site::new(&db, "http://127.0.0.1:3000");
    let cookie = cookie(&site.visit("/store", None).await);
    db.close().await;
    assert_eq!(set_cookie(&site.visit("/aside", Some(&cookie)).await), None);
}

/// A session of somebody with this role, just begun.
async fn session_of(db: &PgPool, clock: &Clock, role: &str) -> (PgSessions, Id) {
    let person = atlas::ids::fresh();
    sqlx::query(
        "insert into user_profiles (id, email, password_hash, role) values ($1, $1::text || '@example.com', '', $2)",
    )
    .bind(person)
    .bind(role)
    .execute(db)
    .await
    .unwrap();
    let store = PgSessions { db: db.clone(), clock: clock.clone() };
    let data = [(PERSON.to_owned(), person.to_string().into())].into();
    let mut record = Record { id: Id::default(), data, expiry_date: clock.now() };
    store.create(&mut record).await.unwrap();
    (store, record.id)
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_can_do_harm_has_to_come_back_sooner(db: PgPool) {
    let clock = Clock::standing_at(OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap());
    for role in ["support", "finance", "admin"] {
        let (store, id) = session_of(&db, &clock, role).await;
        for _ in 0..34 {
            clock.advance(Duration::minutes(14));
            assert!(store.load(&id).await.unwrap().is_some(), "{role}, in use");
        }
        clock.advance(Duration::minutes(4));
        assert!(store.load(&id).await.unwrap().is_none(), "{role}, after eight hours");

        let (store, id) = session_of(&db, &clock, role).await;
        clock.advance(Duration::minutes(15));
        assert!(store.load(&id).await.unwrap().is_none(), "{role}, left alone");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_session_is_judged_by_the_role_of_now(db: PgPool) {
    let clock = Clock::standing_at(OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap());
    let (store, id) = session_of(&db, &clock, "buyer").await;
    clock.advance(Duration::hours(1));
    sqlx::query("update user_profiles set role = 'admin'").execute(&db).await.unwrap();
    assert!(store.load(&id).await.unwrap().is_none(), "an hour is too long for an admin");
    sqlx::query("update user_profiles set role = 'buyer'").execute(&db).await.unwrap();
    assert!(store.load(&id).await.unwrap().is_some());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_session_knows_whose_it_is(db: PgPool) {
    let person = atlas::ids::fresh();
    sqlx::query("insert into user_profiles (id, email, password_hash) values ($1, 'ana@example.com', '')")
        .bind(person)
        .execute(&db)
        .await
        .unwrap();
    let store = PgSessions { db: db.clone(), clock: Clock::system() };
    let mut record = Record { id: Id::default(), data: [].into(), expiry_date: Clock::system().now() };
    store.create(&mut record).await.unwrap();
    record.data.insert(PERSON.to_owned(), person.to_string().into());
    store.save(&record).await.unwrap();
    let of: Option<Uuid> = sqlx::query_scalar("select person_id from sessions").fetch_one(&db).await.unwrap();
    assert_eq!(of, Some(person));
}
