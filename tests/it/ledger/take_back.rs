//! Taking back and giving back: levels, whatever came before them.

use atlas::Refusal;
use atlas::ledger::take_back::take_back_batch;
use domain::Credits;
use domain::ledger::LotSource;
use proptest::prelude::*;
use sqlx::PgPool;

use crate::cases;
use crate::stage::{Stage, level, promo, reservation, usage};

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_clawback_takes_the_payments_own_lot_then_others_then_owes(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.bought(&ana, "pay_1", 100).await;
    stage.bought(&ana, "pay_2", 50).await;
    stage.spends(&usage(&ana, 70)).await.unwrap();

    let own = stage.takes_back("pay_1", 20, 0).await.unwrap();
    assert_eq!((own.unchanged, own.net, own.debt_change), (false, Credits::new(-20), Credits::ZERO));
    assert_eq!(stage.lots(&ana).await, [(10, 0), (50, 0)]);
    stage.takes_back("pay_1", 40, 0).await.unwrap();
    assert_eq!(stage.lots(&ana).await, [(0, 0), (40, 0)]);
    let owed = stage.takes_back("pay_1", 100, 0).await.unwrap();
    assert_eq!((owed.net, owed.debt_change), (Credits::new(-40), Credits::new(20)));
    assert_eq!(stage.stands(&ana).await, (0, 0, 20));
    stage.audits_clean().await;

    stage.grants(&promo(&ana, 30)).await.unwrap();
    assert_eq!(stage.stands(&ana).await, (10, 0, 0), "the next grant repays first");
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_same_level_again_changes_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.bought(&ana, "pay_1", 100).await;
    assert!(!stage.takes_back("pay_1", 30, 20).await.unwrap().unchanged);
    let before = stage.count("select count(*) from credit_entries").await;
    for _ in 0..3 {
        let again = stage.takes_back("pay_1", 30, 20).await.unwrap();
        assert_eq!((again.unchanged, again.transaction), (true, None));
    }
    assert_eq!(stage.stands(&ana).await, (70, 20, 0));
    assert_eq!(stage.count("select count(*) from credit_entries").await, before);
    assert_eq!(stage.count("select count(*) from credit_holds").await, 1);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_freeze_holds_what_is_unspent_of_the_payment_and_no_more(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.bought(&ana, "pay_1", 100).await;
    stage.spends(&usage(&ana, 60)).await.unwrap();
    stage.grants(&promo(&ana, 25)).await.unwrap();

    let frozen = stage.takes_back("pay_1", 0, 100).await.unwrap();
    assert_eq!((frozen.unchanged, frozen.transaction, frozen.net), (false, None, Credits::ZERO));
    assert_eq!(stage.stands(&ana).await, (65, 40, 0));
    assert!(stage.spends(&usage(&ana, 26)).await.is_err(), "what is frozen is not spent");
    stage.spends(&usage(&ana, 25)).await.unwrap();

    stage.takes_back("pay_1", 100, 0).await.unwrap();
    assert_eq!(stage.stands(&ana).await, (0, 0, 60), "lost: the frozen part is taken, the spent part is owed");
    stage.takes_back("pay_1", 0, 0).await.unwrap();
    assert_eq!(stage.stands(&ana).await, (40, 0, 0), "won after all");
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_given_back_goes_where_it_came_from(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.bought(&ana, "pay_1", 100).await;
    stage.spends(&usage(&ana, 80)).await.unwrap();
    stage.grants(&promo(&ana, 15)).await.unwrap();
    stage.bought(&ana, "pay_2", 40).await;
    stage.takes_back("pay_1", 90, 0).await.unwrap();
    assert_eq!(stage.stands(&ana).await, (0, 0, 15));
    stage.takes_back("pay_1", 60, 0).await.unwrap();
    assert_eq!((stage.stands(&ana).await, stage.lots(&ana).await), ((15, 0, 0), vec![(0, 0), (0, 0), (15, 0)]));
    stage.takes_back("pay_1", 0, 0).await.unwrap();
    assert_eq!(stage.lots(&ana).await, [(20, 0), (15, 0), (40, 0)]);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_cannot_go_back_becomes_a_lot_of_its_own(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.bought(&ana, "pay_1", 100).await;
    stage.spends(&usage(&ana, 70)).await.unwrap();
    stage.takes_back("pay_1", 100, 0).await.unwrap();
    assert_eq!(stage.stands(&ana).await, (0, 0, 70));
    stage.grants(&promo(&ana, 200)).await.unwrap();
    stage.outdates_lots(LotSource::Purchase).await;

    // 70 were repaid by the gift, 30 had come from a lot that has expired since.
    let back = stage.takes_back("pay_1", 0, 0).await.unwrap();
    assert_eq!((back.net, back.debt_change), (Credits::new(100), Credits::ZERO));
    assert_eq!(stage.lots(&ana).await, [(0, 0), (130, 0), (100, 0)]);
    assert_eq!(
        stage.count("select count(*) from credit_lots where source = 'refund' and payment_id = 'pay_1'").await,
        1
    );
    stage.audits_clean().await;

    stage.takes_back("pay_1", 40, 60).await.unwrap();
    assert_eq!(stage.lots(&ana).await, [(0, 0), (130, 0), (60, 60)], "the new lot is the payment's own");
    stage.takes_back("pay_1", 10, 0).await.unwrap();
    assert_eq!(stage.lots(&ana).await, [(0, 0), (130, 0), (90, 0)]);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_level_beyond_what_was_granted_is_refused(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.bought(&ana, "pay_1", 100).await;
    for (taken, frozen) in [(101, 0), (0, 101), (60, 41), (-1, 0), (0, -1), (i64::MAX, 1), (1, i64::MAX), (i64::MIN, 0)]
    {
        assert_eq!(stage.takes_back("pay_1", taken, frozen).await, Err(Refusal::NotBookable), "{taken} {frozen}");
    }
    assert!(stage.takes_back("pay_unknown", 0, 0).await.unwrap().unchanged);
    for (taken, frozen) in [(1, 0), (0, 1)] {
        assert_eq!(stage.takes_back("pay_unknown", taken, frozen).await, Err(Refusal::NotBookable));
    }
    assert_eq!(stage.stands(&ana).await, (100, 0, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn one_batch_brings_many_payments_to_their_levels(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    stage.bought(&ana, "pay_1", 100).await;
    stage.bought(&ana, "pay_2", 50).await;
    stage.bought(&ben, "pay_3", 10).await;
    let levels = [
        level("pay_2", 50, 0),
        level("pay_3", 0, 10),
        level("pay_1", 101, 0),
        level("pay_1", 10, 90),
        level("pay_1", 20, 0),
        level("pay_3", 4, 6),
        level("pay_3", 4, 6),
    ];
    let answers = stage.commits(async |tx| take_back_batch(tx, &levels).await).await.unwrap();
    let told: Vec<_> = answers.iter().map(|answer| answer.map(|done| (done.unchanged, done.net.get()))).collect();
    assert_eq!(
        told,
        [
            Ok((false, -50)),
            Ok((false, 0)),
            Err(Refusal::NotBookable),
            Ok((false, -10)),
            Ok((false, -10)),
            Ok((false, -4)),
            Ok((true, 0)),
        ]
    );
    assert_eq!((stage.stands(&ana).await, stage.stands(&ben).await), ((80, 0, 0), (6, 6, 0)));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn credits_that_become_free_repay_what_is_owed(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.bought(&ana, "pay_1", 50).await;
    let hold = stage.reserves(&reservation(&ana, 50)).await.unwrap().hold;
    stage.takes_back("pay_1", 50, 0).await.unwrap();
    assert_eq!(stage.stands(&ana).await, (50, 50, 50), "what is held for others is not taken");
    stage.releases(hold).await.unwrap();
    assert_eq!(stage.stands(&ana).await, (0, 0, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn any_sequence_of_levels_ends_like_the_last_alone(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let levels = prop::collection::vec((0_i64..=100, 0_i64..=100), 1..8);
    let scene = (0_i64..120, 0_i64..40, 0_i64..40, levels);
    cases::for_all(16, scene, async |(spent, gift, reserved, levels)| {
        let mut ends = Vec::new();
        let last = levels.len() - 1;
        for sequence in [&levels[..], &levels[last..]] {
            let person = stage.buyer(&atlas::ids::fresh().simple().to_string()).await;
            let payment = atlas::ids::fresh().to_string();
            stage.bought(&person, &payment, 100).await;
            stage.bought(&person, &format!("{payment} other"), 30).await;
            if gift > 0 {
                stage.grants(&promo(&person, gift)).await.unwrap();
            }
            let _ = stage.spends(&usage(&person, spent.max(1))).await;
            if reserved > 0 {
                let _ = stage.reserves(&reservation(&person, reserved)).await;
            }
            for (taken, frozen) in sequence {
                stage.takes_back(&payment, *taken, (*frozen).min(100 - taken)).await.unwrap();
            }
            ends.push((stage.stands(&person).await, stage.lots(&person).await));
        }
        if ends[0] != ends[1] {
            return Err(format!("{:?} after all levels, {:?} after the last alone", ends[0], ends[1]));
        }
        let findings = stage.findings().await;
        if findings.is_empty() { Ok(()) } else { Err(format!("{findings:?}")) }
    })
    .await;
}
