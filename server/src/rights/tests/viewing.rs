//! Every door while an admin looks at somebody's pages: what is shown, and that nothing is another afterwards.

use std::collections::BTreeSet;

use app::request::Request as Asked;
use atlas::people::Visitor;
use axum::extract::Request;
use domain::paths;
use http::{Method, StatusCode};
use sqlx::PgPool;

use super::super::{DOORS, Door, Kind, Need, WhileViewing};
use super::doors::{Answer, Visit, visits};
use super::scene::{self, Scene, Victim, rows_of_others};

/// What is read by those whom it belongs to, and by nobody over their shoulder.
const CLOSED: &[(&str, &str)] = &[
    (paths::SIGN_IN, "begins a session"),
    (paths::SIGN_IN_REFUSED, "belongs to a sign-in"),
    (paths::SIGN_UP, "begins a session"),
    (paths::FORGOT_PASSWORD, "belongs to a sign-in"),
    (paths::SIGN_IN_CODE, "belongs to a sign-in"),
    (paths::SET_UP, "is the installer’s"),
    (paths::RESET_PASSWORD, "is for whoever has the link"),
    (paths::CONFIRM_EMAIL, "is for whoever has the link"),
    (paths::KEEP_EMAIL, "is for whoever has the link"),
    (paths::CONFIRM, "asks for the password"),
    (paths::SECOND_FACTOR, "shows a secret"),
    (paths::CHANGE_PASSWORD, "is for whoever confirmed"),
    (paths::CHANGE_EMAIL, "is for whoever confirmed"),
    (paths::ACCOUNT_DELETE, "is for whoever confirmed"),
    (paths::WHOP_AUTH, "writes an attempt down"),
    (paths::WHOP_CALLBACK, "signs in"),
    (paths::TRANSACTIONS_CSV, "is carried away; the page shows the same"),
    (paths::ORDER_EVENTS, "asks the provider, and books what it says"),
];

#[test]
fn of_every_door_it_is_decided_whether_it_is_shown_to_who_looks_on() {
    let readable = |door: &&Door| {
        matches!(door.kind, Kind::Page | Kind::File | Kind::Stream)
            && !matches!(door.need, Need::Of(_) | Need::Signature)
    };
    let decided: BTreeSet<&str> = CLOSED.iter().map(|(path, _)| *path).collect();
    for door in DOORS.iter().filter(readable) {
        let shown = door.while_viewing == WhileViewing::Shown;
        assert_ne!(shown, decided.contains(door.path), "{}: shown, or closed for a reason", door.path);
    }
    for door in DOORS.iter().filter(|door| !readable(door)) {
        assert_ne!(door.while_viewing, WhileViewing::Shown, "{}", door.path);
    }
    let ends: Vec<&str> = of(WhileViewing::Ends).collect();
    assert_eq!(ends, ["/do/sign-out", "/do/admin/stop-viewing"]);
}

fn of(what: WhileViewing) -> impl Iterator<Item = &'static str> {
    DOORS.iter().filter(move |door| door.while_viewing == what).map(|door| door.path)
}

/// An admin who has begun to look at the victim's pages: their cookie.
async fn looks_on(scene: &Scene, victim: &Victim) -> String {
    let cookie = scene.admin().await;
    let start = Visit::post("/do/admin/start-viewing", &format!("person={}&reason=A+ticket", victim.id()));
    let answer = scene.goes(&start, Some(&cookie)).await;
    assert_eq!(
        (answer.status, answer.location.as_deref()),
        (StatusCode::SEE_OTHER, Some(paths::CREDITS)),
        "{answer:?}"
    );
    cookie
}

fn judge(door: &Door, visit: &Visit, answer: &Answer) {
    let said = format!("{} {} as {:?}: {}", visit.method, visit.path, visit.kind, answer.status);
    let reads = matches!(visit.method, Method::GET | Method::HEAD);
    assert!(!answer.status.is_server_error() && !answer.status.is_redirection(), "{said}: {}", answer.text);
    match (door.while_viewing, door.kind, door.need) {
        // The order was not paid, so it has no receipt; its buyer reads the same.
        (WhileViewing::Shown, ..) if reads && door.path.starts_with("/receipt") => {
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{said}");
        }
        (WhileViewing::Shown, ..) if reads => {
            assert_eq!(answer.status, StatusCode::OK, "{said}");
            if visit.method == Method::GET {
                assert!(answer.text.contains("These are the pages of"), "{said}");
            }
        }
        // They know no sessions.
        (_, Kind::Machine, _) => {}
        (_, _, Need::Key(_) | Need::Signature) => assert!(answer.status.is_client_error(), "{said}"),
        (_, Kind::Stream, _) => assert_eq!(answer.status, StatusCode::NOT_FOUND, "{said}"),
        _ => {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{said}");
            if visit.method != Method::HEAD {
                assert!(answer.text.contains("Nothing was changed."), "{said}");
            }
        }
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t40_who_looks_at_somebodys_pages_goes_through_no_other_door_and_changes_nothing(pool: PgPool) {
    let scene = Scene::open(&pool).await;
    let victim = scene.victim().await;
    let cookie = looks_on(&scene, &victim).await;
    let deeds =
        async || sqlx::query_scalar::<_, i64>("select count(*) from audit_entries").fetch_one(&pool).await.unwrap();
    let (before, deeds_before) = (rows_of_others(&pool, None).await, deeds().await);
    let mut tried = 0;
    for door in DOORS {
        for visit in visits(door, &victim) {
            if door.while_viewing == WhileViewing::Ends && visit.method == Method::POST {
                continue;
            }
            judge(door, &visit, &scene.goes(&visit, Some(&cookie)).await);
            tried += 1;
        }
        let after = rows_of_others(&pool, None).await;
        assert_eq!(scene::difference(&before, &after), Vec::<String>::new(), "at {}", door.path);
        assert_eq!(deeds().await, deeds_before, "at {}", door.path);
    }
    assert!(tried > 500, "{tried}");
    let nowhere = scene.goes(&Visit::get("/admin/nowhere"), Some(&cookie)).await;
    assert!(nowhere.status == StatusCode::NOT_FOUND && nowhere.text.contains("These are the pages of"), "{nowhere:?}");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_shown_is_the_buyers_without_what_is_theirs_alone(pool: PgPool) {
    let scene = Scene::open(&pool).await;
    let victim = scene.victim().await;
    let cookie = looks_on(&scene, &victim).await;
    let credits = scene.goes(&Visit::get(paths::CREDITS), Some(&cookie)).await.text;
    assert!(credits.contains("ana@example.com") && credits.contains(">500<"), "{credits}");
    let account = scene.goes(&Visit::get(paths::ACCOUNT), Some(&cookie)).await.text;
    let sessions: Vec<String> =
        sqlx::query_scalar("select public_id::text from sessions").fetch_all(&pool).await.unwrap();
    assert!(sessions.len() >= 2 && sessions.iter().all(|session| !account.contains(session)), "{account}");

    let stop = Visit::post("/do/admin/stop-viewing", &format!("person={}", victim.id()));
    let stopped = scene.goes(&stop, Some(&cookie)).await;
    assert_eq!(stopped.location.unwrap(), format!("{}/{}", paths::ADMIN_PEOPLE, victim.id()));
    let own = scene.goes(&Visit::get(paths::CREDITS), Some(&cookie)).await.text;
    assert!(own.contains("boss@example.com") && !own.contains("ana@example.com"), "{own}");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn when_it_is_over_no_form_acts_until_they_say_that_they_know(pool: PgPool) {
    let scene = Scene::open(&pool).await;
    let victim = scene.victim().await;
    let cookie = looks_on(&scene, &victim).await;
    let over = "update sessions set viewing_until = now() - interval '1 second' where viewing_id is not null";
    sqlx::query(over).execute(&pool).await.unwrap();
    let before = rows_of_others(&pool, None).await;
    for visit in [Visit::get(paths::CREDITS), Visit::get(paths::ADMIN), Visit::post("/do/rename", "name=Ana")] {
        let answer = scene.goes(&visit, Some(&cookie)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{visit:?}");
        assert!(answer.text.contains("Viewing has ended") && !answer.text.contains("ana@example.com"), "{answer:?}");
    }
    assert_eq!(scene::difference(&before, &rows_of_others(&pool, None).await), Vec::<String>::new());
    scene.goes(&Visit::post("/do/admin/stop-viewing", &format!("person={}", victim.id())), Some(&cookie)).await;
    assert_eq!(scene.goes(&Visit::get(paths::ADMIN), Some(&cookie)).await.status, StatusCode::OK);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn only_an_admin_looks_on_and_signing_out_ends_it(pool: PgPool) {
    let scene = Scene::open(&pool).await;
    let victim = scene.victim().await;
    let start = Visit::post("/do/admin/start-viewing", &format!("person={}&reason=A+ticket", victim.id()));
    let support = scene.signs_in(super::Caller::Support).await;
    assert_eq!(scene.goes(&start, support.as_deref()).await.status, StatusCode::FORBIDDEN);
    let cookie = scene.admin().await;
    sqlx::query("update sessions set confirmed_at = now() - interval '10 minutes'").execute(&pool).await.unwrap();
    let asked = scene.goes(&start, Some(&cookie)).await;
    assert!(asked.location.unwrap().starts_with(paths::CONFIRM), "who has not confirmed a moment ago");
    let count = "select count(*) from sessions where viewing_id is not null";
    let viewing = async || sqlx::query_scalar::<_, i64>(count).fetch_one(&pool).await.unwrap();
    assert_eq!(viewing().await, 0);

    let cookie = looks_on(&scene, &victim).await;
    assert_eq!(viewing().await, 1);
    scene.goes(&Visit::post("/do/sign-out", ""), Some(&cookie)).await;
    assert_eq!(viewing().await, 0);
    let home = scene.goes(&Visit::get(paths::HOME), Some(&cookie)).await.text;
    assert!(home.contains("Sign in") && !home.contains("These are the pages of"), "{home}");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_pages_of_another_are_drawn_over_a_connection_that_changes_nothing(pool: PgPool) {
    let scene = Scene::open(&pool).await;
    let victim = scene.victim().await;
    looks_on(&scene, &victim).await;
    let (hash, boss): (Vec<u8>, domain::PersonId) =
        sqlx::query_as("select id_hash, person_id from sessions where viewing_id is not null")
            .fetch_one(&pool)
            .await
            .unwrap();
    let visitor = Visitor::of(&scene.state.ctx, boss, hash.try_into().unwrap()).await.unwrap();
    assert!(matches!(visitor, Visitor::Viewing(_)), "{visitor:?}");
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.extensions.insert(visitor);
    let asked = Asked::of(&scene.state.pages, Some(&parts));
    let renamed = sqlx::query("update user_profiles set name = 'Mallory'").execute(&asked.ctx().db).await.unwrap_err();
    assert_eq!(renamed.as_database_error().unwrap().code().unwrap(), "25006");
    let own = Asked::of(&scene.state.pages, None);
    assert!(sqlx::query("update user_profiles set name = ''").execute(&own.ctx().db).await.is_ok());
}
