//! Tokens: renewed once however many ask, sealed, and given back.

use std::sync::Arc;

use atlas::Context;
use atlas::people::grants::care::care;
use atlas::people::grants::refresh::{NoAccess, access};
use atlas::people::grants::{self, Why};
use atlas::vault::Vault;
use sandbox::oauth::Lie;
use secrecy::ExposeSecret as _;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use time::Duration;

use super::scene::Scene;

/// The same database from another process.
fn another_process(ctx: &Context) -> Context {
    let options = ctx.db.connect_options().as_ref().clone();
    Context { db: PgPoolOptions::new().max_connections(5).connect_lazy_with(options), ..ctx.clone() }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn twenty_at_once_in_two_processes_ask_once(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let (_, grant) = scene.signs_in("ana@example.com").await;
    let processes = [scene.stage.ctx.clone(), another_process(&scene.stage.ctx)];
    let mut before = access(&scene.stage.ctx, &scene.oauth, grant).await.unwrap();
    assert_eq!(scene.asked().refresh, 0, "it is good for a while yet");
    for round in 1..=3 {
        scene.stage.advance(Duration::minutes(56));
        let asking = (0..20).map(|number| access(&processes[number % 2], &scene.oauth, grant));
        let given: Vec<_> = futures::future::join_all(asking).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(scene.asked().refresh, round);
        for one in &given {
            assert_eq!(one.token.expose_secret(), given[0].token.expose_secret());
            assert_ne!(one.token.expose_secret(), before.token.expose_secret());
            assert!(one.ends_at > scene.stage.ctx.now() + Duration::minutes(5));
        }
        before = given[0].clone();
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_was_taken_back_or_is_too_old_means_signing_in_again(pool: PgPool) {
    let scene = Scene::new(pool).await;
    for (number, what) in ["taken back", "too old"].into_iter().enumerate() {
        scene.lies(&[]);
        let (_, grant) = scene.signs_in(&format!("ana{number}@example.com")).await;
        scene.stage.advance(Duration::minutes(56));
        match what {
            "taken back" => scene.takes_back(),
            _ => scene.lies(&[Lie::RefreshExpired]),
        }
        let refused = access(&scene.stage.ctx, &scene.oauth, grant).await;
        assert!(matches!(refused, Err(NoAccess::SignInAgain)), "{what}: {refused:?}");
        assert_eq!(scene.sessions().await, 0, "{what}: the session is over");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn while_whop_is_away_nobody_is_signed_out(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let (_, grant) = scene.signs_in("ana@example.com").await;
    scene.stage.advance(Duration::minutes(56));
    scene.fails(Some(503), false);
    for _ in 0..2 {
        let refused = access(&scene.stage.ctx, &scene.oauth, grant).await;
        assert!(matches!(refused, Err(NoAccess::Failed(atlas::Error::Unavailable(_)))), "{refused:?}");
    }
    assert_eq!(scene.sessions().await, 1);
    scene.fails(None, false);
    access(&scene.stage.ctx, &scene.oauth, grant).await.unwrap();
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_answer_that_was_lost_is_not_asked_for_with_a_dead_token_for_ever(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let (_, grant) = scene.signs_in("ana@example.com").await;
    scene.stage.advance(Duration::minutes(56));
    scene.fails(Some(500), true);
    assert!(matches!(access(&scene.stage.ctx, &scene.oauth, grant).await, Err(NoAccess::Failed(_))));
    scene.fails(None, false);
    // Whop takes the second use of a refresh token for theft.
    assert!(matches!(access(&scene.stage.ctx, &scene.oauth, grant).await, Err(NoAccess::SignInAgain)));
    assert_eq!((scene.standing(), scene.sessions().await), (0, 0));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t64_what_the_vault_can_not_open_is_signed_out_and_no_failure(pool: PgPool) {
    let scene = Scene::new(pool).await;
    for (number, expired) in [false, true].into_iter().enumerate() {
        let (_, grant) = scene.signs_in(&format!("ana{number}@example.com")).await;
        if expired {
            scene.stage.advance(Duration::minutes(56));
        }
        let lost = Context { vault: Vault::parse(&Vault::fresh_key("test")).unwrap(), ..scene.stage.ctx.clone() };
        let refused = access(&lost, &scene.oauth, grant).await;
        assert!(matches!(refused, Err(NoAccess::SignInAgain)), "{refused:?}");
        assert_eq!(scene.sessions().await, 0);
        assert_eq!(scene.asked().refresh, 0);
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t64_no_token_stands_in_the_database(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let (_, grant) = scene.signs_in("ana@example.com").await;
    let token = access(&scene.stage.ctx, &scene.oauth, grant).await.unwrap().token;
    let dump: Vec<String> = sqlx::query_scalar(
        "select query_to_xml('select * from ' || tablename, true, true, '')::text
        from pg_tables where schemaname = 'public'",
    )
    .fetch_all(&scene.stage.owner)
    .await
    .unwrap();
    let dump = dump.concat();
    assert!(dump.contains("identity_grants") || dump.contains("sealed_access"), "the dump holds the table");
    let hexadecimal = hex::encode(token.expose_secret());
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, token.expose_secret());
    for written in [token.expose_secret(), &hexadecimal, &base64[..base64.len() - 4], "ort_", &hex::encode("ort_")] {
        assert!(!dump.contains(written), "{written}");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_signs_out_gives_back_even_if_whop_is_away_just_then(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let (_, grant) = scene.signs_in("ana@example.com").await;
    grants::end(&scene.stage.ctx, grant, Why::SignedOut).await.unwrap();
    assert_eq!(scene.sessions().await, 0);
    scene.fails(Some(503), false);
    care(&scene.stage.ctx).await.unwrap();
    assert_eq!(scene.standing(), 1);
    scene.fails(None, false);
    scene.stage.advance(Duration::minutes(1));
    care(&scene.stage.ctx).await.unwrap();
    assert_eq!(scene.standing(), 0);
    assert_eq!(scene.stage.count("select count(*) from identity_grants").await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_grant_without_a_session_is_given_back_and_one_that_changes_its_id_is_not(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let (ana, kept) = scene.signs_in("ana@example.com").await;
    scene.signs_in("ben@example.com").await;
    sqlx::query("delete from sessions").execute(&scene.stage.owner).await.unwrap();
    care(&scene.stage.ctx).await.unwrap();
    scene.session(&ana, Some(kept)).await;
    for _ in 0..2 {
        scene.stage.advance(Duration::minutes(1));
        care(&scene.stage.ctx).await.unwrap();
    }
    assert_eq!((scene.standing(), scene.sessions().await), (1, 1));
    access(&scene.stage.ctx, &scene.oauth, kept).await.unwrap();
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn grants_in_use_are_renewed_in_time_and_resting_ones_are_left_alone(pool: PgPool) {
    let scene = Scene::new(pool).await;
    for number in 0..12 {
        scene.signs_in(&format!("visitor{number}@example.com")).await;
    }
    let (seen, due) = (scene.stage.ctx.now() - Duration::minutes(30), scene.stage.ctx.now() + Duration::minutes(4));
    sqlx::query("update identity_grants set access_ends_at = $1").bind(due).execute(&scene.stage.owner).await.unwrap();
    sqlx::query("update sessions set seen_at = $1").bind(seen).execute(&scene.stage.owner).await.unwrap();
    sqlx::query(
        "update sessions set seen_at = $1::timestamptz - interval '2 hours' where person_id = (
        select id from user_profiles where email = 'visitor3@example.com')",
    )
    .bind(seen)
    .execute(&scene.stage.owner)
    .await
    .unwrap();
    let contexts = Arc::new([scene.stage.ctx.clone(), another_process(&scene.stage.ctx)]);
    let (one, two) = futures::join!(care(&contexts[0]), care(&contexts[1]));
    one.unwrap();
    two.unwrap();
    assert_eq!(scene.asked().refresh, 11, "each once");
    assert_eq!(scene.stage.count("select count(*) from identity_grants where ended_at is not null").await, 0);
}
