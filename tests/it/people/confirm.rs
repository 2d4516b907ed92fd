//! Showing again that it is you, and for how long that counts.

use atlas::people::confirm::confirm;
use atlas::people::fresh;
use atlas::people::sessions::id_hash;
use atlas::{Error, Refusal};
use secrecy::SecretString;
use sqlx::PgPool;

use super::{GOOD, HASHING, from_elsewhere, signs_up};
use crate::stage::{Stage, refusal};

const SESSION: i128 = 7;

/// A session of the person's in which nothing was confirmed yet.
async fn opens_session(stage: &Stage, person: &atlas::people::SignedIn) {
    sqlx::query("insert into sessions (id_hash, person_id, data, expires_at) values ($1, $2, '{}', 'infinity')")
        .bind(&id_hash(SESSION)[..])
        .bind(person.id())
        .execute(&stage.ctx.db)
        .await
        .unwrap();
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_confirmation_counts_five_minutes_in_its_session_for_its_person(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    opens_session(&stage, &ana).await;
    let is_fresh =
        async |person, session| fresh::check(&stage.ctx.db, person, id_hash(session)).await.unwrap().is_some();
    assert!(!is_fresh(&ana, SESSION).await, "being signed in is not enough");
    assert!(matches!(fresh::note(&stage.ctx.db, &ben, id_hash(SESSION)).await, Err(Error::NotFound)));
    fresh::note(&stage.ctx.db, &ana, id_hash(SESSION)).await.unwrap();
    assert!(is_fresh(&ana, SESSION).await);
    assert!(!is_fresh(&ana, SESSION + 1).await, "in this session only");
    assert!(!is_fresh(&ben, SESSION).await, "for its person only");
    let age = async |seconds: f64| {
        sqlx::query("update sessions set confirmed_at = now() - make_interval(secs => $1)")
            .bind(seconds)
            .execute(&stage.ctx.db)
            .await
            .unwrap();
    };
    age(280.0).await;
    assert!(is_fresh(&ana, SESSION).await);
    age(301.0).await;
    assert!(!is_fresh(&ana, SESSION).await);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t46_guessing_inside_a_session_is_slowed_too(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = signs_up(&stage, "ana@example.com").await;
    let tries =
        async |text: &str| confirm(&stage.ctx, &ana, SecretString::from(text), "", &from_elsewhere().origin()).await;
    for _ in 0..12 {
        tries(GOOD).await.unwrap();
    }
    for _ in 0..10 {
        assert_eq!(refusal(tries("wrong").await), Refusal::WrongPassword);
    }
    assert_eq!(refusal(tries(GOOD).await), Refusal::TooManyTries { seconds: 361 });
}
