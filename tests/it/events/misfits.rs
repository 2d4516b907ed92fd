//! Authentic, but it does not fit: kept with the reason, nothing granted, and a person may replay it.

use atlas::events::replay::replay;
use atlas::events::{Content, Fact, PaymentFacts, Received, inbox};
use domain::{Money, OrderId, OrderState, PaymentState};
use sqlx::PgPool;

use crate::stage::{Ordered, Stage};

async fn quarantined(stage: &Stage, event: &str, facts: &PaymentFacts) -> &'static str {
    match stage.delivers(&stage.payment_webhook(event, facts)).await.unwrap() {
        Received::Quarantined(reason) => reason,
        other => panic!("{event}: {other:?}"),
    }
}

fn paid(order: &Ordered, payment: &str) -> PaymentFacts {
    order.facts(payment, PaymentState::Succeeded)
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_not_ours_is_quarantined_and_touches_no_order(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let order = stage.starts_checkout(&ana, "starter").await;
    let of_ben = stage.starts_checkout(&ben, "starter").await;
    let cases = [
        ("foreign_account", PaymentFacts { account: Some("biz_other".into()), ..paid(&order, "pay_1") }),
        ("foreign_account", PaymentFacts { account: None, ..paid(&order, "pay_2") }),
        ("unknown_order", PaymentFacts { checkout_id: Some("ch_unknown".into()), ..paid(&order, "pay_3") }),
        ("unknown_order", PaymentFacts { checkout_id: None, ..paid(&order, "pay_4") }),
        ("order_mismatch", PaymentFacts { order_hint: Some(of_ben.id), ..paid(&order, "pay_5") }),
        (
            "order_mismatch",
            PaymentFacts { order_hint: Some(OrderId::from_uuid(atlas::ids::fresh())), ..paid(&order, "pay_6") },
        ),
        ("order_mismatch", PaymentFacts { checkout_id: Some(of_ben.checkout_id.clone()), ..paid(&order, "pay_7") }),
    ];
    for (place, (reason, facts)) in cases.iter().enumerate() {
        assert_eq!(quarantined(&stage, &format!("evt_{place}"), facts).await, *reason, "{facts:?}");
    }
    let kept = inbox::newest(&stage.ctx.db, Some("quarantined"), 100).await.unwrap();
    let reasons: Vec<_> = kept.iter().rev().map(|kept| kept.reason.as_deref().unwrap()).collect();
    assert_eq!(reasons, cases.map(|(reason, _)| reason));
    assert_eq!(stage.count("select count(*) from payments").await, 0);
    for (person, order) in [(&ana, &order), (&ben, &of_ben)] {
        assert_eq!((stage.page(person, order).await.state, stage.posted(person).await), (OrderState::Opened, 0));
    }
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_payment_without_a_hint_is_found_by_its_checkout(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let facts = PaymentFacts { order_hint: None, ..paid(&order, "pay_1") };
    assert_eq!(stage.delivers(&stage.payment_webhook("evt_1", &facts)).await.unwrap(), Received::Applied);
    assert_eq!(stage.posted(&ana).await, 5_000);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn another_amount_or_currency_grants_nothing_and_waits_for_a_person(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let amounts = [
        Some(Money::usd(749)),
        Some(Money::usd(751)),
        Some(Money::usd(0)),
        Some(Money::usd(75_000)),
        Some(Money::new(750, "eur".parse().unwrap())),
        Some(Money::new(750, "jpy".parse().unwrap())),
        None,
    ];
    for (place, amount) in amounts.into_iter().enumerate() {
        let order = stage.starts_checkout(&ana, "starter").await;
        let facts = PaymentFacts { paid: amount, ..paid(&order, &format!("pay_{place}")) };
        assert_eq!(quarantined(&stage, &format!("evt_{place}"), &facts).await, "amount_mismatch", "{amount:?}");
        assert_eq!(stage.page(&ana, &order).await.state, OrderState::UnderReview);
    }
    assert_eq!((stage.posted(&ana).await, stage.count("select count(*) from credit_transactions").await), (0, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_right_amount_told_later_still_pays_and_a_wrong_one_after_it_changes_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let wrong = PaymentFacts { paid: Some(Money::usd(1)), ..paid(&order, "pay_1") };
    assert_eq!(quarantined(&stage, "evt_1", &wrong).await, "amount_mismatch");
    assert_eq!(
        stage.delivers(&stage.payment_webhook("evt_2", &paid(&order, "pay_1"))).await.unwrap(),
        Received::Applied
    );
    stage.delivers(&stage.payment_webhook("evt_3", &wrong)).await.unwrap();
    assert_eq!((stage.page(&ana, &order).await.state, stage.posted(&ana).await), (OrderState::Paid, 5_000));
    let amount: i64 = sqlx::query_scalar("select amount_minor from payments").fetch_one(&stage.ctx.db).await.unwrap();
    assert_eq!(amount, 750, "what was granted for stands");
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_unreadable_event_is_kept_and_applies_once_it_can_be_read(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let webhook = stage.webhook("evt_1", "payment.succeeded", Content::Unreadable("unknown_status"));
    assert_eq!(stage.delivers(&webhook).await.unwrap(), Received::Quarantined("unknown_status"));
    let event = inbox::newest(&stage.ctx.db, None, 1).await.unwrap()[0].id;
    assert_eq!(replay(&stage.ctx, event).await.unwrap(), Received::Quarantined("unknown_status"), "still unreadable");

    stage.provider.says(&webhook.body, "payment.succeeded", Content::Fact(Fact::Payment(paid(&order, "pay_1"))));
    assert_eq!(replay(&stage.ctx, event).await.unwrap(), Received::Applied);
    assert_eq!(replay(&stage.ctx, event).await.unwrap(), Received::Duplicate);
    assert_eq!(stage.posted(&ana).await, 5_000);
    let kept = &inbox::newest(&stage.ctx.db, None, 1).await.unwrap()[0];
    assert_eq!((kept.state.as_str(), kept.reason.as_deref(), kept.order), ("applied", None, Some(order.id)));
    assert_eq!(stage.count("select attempts::bigint from provider_events").await, 3);
    stage.audits_clean().await;
}
