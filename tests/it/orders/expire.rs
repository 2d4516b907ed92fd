//! Orders that nobody pays run out; money that comes later is honoured all the same.

use atlas::events::{Failure, Received};
use atlas::orders::FormKey;
use atlas::orders::checkout::start;
use atlas::orders::expire::{OPEN_FOR, expire_old};
use domain::OrderState::{Expired, Paid, Processing, UnderReview};
use domain::{FailureReason, Money, OrderState, PaymentState};
use sqlx::PgPool;
use time::Duration;

use crate::scripted::Fault;
use crate::stage::Stage;

async fn states(stage: &Stage) -> Vec<OrderState> {
    sqlx::query_scalar("select state from credit_orders order by id").fetch_all(&stage.ctx.db).await.unwrap()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn old_orders_expire_unless_money_is_on_its_way(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    for (place, told) in PaymentState::ALL.iter().enumerate() {
        let order = stage.starts_checkout(&ana, "starter").await;
        let facts = order.facts(&format!("pay_{place}"), *told);
        stage.delivers(&stage.payment_webhook(&format!("evt_{place}"), &facts)).await.unwrap();
    }
    let misfit = stage.starts_checkout(&ana, "starter").await;
    let mut facts = misfit.facts("pay_misfit", PaymentState::Succeeded);
    facts.paid = Some(Money::usd(1));
    stage.delivers(&stage.payment_webhook("evt_misfit", &facts)).await.unwrap();
    stage.provider.fails(Fault::Unreachable);
    start(&stage.ctx, &ana, stage.plan("pro").await, FormKey::fresh()).await.unwrap_err();

    stage.advance(OPEN_FOR);
    assert_eq!(expire_old(&stage.ctx).await.unwrap(), 0, "to the second");
    stage.advance(Duration::seconds(1));
    assert_eq!(expire_old(&stage.ctx).await.unwrap(), 4);
    assert_eq!(
        states(&stage).await,
        [Expired, Processing, Processing, Expired, Expired, Paid, UnderReview, Expired],
        "created, confirming, pending, canceled, failed, succeeded, misfit, never opened"
    );
    assert_eq!(expire_old(&stage.ctx).await.unwrap(), 0);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_payment_after_the_time_still_pays(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.advance(OPEN_FOR + Duration::days(3));
    assert_eq!(expire_old(&stage.ctx).await.unwrap(), 1);
    assert_eq!(stage.page(&ana, &order).await.state, OrderState::Expired);

    stage.pays(&order, "pay_1").await;
    assert_eq!((stage.page(&ana, &order).await.state, stage.posted(&ana).await), (OrderState::Paid, 5_000));
    assert_eq!(expire_old(&stage.ctx).await.unwrap(), 0);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn after_its_time_an_order_ends_the_same_whether_the_sweep_or_the_failure_was_first(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    for (place, sweep_first) in [true, false].into_iter().enumerate() {
        let order = stage.starts_checkout(&ana, "starter").await;
        stage.advance(OPEN_FOR + Duration::seconds(1));
        if sweep_first {
            expire_old(&stage.ctx).await.unwrap();
        }
        for state in [PaymentState::Pending, PaymentState::Failed] {
            let mut facts = order.facts(&format!("pay_{place}"), state);
            if state == PaymentState::Failed {
                facts.failure = Some(Failure { reason: FailureReason::Declined, message: None });
            }
            let webhook = stage.payment_webhook(&format!("evt_{place}_{state}"), &facts);
            assert_eq!(stage.delivers(&webhook).await.unwrap(), Received::Applied);
        }
        let page = stage.page(&ana, &order).await;
        assert_eq!((page.state, page.failure), (OrderState::Expired, None), "sweep first: {sweep_first}");
    }
}
