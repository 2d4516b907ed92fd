#![expect(clippy::unwrap_used, reason = "tests")]

mod doors;
mod scene;
mod viewing;

use std::collections::BTreeSet;

use axum::body::Body;
use domain::Role;
use http::{Method, Request, StatusCode};
use sqlx::PgPool;

use self::doors::{Answer, Visit, visits};
use self::scene::{Scene, rows_of_others};
use super::*;

/// The routes that a router has, by what it says of itself: axum has no other list.
fn routes(router: &axum::Router) -> BTreeSet<String> {
    let said = format!("{router:?}");
    said.split('"').skip(1).step_by(2).filter(|text| text.starts_with('/')).map(ToOwned::to_owned).collect()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t40_every_route_and_server_function_stands_in_the_table(pool: PgPool) {
    let scene = Scene::open(&pool).await;
    let files = routes(&scene.state.site.routes().unwrap());
    let all = routes(&scene.router);
    let listed: BTreeSet<String> = DOORS.iter().map(|door| door.path.to_owned()).collect();
    let is_ours = |route: &&String| !files.contains(*route) || listed.contains(*route);
    let ours: BTreeSet<String> = all.iter().filter(is_ours).cloned().collect();
    assert_eq!(listed.len(), DOORS.len(), "each once");
    assert_eq!(ours, listed, "routes, and the table of rights");
    for (path, method) in leptos::server_fn::axum::server_fn_paths() {
        assert!(ours.contains(path), "{path} is a server function without a route");
        assert_eq!(method, Method::POST, "{path}: none takes what a link can send (T42)");
    }
    assert!(ours.len() > 20, "{ours:?}");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t40_a_route_that_is_missing_in_the_table_is_not_served(pool: PgPool) {
    let scene = Scene::open(&pool).await;
    let forgotten = axum::Router::new().route("/forgotten", axum::routing::get(async || "secret"));
    let nothing = axum::Router::new();
    let guarded = crate::router::guarded(forgotten, guard::Guard::new(scene.state.ctx.clone(), nothing));
    let request = Request::get("/forgotten").body(Body::empty()).unwrap();
    let answer = tower::ServiceExt::oneshot(guarded, request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[test]
fn what_is_to_come_under_admin_is_for_staff_already() {
    for (path, need) in [
        ("/admin", Of(Role::Support)),
        ("/admin/orders/7", Of(Role::Support)),
        ("/do/admin/refund", Of(Role::Support)),
        ("/administrator", Nobody),
        ("/nowhere", Nobody),
    ] {
        assert_eq!(of(None, path).unwrap().need, need, "{path}");
    }
    assert_eq!(stricter(Nobody, Some(Of(Role::Support))), Of(Role::Support));
    assert_eq!(stricter(Of(Role::Admin), Some(Of(Role::Support))), Of(Role::Admin));
    assert!(of(Some("/unlisted"), "/unlisted").is_none());
}

/// Who tries the doors: everybody but the one whose things they are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    Nobody,
    Buyer,
    Support,
}

/// T39 and T40: every door there is, with every method, about somebody else's things. Nothing of theirs, or of anybody's but
/// the caller's own, is another afterwards, and the answer is the one that the table says.
async fn tries_every_door(pool: PgPool, caller: Caller) {
    let scene = Scene::open(&pool).await;
    let victim = scene.victim().await;
    let id = scene.id_of(caller).await;
    let before = rows_of_others(&pool, id).await;
    let mut tried = 0;
    for door in DOORS {
        // Anew, for one of the doors is the way out.
        let cookie = scene.signs_in(caller).await;
        for visit in visits(door, &victim) {
            let answer = scene.goes(&visit, cookie.as_deref()).await;
            doors::judge(door, caller, &visit, &answer);
            tried += 1;
        }
        let after = rows_of_others(&pool, id).await;
        assert_eq!(scene::difference(&before, &after), Vec::<String>::new(), "{caller:?} at {}", door.path);
    }
    assert!(tried > 100, "{tried}");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t40_nobody_gets_through_no_door_and_changes_nothing(pool: PgPool) {
    tries_every_door(pool, Caller::Nobody).await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t39_another_buyer_reaches_nothing_of_somebody_elses(pool: PgPool) {
    tries_every_door(pool, Caller::Buyer).await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t40_support_reads_and_moves_nothing(pool: PgPool) {
    tries_every_door(pool, Caller::Support).await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_form_without_its_fields_is_its_senders_mistake(pool: PgPool) {
    let scene = Scene::open(&pool).await;
    let cookie = scene.signs_in(Caller::Buyer).await;
    let mut incomplete = 0;
    for door in DOORS.iter().filter(|door| door.kind == Form) {
        let answer = scene.goes(&Visit::post(door.path, "else=1"), cookie.as_deref()).await;
        assert!(!answer.status.is_server_error(), "{}: {}", door.path, answer.status);
        assert!(!answer.location.is_some_and(|place| place.contains("__err")), "{}", door.path);
        incomplete += usize::from(answer.status == StatusCode::BAD_REQUEST && answer.text.contains("incomplete"));
    }
    assert!(incomplete > 10, "{incomplete}");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t39_a_foreign_thing_is_answered_like_an_unknown_one(pool: PgPool) {
    let scene = Scene::open(&pool).await;
    let victim = scene.victim().await;
    let cookie = scene.signs_in(Caller::Buyer).await;
    for (foreign, unknown) in victim.addresses().into_iter().zip(victim.unknown().addresses()) {
        let same = async |path: &str| {
            let visit = Visit::get(path);
            let mut answer: Answer = scene.goes(&visit, cookie.as_deref()).await;
            answer.forget(&[&victim, &victim.unknown()]);
            answer
        };
        let (foreign_answer, unknown_answer) = (same(&foreign).await, same(&unknown).await);
        assert_eq!(foreign_answer.status, StatusCode::NOT_FOUND, "{foreign}");
        assert_eq!(foreign_answer, unknown_answer, "{foreign}");
        let owners = scene.goes(&Visit::get(&foreign), Some(&victim.cookie)).await;
        assert_eq!(owners.status, StatusCode::OK, "{foreign} for whom it belongs to");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t40_a_role_that_is_taken_away_bites_on_the_next_request(pool: PgPool) {
    let scene = Scene::open(&pool).await;
    let cookie = scene.signs_in(Caller::Support).await;
    let admin = async || scene.goes(&Visit::get(paths::ADMIN), cookie.as_deref()).await.status;
    assert_eq!(admin().await, StatusCode::OK);
    // Behind the program's back, so that the session lives on.
    sqlx::query("update user_profiles set role = 'buyer' where role = 'support'").execute(&pool).await.unwrap();
    assert_eq!(admin().await, StatusCode::NOT_FOUND);
    let noted: i64 = sqlx::query_scalar("select count(*) from audit_entries where deed = 'access_refused'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(noted, 1);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_comparison_sees_a_change(pool: PgPool) {
    let scene = Scene::open(&pool).await;
    let victim = scene.victim().await;
    let before = rows_of_others(&pool, None).await;
    let rename = Visit::post("/do/rename", "name=Mallory");
    let answer = scene.goes(&rename, Some(&victim.cookie)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let changed = scene::difference(&before, &rows_of_others(&pool, None).await);
    assert!(changed.iter().any(|row| row.starts_with("user_profiles: ")), "{changed:?}");
}
