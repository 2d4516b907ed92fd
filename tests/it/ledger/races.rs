//! Batches at once over the same wallets and keys: nothing is lost, nothing locks up.

use atlas::Refusal;
use atlas::ledger::grant::Grant;
use atlas::ledger::spend::Spend;
use atlas::people::SignedIn;
use futures::future::join_all;
use sqlx::PgPool;

use super::batch::{grants, spends};
use crate::stage::{Stage, promo, usage};

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn fifty_batches_at_once_over_the_same_wallets_lose_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let mut people = Vec::new();
    for name in ["ana", "ben", "cyd", "dan", "eve"] {
        people.push(stage.buyer(name).await);
    }
    let given: Vec<_> = people.iter().map(|person| promo(person, 1_000)).collect();
    grants(&stage, &given).await;
    // Each batch meets all wallets, in another order, and every key is sent by two batches.
    let batches: Vec<Vec<Spend>> = (0..50_usize)
        .map(|batch| {
            (0..25)
                .map(|item| {
                    let mut spend = usage(&people[(item * 3 + batch) % 5], 3);
                    spend.key =
                        atlas::ledger::Key::new("race", format!("{} {item} {}", batch / 2, (item * 3 + batch) % 5));
                    spend
                })
                .collect()
        })
        .collect();
    let refills: Vec<Vec<Grant>> =
        (0..10).map(|turn| (0..5).map(|item| promo(&people[(item + turn) % 5], 10)).collect()).collect();
    let (spent, granted) = futures::future::join(
        join_all(batches.iter().map(|batch| spends(&stage, batch))),
        join_all(refills.iter().map(|batch| grants(&stage, batch))),
    )
    .await;

    let spent: Vec<_> = spent.into_iter().flatten().collect();
    let done = spent.iter().filter(|answer| answer.is_ok_and(|moved| !moved.replayed)).count();
    assert!(granted.into_iter().flatten().all(|answer| answer.is_ok()));
    assert!(spent.iter().all(|answer| answer.is_ok() || *answer == Err(Refusal::NotEnoughCredits)), "no other refusal");
    let mut left = 0;
    for person in &people {
        left += stage.posted(person).await;
    }
    assert_eq!(left, 5_500 - 3 * i64::try_from(done).unwrap());
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn batches_that_claim_one_key_for_two_wallets_at_once_agree(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let keys: Vec<_> = (0..20).map(|key| atlas::ledger::Key::new("test", format!("shared {key}"))).collect();
    let batch = |to: &SignedIn, backwards: bool| -> Vec<Grant> {
        let mut batch: Vec<_> = keys.iter().map(|key| Grant { key: key.clone(), ..promo(to, 1) }).collect();
        if backwards {
            batch.reverse();
        }
        batch
    };
    let batches: Vec<_> = (0..10).map(|turn| batch(if turn % 2 == 0 { &ana } else { &ben }, turn % 4 > 1)).collect();
    let answers = join_all(batches.iter().map(|batch| grants(&stage, batch))).await;

    let answers: Vec<_> = answers.into_iter().flatten().collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok_and(|moved| !moved.replayed)).count(), 20);
    assert!(answers.iter().all(|answer| answer.is_ok() || *answer == Err(Refusal::KeyUsedForAnotherRequest)));
    assert_eq!(stage.posted(&ana).await + stage.posted(&ben).await, 20);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn transactions_of_many_calls_lock_their_wallets_first_and_never_wait_for_each_other(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let work = (0..30).map(|turn| {
        let (stage, first, second) = if turn % 2 == 0 { (&stage, &ana, &ben) } else { (&stage, &ben, &ana) };
        stage.commits(async move |tx| {
            atlas::ledger::lock_wallets(tx, &[first.id(), second.id()]).await?;
            let granted = atlas::ledger::grant::grant_batch(tx, &[promo(first, 3)]).await?;
            let spent = atlas::ledger::spend::spend_batch(tx, &[usage(second, 1)]).await?;
            Ok((granted, spent))
        })
    });
    for answer in join_all(work).await {
        assert!(answer.unwrap().0[0].is_ok());
    }
    stage.audits_clean().await;
}
