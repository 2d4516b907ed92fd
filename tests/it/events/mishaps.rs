//! When our own side fails: nothing half-done, nothing lost, nothing twice.

use std::time::Duration;

use atlas::events::replay::replay;
use atlas::events::{self, Received, inbox};
use atlas::providers::Providers;
use atlas::{Context, Error};
use domain::{EventId, OrderState, PaymentState};
use futures::future::join_all;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::stage::{Stage, Webhook};

/// Makes every new lot fail inside the kernel, as a bug of ours would.
async fn breaks(stage: &Stage) {
    sqlx::raw_sql(
        "create function out_of_order() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$;
        create trigger out_of_order before insert on credit_lots for each row execute function out_of_order()",
    )
    .execute(&stage.owner)
    .await
    .unwrap();
}

async fn is_mended(stage: &Stage) {
    sqlx::raw_sql("drop trigger out_of_order on credit_lots").execute(&stage.owner).await.unwrap();
}

async fn newest(stage: &Stage) -> EventId {
    inbox::newest(&stage.ctx.db, None, 1).await.unwrap()[0].id
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_cannot_be_applied_is_parked_and_replayed_once_mended(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let webhook = stage.payment_webhook("evt_1", &order.facts("pay_1", PaymentState::Succeeded));
    breaks(&stage).await;
    assert_eq!(stage.delivers(&webhook).await.unwrap(), Received::Parked);
    assert_eq!(stage.delivers(&webhook).await.unwrap(), Received::Duplicate, "a repetition would not heal it");
    assert_eq!(stage.page(&ana, &order).await.state, OrderState::Opened);
    assert_eq!(stage.count("select count(*) from payments").await, 0, "nothing is left half-done");
    assert_eq!(inbox::newest(&stage.ctx.db, Some("parked"), 10).await.unwrap().len(), 1);

    let event = newest(&stage).await;
    assert!(matches!(replay(&stage.ctx, event).await, Err(Error::Broken(_))), "not mended yet");
    assert_eq!(inbox::newest(&stage.ctx.db, Some("parked"), 10).await.unwrap().len(), 1);

    is_mended(&stage).await;
    let replays = join_all((0..10).map(|_| replay(&stage.ctx, event))).await;
    let replays: Vec<Received> = replays.into_iter().map(Result::unwrap).collect();
    assert_eq!(replays.iter().filter(|answer| **answer == Received::Applied).count(), 1);
    assert_eq!(replays.iter().filter(|answer| **answer == Received::Duplicate).count(), 9);
    assert_eq!((stage.page(&ana, &order).await.state, stage.posted(&ana).await), (OrderState::Paid, 5_000));
    assert_eq!(stage.delivers(&webhook).await.unwrap(), Received::Duplicate);
    assert_eq!(stage.posted(&ana).await, 5_000);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_parked_event_whose_payment_was_settled_otherwise_replays_to_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let facts = order.facts("pay_1", PaymentState::Succeeded);
    breaks(&stage).await;
    assert_eq!(stage.delivers(&stage.payment_webhook("evt_1", &facts)).await.unwrap(), Received::Parked);
    let event = newest(&stage).await;
    is_mended(&stage).await;
    assert_eq!(stage.delivers(&stage.payment_webhook("evt_2", &facts)).await.unwrap(), Received::Applied);
    assert_eq!(replay(&stage.ctx, event).await.unwrap(), Received::Applied);
    assert_eq!(stage.posted(&ana).await, 5_000);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_payment_told_under_two_orders_stays_with_the_first(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let of_ana = stage.starts_checkout(&ana, "starter").await;
    let of_ben = stage.starts_checkout(&ben, "starter").await;
    stage.pays(&of_ana, "pay_1").await;
    let stolen = stage.payment_webhook("evt_2", &of_ben.facts("pay_1", PaymentState::Succeeded));
    let answer = stage.delivers(&stolen).await.unwrap();
    assert_eq!(answer, Received::Quarantined("payment_mismatch"), "a person has to look");
    assert_eq!((stage.posted(&ana).await, stage.posted(&ben).await), (5_000, 0));
    assert_eq!(stage.page(&ben, &of_ben).await.state, OrderState::Opened);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_id_that_comes_again_with_another_body_changes_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let of_ana = stage.starts_checkout(&ana, "starter").await;
    let of_ben = stage.starts_checkout(&ben, "pro").await;
    let first = stage.payment_webhook("evt_1", &of_ana.facts("pay_1", PaymentState::Succeeded));
    let other = stage.payment_webhook("evt_1", &of_ben.facts("pay_2", PaymentState::Succeeded));
    assert_eq!(stage.delivers(&first).await.unwrap(), Received::Applied);
    assert_eq!(stage.delivers(&other).await.unwrap(), Received::Duplicate);
    assert_eq!((stage.posted(&ana).await, stage.posted(&ben).await), (5_000, 0));
    let body: Vec<u8> = sqlx::query_scalar("select body from provider_events").fetch_one(&stage.ctx.db).await.unwrap();
    assert_eq!(body, first.body, "the first one stands");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn without_a_database_the_sender_is_told_to_come_again(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let webhook = stage.payment_webhook("evt_1", &order.facts("pay_1", PaymentState::Succeeded));
    let nowhere = stage.ctx.db.connect_options().as_ref().clone().port(1);
    let gone = PgPoolOptions::new().acquire_timeout(Duration::from_millis(20)).connect_lazy_with(nowhere);
    let without = Context { db: gone, ..stage.ctx.clone() };
    let answer = events::receive(&without, stage.signed(&webhook)).await;
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    assert_eq!(stage.delivers(&webhook).await.unwrap(), Received::Applied);
    assert_eq!(stage.posted(&ana).await, 5_000);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_order_that_stays_locked_is_not_parked_but_told_again(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let webhook = stage.payment_webhook("evt_1", &order.facts("pay_1", PaymentState::Succeeded));
    let mut holder = stage.owner.begin().await.unwrap();
    sqlx::query("select from credit_orders for update").execute(&mut *holder).await.unwrap();
    let hasty = stage.ctx.db.connect_options().as_ref().clone().options([("lock_timeout", "20ms")]);
    let hasty = Context { db: PgPoolOptions::new().connect_lazy_with(hasty), ..stage.ctx.clone() };
    let answer = events::receive(&hasty, stage.signed(&webhook)).await;
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    assert_eq!(stage.count("select count(*) from provider_events").await, 0);
    holder.rollback().await.unwrap();
    assert_eq!(stage.delivers(&webhook).await.unwrap(), Received::Applied);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_event_of_a_provider_that_is_not_set_up_is_parked(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let webhook: Webhook = stage.payment_webhook("evt_1", &order.facts("pay_1", PaymentState::Succeeded));
    let without = Context { providers: Providers::default(), ..stage.ctx.clone() };
    assert_eq!(events::receive(&without, stage.signed(&webhook)).await.unwrap(), Received::Parked);
    let event = newest(&stage).await;
    assert!(matches!(replay(&without, event).await, Err(Error::Unavailable(_))));
    assert_eq!(replay(&stage.ctx, event).await.unwrap(), Received::Applied);
    assert_eq!(stage.posted(&ana).await, 5_000);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_unknown_event_is_not_found(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let unknown = EventId::from_uuid(atlas::ids::fresh());
    assert!(matches!(replay(&stage.ctx, unknown).await, Err(Error::NotFound)));
}
