//! Holds: reserved, captured up to the amount, released, expired; each ends once.

use atlas::Refusal;
use atlas::ledger::expire::{Expired, expire};
use atlas::ledger::hold::{Reserve, capture, release, reserve};
use domain::ledger::LotSource;
use domain::{Credits, HoldId};
use futures::future::join_all;
use sqlx::PgPool;
use time::Duration;

use crate::stage::{Stage, captured, promo, refusal, reservation, usage};

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_reserved_is_not_spent_and_a_capture_may_be_less(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    for credits in [30, 30, 40] {
        stage.grants(&promo(&ana, credits)).await.unwrap();
    }
    let held = stage.reserves(&reservation(&ana, 50)).await.unwrap();
    assert_eq!(stage.stands(&ana).await, (100, 50, 0));
    assert_eq!(stage.lots(&ana).await, [(30, 30), (30, 20), (40, 0)]);
    assert_eq!(refusal(stage.spends(&usage(&ana, 51)).await), Refusal::NotEnoughCredits);
    stage.spends(&usage(&ana, 20)).await.unwrap();
    assert_eq!(stage.lots(&ana).await, [(30, 30), (20, 20), (30, 0)]);
    stage.audits_clean().await;

    let ended = stage.captures(held.hold, 35).await.unwrap();
    assert_eq!((ended.replayed, ended.net), (false, Credits::new(-35)));
    assert_eq!((stage.stands(&ana).await, stage.lots(&ana).await), ((45, 0, 0), vec![(0, 0), (15, 0), (30, 0)]));
    let again = stage.captures(held.hold, 35).await.unwrap();
    assert_eq!((again.replayed, again.transaction, again.net), (true, ended.transaction, Credits::new(-35)));
    assert_eq!(stage.captures(held.hold, 34).await, Err(Refusal::KeyUsedForAnotherRequest));
    assert_eq!(stage.captures(held.hold, 0).await, Err(Refusal::HoldHasEnded));
    assert_eq!(stage.releases(held.hold).await, Err(Refusal::HoldHasEnded));
    assert_eq!(stage.stands(&ana).await, (45, 0, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_released_hold_leaves_everything_as_it_was(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.grants(&promo(&ana, 10)).await.unwrap();
    for nothing in [false, true] {
        let hold = stage.reserves(&reservation(&ana, 10)).await.unwrap().hold;
        let ended = if nothing { stage.captures(hold, 0).await } else { stage.releases(hold).await }.unwrap();
        assert_eq!((ended.replayed, ended.transaction, ended.net), (false, None, Credits::ZERO));
        assert!(stage.releases(hold).await.unwrap().replayed);
        assert_eq!(stage.captures(hold, 1).await, Err(Refusal::HoldHasEnded));
        assert_eq!(stage.stands(&ana).await, (10, 0, 0));
    }
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn no_capture_is_beyond_the_amount_or_below_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.grants(&promo(&ana, 100)).await.unwrap();
    let hold = stage.reserves(&reservation(&ana, 10)).await.unwrap().hold;
    for credits in [11, -1, i64::MAX, i64::MIN] {
        assert_eq!(stage.captures(hold, credits).await, Err(Refusal::NotBookable), "{credits}");
    }
    let unknown = HoldId::from_uuid(atlas::ids::fresh());
    assert_eq!(stage.captures(unknown, 1).await, Err(Refusal::NotBookable));
    assert_eq!(stage.releases(unknown).await, Err(Refusal::NotBookable));
    stage.bought(&ana, "pay_1", 40).await;
    stage.takes_back("pay_1", 0, 40).await.unwrap();
    let freeze: HoldId = sqlx::query_scalar("select id from credit_holds where payment_id = 'pay_1'")
        .fetch_one(&stage.ctx.db)
        .await
        .unwrap();
    assert_eq!(stage.captures(freeze, 1).await, Err(Refusal::NotBookable), "a freeze is no hold for use");
    assert_eq!(stage.releases(freeze).await, Err(Refusal::NotBookable));
    assert_eq!(stage.stands(&ana).await, (140, 50, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_reservation_is_refused_like_a_spend_and_repeats_like_one(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    for credits in [5, 5, 5, 5] {
        stage.grants(&promo(&ana, credits)).await.unwrap();
    }
    stage.owes(&ben, 3).await;
    let first = reservation(&ana, 18);
    let mut otherwise = first.clone();
    otherwise.credits = Credits::new(1);
    let past = Reserve { expires_at: Some(stage.ctx.now() - Duration::hours(1)), ..reservation(&ana, 1) };
    let batch = [
        first.clone(),
        first.clone(),
        otherwise,
        reservation(&ana, 3),
        reservation(&ben, 1),
        reservation(&ana, 0),
        past,
        reservation(&ana, 2),
    ];
    let answers = stage.commits(async |tx| reserve(tx, &batch).await).await.unwrap();
    let told: Vec<_> = answers.iter().map(|answer| answer.map(|held| held.replayed)).collect();
    assert_eq!(
        told,
        [
            Ok(false),
            Ok(true),
            Err(Refusal::KeyUsedForAnotherRequest),
            Err(Refusal::NotEnoughCredits),
            Err(Refusal::CreditsAreOwed),
            Err(Refusal::NotBookable),
            Err(Refusal::NotBookable),
            Ok(false),
        ]
    );
    assert_eq!(stage.reserves(&first).await.unwrap().hold, answers[0].unwrap().hold);
    assert_eq!(stage.stands(&ana).await, (20, 20, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_hold_keeps_its_lots_from_expiring(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.grants(&promo(&ana, 30)).await.unwrap();
    let hold = stage.reserves(&reservation(&ana, 20)).await.unwrap().hold;
    stage.outdates_lots(LotSource::Promo).await;
    assert_eq!(refusal(stage.spends(&usage(&ana, 1)).await), Refusal::NotEnoughCredits, "swept or not");
    let swept = expire(&stage.ctx.db, 100).await.unwrap();
    assert_eq!(swept, Expired { holds: 0, lots: 1, credits: Credits::new(10) });
    assert_eq!(stage.stands(&ana).await, (20, 20, 0));
    stage.captures(hold, 15).await.unwrap();
    assert_eq!(expire(&stage.ctx.db, 100).await.unwrap().credits, Credits::new(5));
    assert!(expire(&stage.ctx.db, 100).await.unwrap().is_nothing());
    assert_eq!(stage.stands(&ana).await, (0, 0, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_hold_past_its_end_is_neither_captured_nor_kept(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.grants(&promo(&ana, 30)).await.unwrap();
    let ends = Reserve { expires_at: Some(stage.ctx.now() + Duration::hours(1)), ..reservation(&ana, 20) };
    let hold = stage.reserves(&ends).await.unwrap().hold;
    stage.outdates(hold).await;
    assert_eq!(stage.captures(hold, 5).await, Err(Refusal::HoldHasEnded));
    assert_eq!(expire(&stage.ctx.db, 100).await.unwrap(), Expired { holds: 1, lots: 0, credits: Credits::ZERO });
    assert_eq!(stage.stands(&ana).await, (30, 0, 0));
    assert_eq!(stage.count("select count(*) from credit_holds where state = 'expired'").await, 1);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn one_hold_ended_many_ways_at_once_ends_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.grants(&promo(&ana, 100)).await.unwrap();
    let hold = stage.reserves(&reservation(&ana, 60)).await.unwrap().hold;
    let captures = join_all((0..25).map(|turn| stage.captures(hold, 10 + turn % 3)));
    let releases = join_all((0..25).map(|_| stage.releases(hold)));
    let (captures, releases) = futures::future::join(captures, releases).await;
    let first = captures.iter().chain(&releases).filter(|answer| answer.is_ok_and(|ended| !ended.replayed)).count();
    assert_eq!(first, 1);
    stage.audits_clean().await;

    // And in one batch.
    let hold = stage.reserves(&reservation(&ana, 20)).await.unwrap().hold;
    let batch = [captured(hold, 7), captured(hold, 7), captured(hold, 8), captured(hold, 0)];
    let answers = stage.commits(async |tx| capture(tx, &batch).await).await.unwrap();
    let told: Vec<_> = answers.iter().map(|answer| answer.map(|ended| ended.replayed)).collect();
    assert_eq!(told, [Ok(false), Ok(true), Err(Refusal::KeyUsedForAnotherRequest), Err(Refusal::HoldHasEnded)]);
    let hold = stage.reserves(&reservation(&ana, 5)).await.unwrap().hold;
    let answers = stage.commits(async |tx| release(tx, &[hold, hold]).await).await.unwrap();
    assert_eq!(answers.iter().map(|answer| answer.unwrap().replayed).collect::<Vec<_>>(), [false, true]);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn reservations_at_once_never_reach_beyond_the_balance(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    for _ in 0..5 {
        stage.grants(&promo(&ana, 1_000)).await.unwrap();
    }
    let requests: Vec<_> = (0..8).map(|_| reservation(&ana, 900)).collect();
    let answers = join_all(requests.iter().map(|request| stage.reserves(request))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 5);
    assert_eq!(stage.stands(&ana).await, (5_000, 4_500, 0));
    stage.audits_clean().await;
}
