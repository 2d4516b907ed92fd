//! Sweeping what is due: all of it, once, and around wallets that are busy.

use atlas::ledger::expire::{Expired, expire};
use domain::Credits;
use domain::ledger::LotSource;
use futures::future::join_all;
use sqlx::PgPool;

use crate::stage::{Stage, promo};

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_run_ends_as_much_as_it_was_told_and_the_next_goes_on(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    for credits in 1..=5 {
        stage.grants(&promo(&ana, credits)).await.unwrap();
        stage.grants(&promo(&ben, credits * 10)).await.unwrap();
    }
    stage.outdates_lots(LotSource::Promo).await;
    stage.bought(&ben, "pay_1", 7).await;
    let mut runs = Vec::new();
    loop {
        let run = expire(&stage.ctx.db, 4).await.unwrap();
        if run.is_nothing() {
            break;
        }
        assert!(run.lots <= 4);
        runs.push(run);
        stage.audits_clean().await;
    }
    assert_eq!(runs.iter().map(|run| run.lots).sum::<i64>(), 10);
    assert_eq!(runs.iter().map(|run| run.credits.get()).sum::<i64>(), 165);
    assert_eq!((stage.posted(&ana).await, stage.posted(&ben).await), (0, 7));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn sweeps_at_once_take_each_lot_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    for name in ["ana", "ben", "cyd", "dan"] {
        let person = stage.buyer(name).await;
        for _ in 0..10 {
            stage.grants(&promo(&person, 3)).await.unwrap();
        }
    }
    stage.outdates_lots(LotSource::Promo).await;
    let mut swept = 0;
    while swept < 40 {
        let runs = join_all((0..6).map(|_| expire(&stage.ctx.db, 5))).await;
        let lots: i64 = runs.into_iter().map(|run| run.unwrap().lots).sum();
        assert!(lots > 0, "somebody gets on");
        swept += lots;
    }
    assert_eq!(stage.count("select count(*) from credit_transactions where kind = 'expire'").await, 40);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_busy_wallet_is_left_for_the_next_run(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    for person in [&ana, &ben] {
        stage.grants(&promo(person, 3)).await.unwrap();
    }
    stage.outdates_lots(LotSource::Promo).await;
    let mut busy = stage.owner.begin().await.unwrap();
    sqlx::query("select from credit_accounts where owner_id = $1 for no key update")
        .bind(ana.id())
        .execute(&mut *busy)
        .await
        .unwrap();
    assert_eq!(expire(&stage.ctx.db, 5).await.unwrap(), Expired { holds: 0, lots: 1, credits: Credits::new(3) });
    busy.rollback().await.unwrap();
    assert_eq!(expire(&stage.ctx.db, 5).await.unwrap().lots, 1);
    stage.audits_clean().await;
}
