//! Asking the provider ourselves: heals what a late or lost webhook left open, and never more than that.

use atlas::Error;
use atlas::events::Fact;
use atlas::orders::settle::ask::{ASK_EVERY, ask};
use domain::{FailureReason, Money, OrderState, PaymentState, RefundState};
use futures::FutureExt;
use futures::future::join_all;
use sqlx::PgPool;
use time::Duration;

use crate::scripted::Fault;
use crate::stage::{Stage, refund};

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_lost_webhook_is_healed_by_asking_and_a_late_one_grants_no_more(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    ask(&stage.ctx, order.id, None).await.unwrap();
    assert_eq!(stage.page(&ana, &order).await.state, OrderState::Opened, "nothing was paid yet");

    let facts = order.facts("pay_1", PaymentState::Succeeded);
    stage.provider.knows(&facts);
    stage.advance(ASK_EVERY);
    ask(&stage.ctx, order.id, None).await.unwrap();
    assert_eq!((stage.page(&ana, &order).await.state, stage.posted(&ana).await), (OrderState::Paid, 5_000));

    stage.delivers(&stage.payment_webhook("evt_late", &facts)).await.unwrap();
    stage.advance(ASK_EVERY);
    ask(&stage.ctx, order.id, None).await.unwrap();
    assert_eq!(stage.posted(&ana).await, 5_000);
    assert_eq!(stage.provider.queries().len(), 2, "a paid order needs no asking");
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn however_many_ask_the_provider_is_asked_once_in_three_seconds(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    for answer in join_all((0..20).map(|_| ask(&stage.ctx, order.id, None))).await {
        answer.unwrap();
    }
    assert_eq!(stage.provider.queries().len(), 1);
    stage.advance(ASK_EVERY - Duration::seconds(1));
    ask(&stage.ctx, order.id, None).await.unwrap();
    assert_eq!(stage.provider.queries().len(), 1);
    stage.advance(Duration::seconds(1));
    ask(&stage.ctx, order.id, None).await.unwrap();
    let queries = stage.provider.queries();
    assert_eq!(queries.len(), 2);
    assert_eq!(queries[0].checkout_id, order.checkout_id);
    assert_eq!(queries[0].plan_id, Some(order.checkout_id.replace("ch_", "plan_")));
    assert!(queries[0].created_after < stage.page(&ana, &order).await.created_at);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_provider_that_fails_leaves_the_order_as_it_was(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.provider.knows(&order.facts("pay_1", PaymentState::Succeeded));
    for fault in Fault::ALL {
        stage.provider.fails(fault);
        let answer = ask(&stage.ctx, order.id, None).await;
        match fault {
            Fault::Unreachable | Fault::AnswerLost | Fault::SameCheckout => {
                assert!(matches!(answer, Err(Error::Unavailable(_))), "{fault:?}: {answer:?}");
            }
            Fault::Unreadable | Fault::Misconfigured => assert!(matches!(answer, Err(Error::Broken(_))), "{fault:?}"),
            Fault::NotFound => assert!(answer.is_ok(), "right after a checkout it may know nothing of it"),
        }
        assert_eq!(stage.page(&ana, &order).await.state, OrderState::Opened, "{fault:?}");
        stage.advance(ASK_EVERY);
    }
    stage.provider.recovers();
    ask(&stage.ctx, order.id, None).await.unwrap();
    assert_eq!(stage.page(&ana, &order).await.state, OrderState::Paid);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_hint_of_a_payment_that_is_not_this_orders_changes_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let of_ana = stage.starts_checkout(&ana, "starter").await;
    let of_ben = stage.starts_checkout(&ben, "starter").await;
    stage.provider.knows(&of_ben.facts("pay_ben", PaymentState::Succeeded));
    let mut to_another = of_ana.facts("pay_elsewhere", PaymentState::Succeeded);
    to_another.account = Some("biz_other".to_owned());
    stage.provider.knows(&to_another);

    for hint in ["pay_ben", "pay_elsewhere", "pay_unknown", "", "../../x\0"] {
        ask(&stage.ctx, of_ana.id, Some(hint.to_owned())).await.unwrap();
        assert_eq!(stage.provider.queries().pop().unwrap().payment_hint.as_deref(), Some(hint));
        stage.advance(ASK_EVERY);
    }
    assert_eq!(stage.page(&ana, &of_ana).await.state, OrderState::Opened);
    assert_eq!(
        stage.page(&ben, &of_ben).await.state,
        OrderState::Opened,
        "it was not ben's order that was asked about"
    );
    assert_eq!(stage.count("select count(*) from payments").await, 0);
    assert_eq!((stage.posted(&ana).await, stage.posted(&ben).await), (0, 0));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn all_payments_of_an_order_are_taken_in(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let mut declined = order.facts("pay_1", PaymentState::Failed);
    declined.failure =
        Some(atlas::events::Failure { reason: FailureReason::ExpiredCard, message: Some("Expired.".into()) });
    stage.provider.knows(&declined);
    ask(&stage.ctx, order.id, None).await.unwrap();
    let page = stage.page(&ana, &order).await;
    assert_eq!((page.state, page.failure), (OrderState::Failed, Some(FailureReason::ExpiredCard)));
    assert_eq!(page.failure_message.as_deref(), Some("Expired."));

    stage.provider.knows(&order.facts("pay_2", PaymentState::Succeeded));
    stage.provider.knows(&order.facts("pay_3", PaymentState::Pending));
    stage.advance(ASK_EVERY);
    ask(&stage.ctx, order.id, None).await.unwrap();
    let page = stage.page(&ana, &order).await;
    assert_eq!((page.state, page.failure, page.failure_message), (OrderState::Paid, None, None));
    assert_eq!(stage.count("select count(*) from payments").await, 3);
    assert_eq!(stage.posted(&ana).await, 5_000);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_amount_that_does_not_fit_puts_the_order_under_review(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let mut facts = order.facts("pay_1", PaymentState::Succeeded);
    facts.paid = Some(Money::usd(75));
    stage.provider.knows(&facts);
    ask(&stage.ctx, order.id, None).await.unwrap();
    assert_eq!((stage.page(&ana, &order).await.state, stage.posted(&ana).await), (OrderState::UnderReview, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_asks_and_hangs_up_still_settles_the_order(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.provider.knows(&order.facts("pay_1", PaymentState::Succeeded));
    stage.provider.hangs();
    let mut asking = Box::pin(ask(&stage.ctx, order.id, None));
    while stage.provider.queries().is_empty() {
        assert!((&mut asking).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    drop(asking);
    stage.provider.answers();
    stage.until("select count(*) from credit_orders where state = 'paid'", 1).await;
    assert_eq!(stage.posted(&ana).await, 5_000);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_refund_that_was_called_off_unheard_holds_nothing_once_its_payment_is_asked_for(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let told = refund("rf_1", "pay_1", 250, RefundState::Pending);
    stage.delivers(&stage.refund_webhook("evt_r", &told)).await.unwrap();
    stage.provider.knows(&order.facts("pay_1", PaymentState::Succeeded));
    stage.provider.knows_reversal(Fact::Refund(refund("rf_1", "pay_1", 250, RefundState::Failed)));
    ask(&stage.ctx, order.id, None).await.unwrap();
    let balance = stage.balance(&ana).await;
    assert_eq!((balance.posted.get(), balance.held.get()), (5_000, 0));
    stage.audits_clean().await;
}
