//! Open orders are asked about on their schedule, gently, until they are old.

use atlas::reconcile::sweep::{Swept, ask_due};
use domain::{OrderState, PaymentState};
use futures::future::join_all;
use sqlx::PgPool;
use time::Duration;

use crate::scripted::Fault;
use crate::stage::Stage;

async fn sweep(stage: &Stage) -> Swept {
    ask_due(&stage.ctx).await.unwrap()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_open_order_is_asked_about_after_1_5_and_30_minutes_and_then_hourly_for_72_hours(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.starts_checkout(&ana, "starter").await;
    let mut asked_at = Vec::new();
    let mut minute = 0;
    while minute < 80 * 60 {
        let step = if minute < 30 { 1 } else { 10 };
        stage.advance(Duration::minutes(step));
        minute += step;
        let swept = sweep(&stage).await;
        if swept.asked > 0 {
            asked_at.push(minute);
        }
    }
    let hourly = (0..).map(|hour| 90 + hour * 60).take_while(|minute| *minute <= 72 * 60);
    assert_eq!(asked_at, [1, 5, 30].into_iter().chain(hourly).collect::<Vec<_>>());
    assert_eq!(stage.provider.queries().len(), asked_at.len());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_was_paid_and_never_said_is_recovered_even_after_the_order_expired(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.advance(Duration::minutes(1));
    assert_eq!(sweep(&stage).await, Swept { asked: 1, ..Swept::default() });
    stage.advance(Duration::hours(30));
    atlas::orders::expire::expire_old(&stage.ctx).await.unwrap();
    stage.provider.knows(&order.facts("pay_1", PaymentState::Succeeded));
    assert_eq!(sweep(&stage).await, Swept { asked: 1, recovered: 1, ..Swept::default() });
    assert_eq!((stage.page(&ana, &order).await.state, stage.posted(&ana).await), (OrderState::Paid, 5_000));
    stage.advance(Duration::hours(2));
    assert_eq!(sweep(&stage).await, Swept::default(), "a paid order needs no asking");
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn while_the_provider_is_away_few_questions_are_asked_and_none_is_lost(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let mut orders = Vec::new();
    for _ in 0..60 {
        orders.push(stage.starts_checkout(&ana, "starter").await);
    }
    stage.advance(Duration::minutes(1));
    stage.provider.fails(Fault::Unreachable);
    let swept = sweep(&stage).await;
    assert_eq!((swept.asked, swept.recovered), (0, 0));
    assert!(stage.provider.queries().len() <= 4, "{} questions", stage.provider.queries().len());
    for order in &orders {
        stage.provider.knows(&order.facts(&format!("pay_{}", order.id), PaymentState::Succeeded));
    }
    stage.provider.recovers();
    stage.advance(Duration::minutes(1));
    assert_eq!(sweep(&stage).await, Swept { asked: 60, recovered: 60, ..Swept::default() });
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_answer_that_can_not_be_used_stops_neither_the_sweep_nor_the_schedule(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.starts_checkout(&ana, "starter").await;
    stage.starts_checkout(&ana, "starter").await;
    stage.provider.fails(Fault::Unreadable);
    stage.advance(Duration::minutes(1));
    assert_eq!(sweep(&stage).await, Swept { failed: 2, ..Swept::default() });
    assert_eq!(sweep(&stage).await, Swept::default());
    stage.provider.recovers();
    stage.advance(Duration::minutes(4));
    assert_eq!(sweep(&stage).await, Swept { asked: 2, ..Swept::default() });
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn several_sweeps_at_once_ask_about_each_order_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    for _ in 0..70 {
        stage.starts_checkout(&ana, "starter").await;
    }
    stage.advance(Duration::minutes(1));
    let swept = join_all((0..3).map(|_| sweep(&stage))).await;
    assert_eq!(swept.iter().map(|swept| swept.asked).sum::<usize>(), 70);
    assert_eq!(stage.provider.queries().len(), 70);
}
