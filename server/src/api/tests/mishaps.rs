//! What must not cost anybody a credit: many at once, twice at once, hanging up, a full queue, a database that goes away.

use std::collections::HashMap;

use atlas::api_keys::secret::KeyHash;
use atlas::spends::{IdempotencyKey, Request, Usage};
use domain::PersonId;
use futures::future::join_all;
use futures::{StreamExt as _, poll, stream};
use http::StatusCode;
use serde_json::json;
use sqlx::PgPool;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::cut::Wire;
use super::scene::Scene;

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn spends_at_once_beyond_the_balance_succeed_exactly_as_often_as_it_reaches(pool: PgPool) {
    let scene = Scene::open(pool).await;
    let ana = scene.person(100).await;
    let keys: Vec<String> = (0..60).map(|number| format!("job-{number}")).collect();
    let answers = join_all(keys.iter().map(|key| scene.spend(key, ana, 7))).await;
    let mut counts = HashMap::new();
    for answer in answers {
        *counts.entry(answer.status.as_u16()).or_insert(0) += 1;
    }
    assert_eq!(counts, HashMap::from([(200, 14), (402, 46)]));
    assert_eq!(scene.left(ana).await, 2);
    scene.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn many_at_once_under_one_key_are_one_spend(pool: PgPool) {
    let scene = Scene::open(pool).await;
    let ana = scene.person(100).await;
    let answers = join_all((0..40).map(|_| scene.spend("once", ana, 10))).await;
    let first = answers[0].body.clone();
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK && answer.body == first), "{answers:?}");
    let replayed = answers.iter().filter(|answer| answer.headers.contains_key("idempotent-replayed")).count();
    assert_eq!((replayed, scene.left(ana).await), (39, 90));
    scene.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_thousand_who_hang_up_lose_nothing_and_pay_once(pool: PgPool) {
    let scene = Scene::open(pool).await;
    let mut people = Vec::new();
    for _ in 0..10 {
        people.push(scene.person(1_000).await);
    }
    let owner = |number: usize| people[number % 10];
    // Each sends its request, some of it or all, and goes without reading an answer.
    let aborted = (0..1_000_usize).map(|number| {
        let body = json!({ "owner": owner(number), "credits": 3 }).to_string();
        let head = format!(
            "POST /api/v1/spend HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {}\r\nidempotency-key: job-{number}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            scene.key,
            body.len()
        );
        let address = scene.address;
        async move {
            let sent = if number % 4 == 0 { &body[..body.len() - 1] } else { &body };
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(format!("{head}{sent}").as_bytes()).await.unwrap();
        }
    });
    stream::iter(aborted).buffer_unordered(50).collect::<Vec<()>>().await;

    // Whatever became of them, asking again under their keys ends with each done once.
    let numbers: Vec<usize> = (0..1_000).collect();
    let keys: Vec<String> = numbers.iter().map(|number| format!("job-{number}")).collect();
    let again = numbers.iter().zip(&keys).map(|(number, key)| scene.spend(key, owner(*number), 3));
    let answers: Vec<_> = stream::iter(again).buffer_unordered(50).collect().await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK), "{answers:?}");
    let replayed = answers.iter().filter(|answer| answer.headers.contains_key("idempotent-replayed")).count();
    assert!(replayed > 0, "some had been done before their senders were gone");
    for person in &people {
        assert_eq!(scene.left(*person).await, 1_000 - 100 * 3);
    }
    scene.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_hangs_up_while_it_is_under_way_is_charged_all_the_same(pool: PgPool) {
    let scene = Scene::open(pool).await;
    let ana = scene.person(100).await;
    let mut holding = scene.owner.begin().await.unwrap();
    sqlx::raw_sql("lock table api_keys in access exclusive mode").execute(&mut *holding).await.unwrap();
    let asking = scene.spend("k", ana, 10);
    tokio::select! {
        answer = asking => panic!("answered before it could be done: {answer:?}"),
        () = scene.waits_for_a_lock() => {}
    }
    holding.commit().await.unwrap();
    scene.spends.close().await;
    assert_eq!(scene.left(ana).await, 90);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_full_queue_and_a_busy_wallet_are_asked_to_come_again(pool: PgPool) {
    let scene = Scene::open(pool).await;
    let ana = scene.person(1_000).await;
    let lane = ana.uuid().as_bytes()[15];
    let mut holding = scene.owner.begin().await.unwrap();
    sqlx::raw_sql("lock table api_keys in access exclusive mode").execute(&mut *holding).await.unwrap();

    let handed_in = |owner: PersonId| {
        let caller = KeyHash::of(&scene.key).unwrap();
        let key = IdempotencyKey::parse(&atlas::ids::fresh().to_string()).unwrap();
        let usage = Usage::parse(owner, 1, None).unwrap();
        scene.spends.spend(Request { caller, key, usage })
    };
    let mut of_ana = join_all((0..256).map(|_| handed_in(ana)));
    assert!(poll!(&mut of_ana).is_pending());
    let busy = scene.spend("k", ana, 1).await;
    assert_eq!((busy.status, busy.code()), (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"));
    assert!(busy.headers.contains_key("retry-after"));

    // Others fill what is left of the queue; they have the lane in common with ana.
    let others = (0..2_000).map(|_| {
        let mut id = atlas::ids::fresh().into_bytes();
        id[15] = lane;
        handed_in(PersonId::from_uuid(uuid::Uuid::from_bytes(id)))
    });
    let mut others = join_all(others);
    assert!(poll!(&mut others).is_pending());
    let mut late = atlas::ids::fresh().into_bytes();
    late[15] = lane;
    let full = scene.spend("k", PersonId::from_uuid(uuid::Uuid::from_bytes(late)), 1).await;
    assert_eq!((full.status, full.code()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert!(full.headers.contains_key("retry-after"));

    holding.commit().await.unwrap();
    assert!(of_ana.await.into_iter().all(|answer| answer.is_ok()));
    others.await;
    assert_eq!(scene.spend("k", ana, 1).await.status, StatusCode::OK);
    assert_eq!(scene.left(ana).await, 1_000 - 257);
    scene.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn when_the_outcome_is_unknown_the_same_key_finds_it(pool: PgPool) {
    let (wire, through) = Wire::lay(pool.connect_options().as_ref().clone()).await;
    let scene = Scene::open_through(pool, through).await;
    let ana = scene.person(100).await;
    assert_eq!(scene.spend("before", ana, 1).await.status, StatusCode::OK);
    wire.cut_next_commits(1);
    let unknown = scene.spend("k", ana, 10).await;
    assert_eq!((unknown.status, unknown.code()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert!(unknown.headers.contains_key("retry-after"));
    assert_eq!((wire.left(), scene.left(ana).await), (0, 89), "it was committed, and nobody knew");
    let found = scene.spend("k", ana, 10).await;
    assert_eq!((found.status, &found.body["balance"]), (StatusCode::OK, &json!(89)));
    assert_eq!(found.headers["idempotent-replayed"], "true");
    assert_eq!(scene.left(ana).await, 89);
    scene.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_database_that_ends_the_connection_is_asked_again_later(pool: PgPool) {
    let scene = Scene::open(pool).await;
    let ana = scene.person(100).await;
    let mut holding = scene.owner.begin().await.unwrap();
    sqlx::raw_sql("lock table api_keys in access exclusive mode").execute(&mut *holding).await.unwrap();
    let (ended, ()) = tokio::join!(scene.spend("k", ana, 10), async {
        scene.waits_for_a_lock().await;
        scene
            .execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
            .await;
    });
    assert_eq!((ended.status, ended.code()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    holding.commit().await.unwrap();
    let again = scene.spend("k", ana, 10).await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(!again.headers.contains_key("idempotent-replayed"), "it had not been done");
    assert_eq!(scene.left(ana).await, 90);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_server_that_may_not_write_yet_is_asked_again_later(pool: PgPool) {
    let scene = Scene::open(pool).await;
    let ana = scene.person(100).await;
    // As every connection is to a standby, or to a primary that was just demoted.
    scene.becomes_read_only("on").await;
    let standby = scene.spend("k", ana, 10).await;
    assert_eq!((standby.status, standby.code()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    scene.becomes_read_only("off").await;
    assert_eq!(scene.spend("k", ana, 10).await.status, StatusCode::OK);
    assert_eq!(scene.left(ana).await, 90);
}
