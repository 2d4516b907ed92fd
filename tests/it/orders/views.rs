//! What a buyer sees of orders: their own in full, those of others as little as those that never were.

use std::collections::BTreeSet;

use atlas::Error;
use atlas::events::Failure;
use atlas::orders::page::{load, version};
use atlas::orders::receipt::receipt;
use atlas::orders::{FormKey, list, request};
use domain::{FailureReason, Money, OrderId, OrderState, PaymentState, Provider};
use sqlx::PgPool;

use crate::stage::Stage;

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_order_of_somebody_else_is_as_unknown_as_none(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    let db = &stage.ctx.db;
    for id in [order.id, OrderId::from_uuid(atlas::ids::fresh())] {
        let answers = [
            load(db, &ben, id).await.map(|_| ()),
            version(db, ben.id(), id).await.map(|_| ()),
            receipt(db, &ben, id).await.map(|_| ()),
        ];
        for answer in answers {
            assert!(matches!(answer, Err(Error::NotFound)), "{answer:?}");
        }
    }
    assert!(version(db, ana.id(), order.id).await.is_ok());
    assert!(list::unfinished(db, &ben).await.unwrap().is_empty());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_paid_order_shows_its_grant_and_its_receipt_the_payment(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    assert!(matches!(receipt(&stage.ctx.db, &ana, order.id).await, Err(Error::NotFound)), "not before it is paid");
    let mut facts = order.facts("pay_1", PaymentState::Succeeded);
    facts.method = Some("visa •••• 4242".to_owned());
    facts.paid_at = Some(stage.ctx.now());
    stage.delivers(&stage.payment_webhook("evt_1", &facts)).await.unwrap();

    let page = stage.page(&ana, &order).await;
    assert_eq!((page.state, page.available.get(), page.settled_at), (OrderState::Paid, 5_000, Some(stage.ctx.now())));
    assert!(page.transaction.is_some());
    let receipt = receipt(&stage.ctx.db, &ana, order.id).await.unwrap();
    assert_eq!(
        (receipt.plan_name.as_str(), receipt.credits.get(), receipt.provider),
        ("Starter", 5_000, Provider::Whop)
    );
    assert_eq!((receipt.payments.len(), receipt.credited_at), (1, stage.ctx.now()));
    let payment = &receipt.payments[0];
    assert_eq!((payment.id.as_str(), payment.amount, payment.paid_at), ("pay_1", Money::usd(750), facts.paid_at));
    assert_eq!(payment.method.as_deref(), Some("visa •••• 4242"));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_version_tells_a_waiting_page_of_each_change(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let mut seen = vec![version(&stage.ctx.db, ana.id(), order.id).await.unwrap()];
    for state in [PaymentState::Pending, PaymentState::Failed, PaymentState::Succeeded] {
        let facts = order.facts("pay_1", state);
        stage.delivers(&stage.payment_webhook(&format!("evt_{state}"), &facts)).await.unwrap();
        let now = version(&stage.ctx.db, ana.id(), order.id).await.unwrap();
        assert_eq!(now.0, stage.page(&ana, &order).await.version, "the page knows the same");
        seen.push(now);
    }
    let states: Vec<OrderState> = seen.iter().map(|(_, state)| *state).collect();
    assert_eq!(states, [OrderState::Opened, OrderState::Processing, OrderState::Failed, OrderState::Paid]);
    let versions: BTreeSet<&String> = seen.iter().map(|(version, _)| version).collect();
    assert_eq!(versions.len(), 4, "also within one second");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_order_paid_twice_lists_both_payments(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    stage.pays(&order, "pay_2").await;
    assert_eq!(stage.posted(&ana).await, 10_000, "each payment is worth what it paid for");
    let receipt = receipt(&stage.ctx.db, &ana, order.id).await.unwrap();
    let ids: Vec<_> = receipt.payments.iter().map(|payment| payment.id.as_str()).collect();
    assert_eq!(ids, ["pay_1", "pay_2"]);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_failure_is_shown_with_the_sentence_that_belongs_to_it(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let tell = async |event: &str, payment: &str, state, failure: Option<(FailureReason, Option<&str>)>| {
        let mut facts = order.facts(payment, state);
        facts.failure = failure.map(|(reason, message)| Failure { reason, message: message.map(str::to_owned) });
        stage.delivers(&stage.payment_webhook(event, &facts)).await.unwrap();
        let page = stage.page(&ana, &order).await;
        assert_eq!(page.state, OrderState::Failed);
        (page.failure.unwrap(), page.failure_message)
    };
    let declined = Some((FailureReason::Declined, Some("Do not honor.")));
    let first = tell("evt_1", "pay_1", PaymentState::Failed, declined).await;
    assert_eq!(first, (FailureReason::Declined, Some("Do not honor.".to_owned())));
    let late = tell("evt_2", "pay_1", PaymentState::Canceled, Some((FailureReason::Canceled, None))).await;
    assert_eq!(late, first, "an earlier state of the payment, told late, explains nothing");
    let silent = tell("evt_3", "pay_2", PaymentState::Created, None).await;
    assert_eq!(silent, first);
    let second = tell("evt_4", "pay_2", PaymentState::Failed, Some((FailureReason::InsufficientFunds, None))).await;
    assert_eq!(second, (FailureReason::InsufficientFunds, None), "the old sentence belongs to the old reason");
    let unexplained = stage.starts_checkout(&ana, "starter").await;
    stage.delivers(&stage.payment_webhook("evt_5", &unexplained.facts("pay_3", PaymentState::Failed))).await.unwrap();
    assert_eq!(stage.page(&ana, &unexplained).await.failure, Some(FailureReason::Declined));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_overview_lists_the_five_newest_that_wait_for_something(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let pending = stage.starts_checkout(&ana, "starter").await;
    stage.delivers(&stage.payment_webhook("evt_1", &pending.facts("pay_1", PaymentState::Pending))).await.unwrap();
    stage.starts_checkout(&ana, "pro").await;
    let unfinished = list::unfinished(&stage.ctx.db, &ana).await.unwrap();
    assert_eq!(
        unfinished.iter().map(|listed| listed.id).collect::<Vec<_>>(),
        [pending.id],
        "a mere checkout is left out"
    );
    for _ in 0..6 {
        let (plan, note) = (stage.plan("enterprise").await, request::Note::parse("note", "").unwrap());
        request::submit(&stage.ctx, &ana, plan, note, FormKey::fresh()).await.unwrap();
    }
    let unfinished = list::unfinished(&stage.ctx.db, &ana).await.unwrap();
    assert_eq!(unfinished.len(), 5);
    assert!(unfinished.iter().all(|listed| listed.state == OrderState::Requested));
    let all = list::newest(&stage.ctx.db, 100).await.unwrap();
    assert_eq!((all.len(), all[7].id), (8, pending.id));
    assert_eq!(list::newest(&stage.ctx.db, 3).await.unwrap().len(), 3);
}
