//! A payment that names no order of ours, linked to one by an admin who knows: only where it fits, and once.

use atlas::audit::{Origin, Reason};
use atlas::events::link::link;
use atlas::events::{PaymentFacts, Received};
use atlas::{Error, Refusal, Result, ids};
use domain::{EventId, Money, OrderId, OrderState, PaymentState, RefundState};
use sqlx::PgPool;

use crate::stage::boss::{Boss, admin};
use crate::stage::{Ordered, Stage, refund, refusal};

/// What the provider says of a payment through a checkout that nobody here knows.
fn stray(order: &Ordered, payment: &str) -> PaymentFacts {
    let facts = order.facts(payment, PaymentState::Succeeded);
    PaymentFacts { checkout_id: Some("ch_elsewhere".to_owned()), order_hint: None, ..facts }
}

async fn quarantined(stage: &Stage, facts: &PaymentFacts) -> EventId {
    let name = format!("evt_{}", facts.payment_id);
    let received = stage.delivers(&stage.payment_webhook(&name, facts)).await.unwrap();
    assert!(matches!(received, Received::Quarantined(_)), "{received:?}");
    sqlx::query_scalar("select id from provider_events where event_id = $1")
        .bind(name)
        .fetch_one(&stage.owner)
        .await
        .unwrap()
}

async fn links(stage: &Stage, Boss(admin, fresh): &Boss, event: EventId, order: OrderId) -> Result<()> {
    let why = Reason::parse("reason", "The buyer sent us the receipt").unwrap();
    link(&stage.ctx, admin, fresh, &Origin::NONE, event, order, &why).await
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_linked_payment_pays_its_order_once_and_can_be_refunded(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    let order = stage.starts_checkout(&ana, "starter").await;
    let event = quarantined(&stage, &stray(&order, "pay_1")).await;
    links(&stage, &boss, event, order.id).await.unwrap();
    assert_eq!((stage.page(&ana, &order).await.state, stage.posted(&ana).await), (OrderState::Paid, 5_000));
    assert_eq!(refusal(links(&stage, &boss, event, order.id).await), Refusal::EventIsSettled);
    assert_eq!(stage.posted(&ana).await, 5_000);
    let noted = "select count(*) from audit_entries where deed = 'event_linked' and change->>'payment' = 'pay_1'
        and why = 'The buyer sent us the receipt'";
    assert_eq!(stage.count(noted).await, 1);
    let again = stage.payment_webhook(
        "evt_again",
        &PaymentFacts { order_hint: Some(OrderId::from_uuid(ids::fresh())), ..stray(&order, "pay_1") },
    );
    assert_eq!(stage.delivers(&again).await.unwrap(), Received::Applied, "it is known by now whose it is");
    let strange = stage.payment_webhook("evt_strange", &stray(&order, "pay_2"));
    assert!(matches!(stage.delivers(&strange).await.unwrap(), Received::Quarantined(_)), "another payment is not");
    assert_eq!(stage.posted(&ana).await, 5_000);
    let back = refund("rf_1", "pay_1", order.price.minor, RefundState::Succeeded);
    assert_eq!(stage.delivers(&stage.refund_webhook("evt_refund", &back)).await.unwrap(), Received::Applied);
    assert_eq!(stage.posted(&ana).await, 0);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_does_not_fit_is_refused_with_its_reason_and_changes_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben, boss) = (stage.buyer("ana").await, stage.buyer("ben").await, admin(&stage, "boss").await);
    let order = stage.starts_checkout(&ana, "starter").await;
    let other = stage.starts_checkout(&ben, "starter").await;
    let fits = stray(&order, "pay_0");
    let cases = [
        (PaymentFacts { paid: Some(Money::usd(749)), ..stray(&order, "pay_1") }, Refusal::PaymentDoesNotFit),
        (
            PaymentFacts { paid: Some(Money::new(750, "eur".parse().unwrap())), ..stray(&order, "pay_2") },
            Refusal::PaymentDoesNotFit,
        ),
        (PaymentFacts { account: Some("biz_other".to_owned()), ..stray(&order, "pay_3") }, Refusal::PaymentIsNotOurs),
        (PaymentFacts { account: None, ..stray(&order, "pay_4") }, Refusal::PaymentIsNotOurs),
        (PaymentFacts { order_hint: Some(other.id), ..stray(&order, "pay_5") }, Refusal::PaymentNamesAnOrder),
        (PaymentFacts { state: PaymentState::Pending, paid: None, ..stray(&order, "pay_6") }, Refusal::NothingToLink),
        // Its checkout is known, and is another order's.
        (
            PaymentFacts {
                checkout_id: Some(other.checkout_id.clone()),
                order_hint: Some(order.id),
                ..stray(&order, "pay_7")
            },
            Refusal::NothingToLink,
        ),
    ];
    for (facts, why) in cases {
        let event = quarantined(&stage, &facts).await;
        assert_eq!(refusal(links(&stage, &boss, event, order.id).await), why, "{facts:?}");
    }
    let event = quarantined(&stage, &fits).await;
    let nothing = OrderId::from_uuid(ids::fresh());
    assert!(matches!(links(&stage, &boss, event, nothing).await, Err(Error::NotFound)));
    let no_event = EventId::from_uuid(ids::fresh());
    assert!(matches!(links(&stage, &boss, no_event, order.id).await, Err(Error::NotFound)));
    // Somebody else's by now: a later event named its order.
    let told = other.facts("pay_0", PaymentState::Succeeded);
    assert_eq!(stage.delivers(&stage.payment_webhook("evt_told", &told)).await.unwrap(), Received::Applied);
    assert_eq!(refusal(links(&stage, &boss, event, order.id).await), Refusal::PaymentDoesNotFit);
    assert_eq!((stage.posted(&ana).await, stage.posted(&ben).await), (0, 5_000));
    assert_eq!(stage.count("select count(*) from audit_entries where deed = 'event_linked'").await, 0);
    stage.audits_clean().await;
}
