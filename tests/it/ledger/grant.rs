//! Granting: what it adds, and that no repetition and no nonsense adds more.

use atlas::{Error, Refusal};
use domain::ledger::LotSource;
use domain::{Credits, PersonId};
use futures::future::join_all;
use sqlx::PgPool;
use time::Duration;

use crate::stage::{Stage, promo, refusal};

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_grant_adds_a_lot_an_entry_and_to_the_wallet(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let moved = stage.grants(&promo(&ana, 5_000)).await.unwrap();

    assert!(!moved.replayed);
    assert_eq!((moved.net, moved.debt_change), (Credits::new(5_000), Credits::ZERO));
    assert_eq!((moved.balance_after, moved.debt_after), (Credits::new(5_000), Credits::ZERO));
    assert_eq!(stage.balance(&ana).await.available(), Credits::new(5_000));
    let lot: (i64, i64, i64, String, i16) =
        sqlx::query_as("select granted, remaining, held, source, priority from credit_lots where transaction_id = $1")
            .bind(moved.transaction)
            .fetch_one(&stage.ctx.db)
            .await
            .unwrap();
    assert_eq!(lot, (5_000, 5_000, 0, "promo".to_owned(), 10));
    let entry: (i32, String, i64, i64, i64, String) = sqlx::query_as(
        "select line::int, bucket, amount, account_seq, balance_after, counter.code
        from credit_entries join credit_accounts counter on counter.id = counter_id where transaction_id = $1",
    )
    .bind(moved.transaction)
    .fetch_one(&stage.ctx.db)
    .await
    .unwrap();
    assert_eq!(entry, (1, "posted".to_owned(), 5_000, 1, 5_000, "promo".to_owned()));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_same_grant_again_gets_the_first_answer(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let mut request = promo(&ana, 700);
    request.expires_at = Some(stage.ctx.now() + Duration::days(30));
    let first = stage.grants(&request).await.unwrap();
    stage.grants(&promo(&ana, 50)).await.unwrap();
    let again = stage.grants(&request).await.unwrap();

    assert!(again.replayed);
    assert_eq!(again.transaction, first.transaction);
    assert_eq!(again.balance_after, Credits::new(700), "the first answer, not today's balance");
    assert_eq!(stage.posted(&ana).await, 750);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_grant_is_the_same_request_in_every_time_zone(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let mut request = promo(&ana, 700);
    request.expires_at = Some(stage.ctx.now() + Duration::days(30));
    stage.grants(&request).await.unwrap();
    let mut tx = stage.ctx.db.begin().await.unwrap();
    sqlx::query("set local time zone 'Asia/Kolkata'").execute(&mut *tx).await.unwrap();
    let again = atlas::ledger::grant::grant(&mut tx, &request).await.unwrap();
    assert!(again.replayed);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_key_used_for_another_grant_is_refused(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let first = promo(&ana, 700);
    stage.grants(&first).await.unwrap();

    let mut others = vec![first.clone(); 5];
    others[0].credits = Credits::new(701);
    others[1].to = ben.id();
    others[2].counter = "manual";
    others[3].source = LotSource::Manual;
    others[4].expires_at = Some(stage.ctx.now());
    for other in &others {
        assert_eq!(refusal(stage.grants(other).await), Refusal::KeyUsedForAnotherRequest, "{other:?}");
    }
    assert_eq!((stage.posted(&ana).await, stage.posted(&ben).await), (700, 0));

    let mut elsewhere = others[0].clone();
    elsewhere.key.scope = "other".to_owned();
    assert!(!stage.grants(&elsewhere).await.unwrap().replayed, "keys of another scope are other keys");
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn fifty_same_grants_at_once_are_one(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let request = promo(&ana, 5_000);
    let answers = join_all((0..50).map(|_| stage.grants(&request))).await;

    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|moved| !moved.replayed).count(), 1);
    assert!(answers.iter().all(|moved| moved.transaction == answers[0].transaction));
    assert_eq!(stage.posted(&ana).await, 5_000);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn one_key_for_two_wallets_at_once_moves_one_of_them(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let to_ana = promo(&ana, 10);
    let mut to_ben = to_ana.clone();
    to_ben.to = ben.id();
    let answers = join_all((0..20).map(|turn| stage.grants(if turn % 2 == 0 { &to_ana } else { &to_ben }))).await;

    for answer in answers {
        assert!(answer.is_ok() || refusal(answer) == Refusal::KeyUsedForAnotherRequest);
    }
    assert_eq!(stage.posted(&ana).await + stage.posted(&ben).await, 10);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_grant_repays_debt_first(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.owes(&ana, 300).await;

    let too_little = stage.grants(&promo(&ana, 299)).await.unwrap();
    assert_eq!((too_little.net, too_little.debt_change), (Credits::ZERO, Credits::new(-299)));
    assert_eq!((too_little.balance_after, too_little.debt_after), (Credits::ZERO, Credits::new(1)));

    let enough = stage.grants(&promo(&ana, 5)).await.unwrap();
    assert_eq!((enough.net, enough.debt_change), (Credits::new(4), Credits::new(-1)));
    let balance = stage.balance(&ana).await;
    assert_eq!((balance.posted, balance.debt), (Credits::new(4), Credits::ZERO));
    stage.audits_clean().await;

    stage.owes(&ana, 7).await;
    let exact = stage.grants(&promo(&ana, 7)).await.unwrap();
    assert_eq!((exact.net, exact.debt_after, exact.balance_after), (Credits::ZERO, Credits::ZERO, Credits::new(4)));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn no_grant_is_zero_negative_or_too_large(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    for credits in [0, -1, Credits::MAX.get() + 1, i64::MAX, i64::MIN] {
        let answer = stage.grants(&promo(&ana, credits)).await;
        assert!(matches!(answer, Err(Error::Broken(_))), "{credits}: {answer:?}");
    }
    assert_eq!(stage.posted(&ana).await, 0);
    assert!(stage.grants(&promo(&ana, 1)).await.is_ok());
    assert!(stage.grants(&promo(&ana, Credits::MAX.get())).await.is_ok());
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_grant_needs_a_wallet_and_a_known_counter(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let mut nobody = promo(&ana, 5);
    nobody.to = PersonId::from_uuid(atlas::ids::fresh());
    assert!(matches!(stage.grants(&nobody).await, Err(Error::Broken(_))));
    let mut nowhere = promo(&ana, 5);
    nowhere.counter = "consumed:nobody";
    assert!(matches!(stage.grants(&nowhere).await, Err(Error::Broken(_))));
    assert_eq!(stage.count("select count(*) from credit_transactions").await, 0);
}
