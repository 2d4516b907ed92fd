//! The three-way check: every seeded break is found, keeps its age, is said once, and is over when it is over.

use std::collections::BTreeSet;

use atlas::Error;
use atlas::providers::Window;
use atlas::reconcile::breaks::{Which, list};
use atlas::reconcile::check::{Checked, check, daily};
use domain::{Money, PaymentState};
use sqlx::PgPool;
use time::Duration;

use crate::scripted::Fault;
use crate::stage::Stage;

async fn checks(stage: &Stage) -> Checked {
    daily(&stage.ctx).await.unwrap()
}

/// Kind and subject of what stands.
async fn standing(stage: &Stage) -> BTreeSet<(String, String)> {
    let breaks = list(&stage.ctx.db, Which::Standing, 100).await.unwrap();
    breaks.into_iter().map(|found| (found.kind, found.subject)).collect()
}

async fn does(stage: &Stage, sql: &'static str) {
    sqlx::query(sql).execute(&stage.owner).await.unwrap();
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn books_that_agree_have_no_break(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    for payment in ["pay_1", "pay_2", "pay_3", "pay_4", "pay_5"] {
        let order = stage.starts_checkout(&ana, "starter").await;
        stage.provider.knows(&stage.pays(&order, payment).await);
    }
    let declined = stage.starts_checkout(&ana, "starter").await;
    stage.provider.knows(&declined.facts("pay_6", PaymentState::Failed));
    stage.advance(Duration::hours(1));
    assert_eq!(checks(&stage).await, Checked { examined: 6, new: 0, found: 0 });
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn every_kind_of_break_is_found(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let mut orders = Vec::new();
    for _ in 0..6 {
        orders.push(stage.starts_checkout(&ana, "starter").await);
    }
    // The webhook was lost.
    stage.provider.knows(&orders[0].facts("pay_lost", PaymentState::Succeeded));
    // We granted, and they say that it failed, or nothing at all.
    stage.pays(&orders[1], "pay_failed").await;
    stage.provider.knows(&orders[1].facts("pay_failed", PaymentState::Failed));
    stage.pays(&orders[2], "pay_gone").await;
    // Another amount.
    let mut other = orders[3].facts("pay_other", PaymentState::Succeeded);
    other.paid = Some(Money::usd(1));
    stage.provider.knows(&other);
    // The rule says to take back what the ledger did not.
    stage.provider.knows(&stage.pays(&orders[4], "pay_taken").await);
    does(&stage, "update payments set taken_credits = 100 where payment_id = 'pay_taken'").await;
    // Paid to us for nothing of ours, and something that nobody can read.
    let mut stray = orders[5].facts("pay_stray", PaymentState::Succeeded);
    stray.checkout_id = Some("ch_elsewhere".to_owned());
    stage.provider.knows(&stray);
    stage.provider.garbles("pay_garbled");
    does(
        &stage,
        "update credit_orders set state = 'under_review' where checkout_id = (
        select max(checkout_id) from credit_orders where state = 'opened')",
    )
    .await;
    let stuck: uuid::Uuid = sqlx::query_scalar("select id from credit_orders where state = 'under_review'")
        .fetch_one(&stage.owner)
        .await
        .unwrap();

    stage.advance(Duration::hours(25));
    let checked = checks(&stage).await;
    let expected: BTreeSet<(String, String)> = [
        ("paid_not_granted", "whop:pay_lost"),
        ("granted_not_paid", "whop:pay_failed"),
        ("granted_not_paid", "whop:pay_gone"),
        ("amount_differs", "whop:pay_other"),
        ("taken_back_differs", "whop:pay_taken"),
        ("unknown_payment", "whop:pay_stray"),
        ("unknown_payment", "whop:pay_garbled"),
        ("order_stuck", &stuck.to_string()),
    ]
    .map(|(kind, subject)| (kind.to_owned(), subject.to_owned()))
    .into();
    assert_eq!(standing(&stage).await, expected);
    assert_eq!((checked.found, checked.new), (8, 8));
    assert_eq!(stage.count("select count(*) from mails where kind = 'break'").await, 8);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_break_keeps_its_age_is_said_once_and_ends_when_it_is_mended(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let facts = order.facts("pay_1", PaymentState::Succeeded);
    stage.provider.knows(&facts);
    stage.advance(Duration::hours(1));
    assert_eq!(checks(&stage).await, Checked { examined: 1, new: 1, found: 1 });
    let first = list(&stage.ctx.db, Which::Standing, 10).await.unwrap().remove(0);
    assert_eq!(first.detail, format!("{} was paid, 5,000 credits are missing", order.price));

    stage.advance(Duration::days(5));
    assert_eq!(checks(&stage).await, Checked { examined: 1, new: 0, found: 1 });
    let again = list(&stage.ctx.db, Which::Standing, 10).await.unwrap().remove(0);
    assert_eq!((again.id, again.first_seen), (first.id, first.first_seen));
    assert_eq!(again.last_seen, stage.ctx.now());
    assert_eq!(stage.count("select count(*) from mails").await, 1);

    stage.delivers(&stage.payment_webhook("evt_late", &facts)).await.unwrap();
    assert_eq!(checks(&stage).await, Checked { examined: 1, new: 0, found: 0 });
    let all = list(&stage.ctx.db, Which::All, 10).await.unwrap();
    assert_eq!((all.len(), all[0].resolved_at), (1, Some(stage.ctx.now())));

    does(&stage, "update payments set taken_credits = 7").await;
    assert_eq!(checks(&stage).await.new, 1);
    does(&stage, "update payments set taken_credits = 0").await;
    assert_eq!(checks(&stage).await.found, 0);
    does(&stage, "update payments set taken_credits = 7").await;
    assert_eq!(checks(&stage).await.new, 1, "what comes back is new");
    assert_eq!(list(&stage.ctx.db, Which::All, 10).await.unwrap().len(), 3);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_provider_that_does_not_answer_changes_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    stage.advance(Duration::hours(1));
    stage.provider.fails(Fault::Unreachable);
    let window = Window { from: stage.ctx.now() - Duration::days(1), to: stage.ctx.now() };
    assert!(matches!(check(&stage.ctx, window).await, Err(Error::Unavailable(_))));
    assert!(standing(&stage).await.is_empty(), "that nothing was listed proves nothing");
}
