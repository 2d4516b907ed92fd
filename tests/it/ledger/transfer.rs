//! Transfers: two sides that meet, lots that keep what they are.

use atlas::ledger::transfer::{Transfer, transfer};
use atlas::ledger::{Key, Moved};
use atlas::people::SignedIn;
use atlas::{Refusal, Result, ids};
use domain::{Credits, PersonId};
use futures::future::join_all;
use sqlx::PgPool;
use time::Duration;

use crate::stage::{Stage, promo, reservation, usage};

fn gift(from: &SignedIn, to: &SignedIn, credits: i64) -> Transfer {
    Transfer {
        key: Key::new("test", ids::fresh().to_string()),
        from: from.id(),
        to: to.id(),
        credits: Credits::new(credits),
        actor: "test".to_owned(),
        description: "Shared".to_owned(),
    }
}

async fn transfers(stage: &Stage, batch: &[Transfer]) -> Vec<Result<Moved, Refusal>> {
    stage.commits(async |tx| transfer(tx, batch).await).await.unwrap()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_transfer_moves_lots_with_their_priority_and_expiry(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    stage.bought(&ana, "pay_1", 40).await;
    let mut soon = promo(&ana, 10);
    soon.expires_at = Some(stage.ctx.now() + Duration::days(3));
    stage.grants(&soon).await.unwrap();
    let request = gift(&ana, &ben, 25);
    let answers = transfers(&stage, &[request.clone(), request]).await;
    let (first, again) = (answers[0].unwrap(), answers[1].unwrap());
    assert_eq!((first.net, first.balance_after, first.replayed), (Credits::new(-25), Credits::new(25), false));
    assert_eq!((again.transaction, again.replayed), (first.transaction, true));

    let lots: Vec<(i64, i16, bool, String)> = sqlx::query_as(
        "select remaining, priority, expires_at is not null, source from credit_lots
        where account_id = (select id from credit_accounts where owner_id = $1) order by id",
    )
    .bind(ben.id())
    .fetch_all(&stage.ctx.db)
    .await
    .unwrap();
    assert_eq!(lots, [(10, 10, true, "transfer".to_owned()), (15, 100, false, "transfer".to_owned())]);
    assert_eq!(stage.stands(&ben).await, (25, 0, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_transfer_is_refused_for_what_a_spend_would_be(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben, cyd) = (stage.buyer("ana").await, stage.buyer("ben").await, stage.buyer("cyd").await);
    stage.grants(&promo(&ana, 10)).await.unwrap();
    stage.reserves(&reservation(&ana, 4)).await.unwrap();
    stage.grants(&promo(&cyd, 10)).await.unwrap();
    stage.owes(&cyd, 1).await;
    let used = usage(&ana, 1);
    stage.spends(&used).await.unwrap();
    let mut over_a_spend = gift(&ana, &ben, 1);
    over_a_spend.key = used.key;
    let mut to_nobody = gift(&ana, &ben, 1);
    to_nobody.to = PersonId::from_uuid(ids::fresh());
    let batch = [
        gift(&ana, &ben, 6),
        gift(&ana, &ana, 1),
        gift(&ana, &ben, 0),
        gift(&ana, &ben, -5),
        gift(&cyd, &ana, 1),
        over_a_spend,
        to_nobody,
        gift(&ana, &ben, 5),
        gift(&ben, &ana, 5),
    ];
    let told: Vec<_> =
        transfers(&stage, &batch).await.iter().map(|answer| answer.map(|moved| moved.net.get())).collect();
    assert_eq!(
        told,
        [
            Err(Refusal::NotEnoughCredits),
            Err(Refusal::NotBookable),
            Err(Refusal::NotBookable),
            Err(Refusal::NotBookable),
            Err(Refusal::CreditsAreOwed),
            Err(Refusal::KeyUsedForAnotherRequest),
            Err(Refusal::NoWallet),
            Ok(-5),
            Ok(-5),
        ]
    );
    assert_eq!((stage.stands(&ana).await, stage.stands(&ben).await), ((9, 4, 0), (0, 0, 0)));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_the_receiver_owes_is_repaid_at_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    stage.grants(&promo(&ana, 10)).await.unwrap();
    stage.owes(&ben, 7).await;
    transfers(&stage, &[gift(&ana, &ben, 5)]).await[0].unwrap();
    assert_eq!(stage.stands(&ben).await, (0, 0, 2));
    transfers(&stage, &[gift(&ana, &ben, 5)]).await[0].unwrap();
    assert_eq!(stage.stands(&ben).await, (3, 0, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn transfers_both_ways_at_once_neither_lock_up_nor_lose(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    for person in [&ana, &ben] {
        stage.grants(&promo(person, 50)).await.unwrap();
    }
    let batches: Vec<Vec<_>> = (0..30)
        .map(|turn| {
            let (from, to) = if turn % 2 == 0 { (&ana, &ben) } else { (&ben, &ana) };
            vec![gift(from, to, 7), gift(to, from, 3)]
        })
        .collect();
    for answers in join_all(batches.iter().map(|batch| transfers(&stage, batch))).await {
        assert!(answers.iter().all(|answer| answer.is_ok() || *answer == Err(Refusal::NotEnoughCredits)));
    }
    assert_eq!(stage.posted(&ana).await + stage.posted(&ben).await, 100);
    stage.audits_clean().await;
}
