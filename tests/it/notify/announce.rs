//! News reach the outbox once, with the transaction that makes them true or not at all, and cheaply.

use atlas::notify::{News, announce};
use atlas::{Result, ids};
use domain::{EventId, OrderId};
use sqlx::{Connection, PgPool};

use crate::stage::{Ordered, Stage};

pub async fn announces(stage: &Stage, news: &[News]) -> Result<()> {
    let mut tx = stage.ctx.db.begin().await?;
    announce(&stage.ctx, &mut tx, news).await?;
    Ok(tx.commit().await?)
}

fn receipt(order: &Ordered, payment: &str) -> News {
    News::Receipt { order: order.id, payment: payment.to_owned() }
}

const MAILS: &str = "select count(*) from mails where state = 'queued' and due_at < now()";
const JOBS: &str =
    "select count(*) from graphile_worker.jobs where task_identifier = 'send_mails' and max_attempts = 8";

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_same_news_announced_again_is_one_mail(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let failed = News::PaymentFailed { order: order.id, payment: "pay_1".to_owned() };
    let all = [receipt(&order, "pay_1"), receipt(&order, "pay_2"), receipt(&order, "pay_1"), failed];
    announces(&stage, &all).await.unwrap();
    assert_eq!((stage.count(MAILS).await, stage.count(JOBS).await), (3, 1), "one wake-up for all of them");
    announces(&stage, &all).await.unwrap();
    assert_eq!((stage.count(MAILS).await, stage.count(JOBS).await), (3, 1), "nothing new, nobody to wake");
    announces(&stage, &[]).await.unwrap();
    assert_eq!(stage.count(MAILS).await, 3);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn whoever_was_woken_and_has_not_begun_is_not_woken_again(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    announces(&stage, &[receipt(&order, "pay_1")]).await.unwrap();
    announces(&stage, &[receipt(&order, "pay_2")]).await.unwrap();
    assert_eq!((stage.count(MAILS).await, stage.count(JOBS).await), (2, 1));
    sqlx::query("update graphile_worker._private_jobs set locked_at = now()").execute(&stage.ctx.db).await.unwrap();
    announces(&stage, &[receipt(&order, "pay_3")]).await.unwrap();
    assert_eq!(stage.count(JOBS).await, 2, "who has begun may be past it");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn without_a_mail_server_nobody_is_woken(pool: PgPool) {
    let mut stage = Stage::new(pool).await;
    stage.ctx.keeps_mail = true;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    announces(&stage, &[receipt(&order, "pay_1")]).await.unwrap();
    assert_eq!((stage.count(MAILS).await, stage.count(JOBS).await), (0, 0));
    assert_eq!(stage.count("select count(*) from mails where state = 'kept'").await, 1);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_rolled_back_is_not_announced(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let mut connection = stage.ctx.db.acquire().await.unwrap();
    let mut tx = connection.begin().await.unwrap();
    announce(&stage.ctx, &mut tx, &[News::Quarantined { event: EventId::from_uuid(ids::fresh()) }]).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!((stage.count(MAILS).await, stage.count(JOBS).await), (0, 0));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn two_who_announce_the_same_in_opposite_order_do_not_block_each_other(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let news: Vec<News> = (0..200).map(|number| receipt(&order, &format!("pay_{number:03}"))).collect();
    let reversed: Vec<News> = news.iter().rev().cloned().collect();
    let both = (0..8).map(|turn| announces(&stage, if turn % 2 == 0 { &news } else { &reversed }));
    for announced in futures::future::join_all(both).await {
        announced.unwrap();
    }
    assert_eq!(stage.count(MAILS).await, 200);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn news_of_an_order_that_is_not_there_is_refused(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let news = News::Receipt { order: OrderId::from_uuid(ids::fresh()), payment: "pay_1".to_owned() };
    announces(&stage, &[news]).await.unwrap_err();
    assert_eq!(stage.count(MAILS).await, 0);
}
