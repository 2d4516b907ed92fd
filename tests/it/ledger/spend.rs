//! Spending: which lots it takes, when it refuses, and that it never takes what is not there.

use atlas::{Error, Refusal};
use domain::Credits;
use domain::ledger::LotSource;
use futures::future::join_all;
use proptest::prelude::*;
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use crate::cases;
use crate::stage::{Stage, promo, refusal, usage};

/// What is left in the person's lots, in the order in which they were granted.
async fn remaining(stage: &Stage) -> Vec<i64> {
    sqlx::query_scalar("select remaining from credit_lots order by id").fetch_all(&stage.ctx.db).await.unwrap()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn lots_burn_by_priority_then_expiry_then_age(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let soon = stage.ctx.now() + Duration::days(1);
    let later = stage.ctx.now() + Duration::days(90);
    // In the order of granting; the last number is the place in the order of spending.
    let lots = [
        (LotSource::Purchase, None, 7),
        (LotSource::Purchase, Some(later), 6),
        (LotSource::Subscription, None, 5),
        (LotSource::Promo, None, 2),
        (LotSource::Promo, None, 3),
        (LotSource::Promo, Some(soon), 1),
        (LotSource::Subscription, Some(soon), 4),
    ];
    for (source, expires_at, _) in lots {
        stage.grants(&atlas::ledger::grant::Grant { source, expires_at, ..promo(&ana, 10) }).await.unwrap();
    }
    for spent in 1..=7 {
        stage.spends(&usage(&ana, 10)).await.unwrap();
        let expected: Vec<i64> = lots.iter().map(|(_, _, place)| if *place <= spent { 0 } else { 10 }).collect();
        assert_eq!(remaining(&stage).await, expected, "after {spent} spends");
    }
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn one_spend_reaches_over_several_lots(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    for credits in [3, 5, 11] {
        stage.grants(&promo(&ana, credits)).await.unwrap();
    }
    let moved = stage.spends(&usage(&ana, 9)).await.unwrap();

    assert_eq!((moved.net, moved.balance_after), (Credits::new(-9), Credits::new(10)));
    assert_eq!(remaining(&stage).await, [0, 0, 10]);
    let entries: Vec<(i32, i64, i64, i64)> = sqlx::query_as(
        "select line::int, amount, account_seq, balance_after from credit_entries where transaction_id = $1 order by line",
    )
    .bind(moved.transaction)
    .fetch_all(&stage.ctx.db)
    .await
    .unwrap();
    assert_eq!(entries, [(1, -3, 4, 16), (2, -5, 5, 11), (3, -1, 6, 10)]);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn expired_lots_are_not_spent(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let mut old = promo(&ana, 100);
    old.expires_at = Some(OffsetDateTime::UNIX_EPOCH);
    stage.grants(&old).await.unwrap();
    stage.grants(&promo(&ana, 10)).await.unwrap();

    assert_eq!(refusal(stage.spends(&usage(&ana, 11)).await), Refusal::NotEnoughCredits);
    stage.spends(&usage(&ana, 10)).await.unwrap();
    assert_eq!(remaining(&stage).await, [100, 0]);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn held_credits_are_not_spent(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.grants(&promo(&ana, 10)).await.unwrap();
    sqlx::raw_sql("update credit_lots set held = 6; update credit_accounts set held = 6 where kind = 'wallet'")
        .execute(&stage.owner)
        .await
        .unwrap();
    assert_eq!(stage.balance(&ana).await.available(), Credits::new(4));
    assert_eq!(refusal(stage.spends(&usage(&ana, 5)).await), Refusal::NotEnoughCredits);
    assert_eq!(stage.spends(&usage(&ana, 4)).await.unwrap().balance_after, Credits::new(6));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_refused_spend_changes_nothing_and_its_key_may_succeed_later(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.grants(&promo(&ana, 9)).await.unwrap();
    let request = usage(&ana, 10);
    assert_eq!(refusal(stage.spends(&request).await), Refusal::NotEnoughCredits);
    assert_eq!(stage.posted(&ana).await, 9);
    assert_eq!(stage.count("select count(*) from credit_entries").await, 1);

    stage.grants(&promo(&ana, 1)).await.unwrap();
    assert!(!stage.spends(&request).await.unwrap().replayed);
    assert!(stage.spends(&request).await.unwrap().replayed, "although the wallet is empty now");
    assert_eq!(stage.posted(&ana).await, 0);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_key_used_for_another_spend_or_for_a_grant_is_refused(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let given = promo(&ana, 100);
    stage.grants(&given).await.unwrap();
    let first = usage(&ana, 10);
    stage.spends(&first).await.unwrap();
    let mut more = first.clone();
    more.credits = Credits::new(11);
    assert_eq!(refusal(stage.spends(&more).await), Refusal::KeyUsedForAnotherRequest);
    let mut over_a_grant = usage(&ana, 100);
    over_a_grant.key = given.key;
    assert_eq!(refusal(stage.spends(&over_a_grant).await), Refusal::KeyUsedForAnotherRequest);
    assert_eq!(stage.posted(&ana).await, 90);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn nothing_is_spent_while_debt_stands(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.grants(&promo(&ana, 100)).await.unwrap();
    let before = usage(&ana, 1);
    stage.spends(&before).await.unwrap();
    stage.owes(&ana, 5).await;
    assert_eq!(refusal(stage.spends(&usage(&ana, 1)).await), Refusal::CreditsAreOwed);
    assert!(stage.spends(&before).await.unwrap().replayed, "an old answer is still given");

    stage.grants(&promo(&ana, 5)).await.unwrap();
    stage.spends(&usage(&ana, 99)).await.unwrap();
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn no_spend_is_zero_or_negative_and_none_is_too_large_to_refuse(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.grants(&promo(&ana, 100)).await.unwrap();
    for credits in [0, -1, i64::MIN] {
        assert!(matches!(stage.spends(&usage(&ana, credits)).await, Err(Error::Broken(_))), "{credits}");
    }
    for credits in [101, Credits::MAX.get() + 1, i64::MAX] {
        assert_eq!(refusal(stage.spends(&usage(&ana, credits)).await), Refusal::NotEnoughCredits, "{credits}");
    }
    assert_eq!(stage.posted(&ana).await, 100);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn spends_at_once_beyond_the_balance_succeed_exactly_as_often_as_it_reaches(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let each = (1_u32..40, prop::collection::vec(1_i64..60, 1..6));
    cases::for_all(4, each, async |(cost, lots)| {
        let person = stage.buyer(&atlas::ids::fresh().simple().to_string()).await;
        for credits in &lots {
            stage.grants(&promo(&person, *credits)).await.unwrap();
        }
        let (cost, total) = (i64::from(cost), lots.iter().sum::<i64>());
        let requests: Vec<_> = (0..30).map(|_| usage(&person, cost)).collect();
        let answers = join_all(requests.iter().map(|request| stage.spends(request))).await;

        let expected = (total / cost).min(30);
        let succeeded = answers.iter().filter(|answer| answer.is_ok()).count();
        for answer in answers.into_iter().filter(Result::is_err) {
            assert_eq!(refusal(answer), Refusal::NotEnoughCredits);
        }
        let left = stage.posted(&person).await;
        if i64::try_from(succeeded) != Ok(expected) || left != total - expected * cost {
            return Err(format!("{succeeded} of {expected} succeeded, {left} are left"));
        }
        let findings = stage.findings().await;
        if findings.is_empty() { Ok(()) } else { Err(format!("{findings:?}")) }
    })
    .await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_spend_may_take_very_many_small_lots(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    // 33,000 lots of one credit, written as the kernel would, in one statement each.
    sqlx::raw_sql(
        "insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, balance_after, debt_after,
            last_seq, actor, description)
        select gen_random_uuid(), wallet.id, 'grant', 'bulk', n::text, '', 1, n, 0, n, 'test', 'Given'
        from credit_accounts wallet, generate_series(1, 33000) n where wallet.kind = 'wallet';
        insert into credit_lots (account_id, transaction_id, source, priority, granted, remaining)
        select account_id, id, 'promo', 10, 1, 1 from credit_transactions order by last_seq;
        insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq, balance_after)
        select t.id, 1, t.account_id, (select id from credit_accounts where code = 'promo'), l.id, 'posted', 1, t.last_seq, t.last_seq
        from credit_transactions t join credit_lots l on l.transaction_id = t.id;
        update credit_accounts set posted = 33000, seq = 33000 where kind = 'wallet';",
    )
    .execute(&stage.owner)
    .await
    .unwrap();
    stage.spends(&usage(&ana, 33_000)).await.unwrap();
    assert_eq!(stage.posted(&ana).await, 0);
    stage.audits_clean().await;
}
