//! Batches: they end like the single forms in the same order, and no item spoils another.

use atlas::ledger::Moved;
use atlas::ledger::grant::{Grant, grant_batch};
use atlas::ledger::spend::{Spend, spend_batch};
use atlas::people::SignedIn;
use atlas::{Error, Refusal, Result};
use domain::{Credits, PersonId};
use proptest::prelude::*;
use sqlx::PgPool;

use crate::cases;
use crate::stage::{Stage, promo, usage};

pub type Answers = Vec<Result<Moved, Refusal>>;

pub async fn grants(stage: &Stage, batch: &[Grant]) -> Answers {
    stage.commits(async |tx| grant_batch(tx, batch).await).await.unwrap()
}

pub async fn spends(stage: &Stage, batch: &[Spend]) -> Answers {
    stage.commits(async |tx| spend_batch(tx, batch).await).await.unwrap()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn each_grant_of_a_batch_is_answered_by_itself(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let earlier = promo(&ana, 5);
    stage.grants(&earlier).await.unwrap();

    let first = promo(&ana, 10);
    let mut other_amount = first.clone();
    other_amount.credits = Credits::new(11);
    let mut other_wallet = first.clone();
    other_wallet.to = ben.id();
    let mut nobody = promo(&ana, 1);
    nobody.to = PersonId::from_uuid(atlas::ids::fresh());
    let mut nowhere = promo(&ana, 1);
    nowhere.counter = "consumed:nobody";
    let mut unpaid = stage.purchase(&ana, "pay_1", 40).await;
    unpaid.paid.as_mut().unwrap().0.id = "pay_unknown".to_owned();
    let paid = stage.purchase(&ben, "pay_2", 50).await;
    let mut paid_again = paid.clone();
    paid_again.key.key = "another".to_owned();
    let batch = [
        first.clone(),
        promo(&ben, 20),
        first,
        other_amount,
        other_wallet,
        nobody,
        nowhere,
        promo(&ana, 0),
        promo(&ana, Credits::MAX.get() + 1),
        unpaid,
        paid,
        paid_again,
        earlier,
        promo(&ana, 7),
    ];
    let answers = grants(&stage, &batch).await;

    let told: Vec<_> =
        answers.iter().map(|answer| answer.map(|moved| (moved.replayed, moved.balance_after.get()))).collect();
    assert_eq!(
        told,
        [
            Ok((false, 15)),
            Ok((false, 20)),
            Ok((true, 15)),
            Err(Refusal::KeyUsedForAnotherRequest),
            Err(Refusal::KeyUsedForAnotherRequest),
            Err(Refusal::NoWallet),
            Err(Refusal::NotBookable),
            Err(Refusal::NotBookable),
            Err(Refusal::NotBookable),
            Err(Refusal::NotBookable),
            Ok((false, 70)),
            Err(Refusal::NotBookable),
            Ok((true, 5)),
            Ok((false, 22)),
        ]
    );
    assert_eq!(answers[0].unwrap().transaction, answers[2].unwrap().transaction);
    stage.settled(vec!["pay_2".to_owned()]).await;
    assert_eq!((stage.posted(&ana).await, stage.posted(&ben).await), (22, 70));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn grants_of_a_batch_repay_a_debt_one_after_the_other(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.owes(&ana, 25).await;
    let answers = grants(&stage, &[promo(&ana, 10), promo(&ana, 10), promo(&ana, 10), promo(&ana, 10)]).await;
    let told: Vec<_> = answers
        .iter()
        .map(|answer| answer.unwrap())
        .map(|moved| (moved.net.get(), moved.debt_change.get(), moved.balance_after.get(), moved.debt_after.get()))
        .collect();
    assert_eq!(told, [(0, -10, 0, 15), (0, -10, 0, 5), (5, -5, 5, 0), (10, 0, 15, 0)]);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn each_spend_of_a_batch_is_answered_by_itself(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben, cyd) = (stage.buyer("ana").await, stage.buyer("ben").await, stage.buyer("cyd").await);
    for credits in [30, 30, 30, 30] {
        stage.grants(&promo(&ana, credits)).await.unwrap();
    }
    stage.grants(&promo(&ben, 5)).await.unwrap();
    stage.grants(&promo(&cyd, 5)).await.unwrap();
    stage.owes(&cyd, 1).await;

    let first = usage(&ana, 100);
    let mut first_otherwise = first.clone();
    first_otherwise.credits = Credits::new(3);
    let late = usage(&ben, 6);
    let mut late_smaller = late.clone();
    late_smaller.credits = Credits::new(4);
    let mut nobody = usage(&ana, 1);
    nobody.from = PersonId::from_uuid(atlas::ids::fresh());
    let batch = [
        first.clone(),
        usage(&ana, 21),
        late.clone(),
        usage(&ana, 15),
        late_smaller,
        late,
        usage(&ana, 5),
        first,
        first_otherwise,
        nobody,
        usage(&cyd, 1),
        usage(&ana, 0),
        usage(&ana, 1),
        usage(&ben, 1),
    ];
    let answers = spends(&stage, &batch).await;

    let told: Vec<_> =
        answers.iter().map(|answer| answer.map(|moved| (moved.replayed, moved.balance_after.get()))).collect();
    assert_eq!(
        told,
        [
            Ok((false, 20)),
            Err(Refusal::NotEnoughCredits),
            Err(Refusal::NotEnoughCredits),
            Ok((false, 5)),
            Ok((false, 1)),
            Err(Refusal::KeyUsedForAnotherRequest),
            Ok((false, 0)),
            Ok((true, 20)),
            Err(Refusal::KeyUsedForAnotherRequest),
            Err(Refusal::NoWallet),
            Err(Refusal::CreditsAreOwed),
            Err(Refusal::NotBookable),
            Err(Refusal::NotEnoughCredits),
            Ok((false, 0)),
        ]
    );
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_empty_batch_is_answered_by_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    assert_eq!((grants(&stage, &[]).await, spends(&stage, &[]).await), (Vec::new(), Vec::new()));
}

/// What a wallet is, however its rows are called.
async fn likeness(stage: &Stage, who: &SignedIn) -> String {
    sqlx::query_scalar(
        "select jsonb_build_array(
            (select jsonb_build_array(posted, held, debt, seq) from credit_accounts where id = wallet.id),
            (select jsonb_agg(jsonb_build_array(kind, net, debt_change, balance_after, debt_after, last_seq) order by last_seq)
                from credit_transactions where account_id = wallet.id),
            (select jsonb_agg(jsonb_build_array(granted, remaining, held, priority, expires_at) order by id)
                from credit_lots where account_id = wallet.id),
            (select jsonb_agg(jsonb_build_array(line, bucket, amount, account_seq, balance_after) order by account_seq)
                from credit_entries where account_id = wallet.id))::text
        from (select id from credit_accounts where owner_id = $1) wallet",
    )
    .bind(who.id())
    .fetch_one(&stage.ctx.db)
    .await
    .unwrap()
}

#[derive(Debug, Clone)]
struct Piece {
    key: u8,
    wallet: usize,
    credits: i64,
}

fn piece(most: i64) -> impl Strategy<Value = Piece> {
    (0_u8..30, 0_usize..3, -1_i64..most).prop_map(|(key, wallet, credits)| Piece { key, wallet, credits })
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_batch_ends_like_its_items_one_by_one(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let batches = (prop::collection::vec(piece(9), 1..25), prop::collection::vec(piece(12), 1..25), 0_i64..20);
    cases::for_all(12, batches, async |(granted, spent, owed)| {
        let mut worlds: Vec<Vec<SignedIn>> = Vec::new();
        for _ in 0..2 {
            let mut people = Vec::new();
            for _ in 0..3 {
                people.push(stage.buyer(&atlas::ids::fresh().simple().to_string()).await);
            }
            if owed > 0 {
                stage.owes(&people[0], owed).await;
            }
            worlds.push(people);
        }
        let grant = |world: usize, piece: &Piece| Grant {
            key: atlas::ledger::Key::new(format!("{}", worlds[world][0].id()), piece.key.to_string()),
            ..promo(&worlds[world][piece.wallet], piece.credits)
        };
        let spend = |world: usize, piece: &Piece| Spend {
            key: atlas::ledger::Key::new(format!("{}", worlds[world][0].id()), (piece.key / 2 + 20).to_string()),
            ..usage(&worlds[world][piece.wallet], piece.credits)
        };
        let at_once: Vec<_> = granted.iter().map(|piece| grant(0, piece)).collect();
        let mut together = grants(&stage, &at_once).await;
        let at_once: Vec<_> = spent.iter().map(|piece| spend(0, piece)).collect();
        together.extend(spends(&stage, &at_once).await);
        let mut alone = Vec::new();
        for piece in &granted {
            alone.push(stage.grants(&grant(1, piece)).await);
        }
        for piece in &spent {
            alone.push(stage.spends(&spend(1, piece)).await);
        }
        for (place, (together, alone)) in together.iter().zip(&alone).enumerate() {
            let same = match (together, alone) {
                (Ok(left), Ok(right)) => {
                    (left.replayed, left.net, left.debt_change, left.balance_after, left.debt_after)
                        == (right.replayed, right.net, right.debt_change, right.balance_after, right.debt_after)
                }
                (Err(Refusal::NotBookable), Err(Error::Broken(_))) => true,
                (Err(left), Err(Error::Refused(right))) => left == right,
                _ => false,
            };
            if !same {
                return Err(format!("item {place}: {together:?} together, {alone:?} alone"));
            }
        }
        for (left, right) in worlds[0].iter().zip(&worlds[1]) {
            let (left, right) = (likeness(&stage, left).await, likeness(&stage, right).await);
            if left != right {
                return Err(format!("{left} together, {right} alone"));
            }
        }
        let findings = stage.findings().await;
        if findings.is_empty() { Ok(()) } else { Err(format!("{findings:?}")) }
    })
    .await;
}
