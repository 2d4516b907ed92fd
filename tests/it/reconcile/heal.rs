//! An incident window: what a lost webhook left is proposed and put right, and only that.

use atlas::Error;
use atlas::events::Fact;
use atlas::providers::Window;
use atlas::reconcile::BreakKind;
use atlas::reconcile::check::daily;
use atlas::reconcile::heal::{Proposals, apply, propose};
use domain::{DisputeState, Money, OrderState, PaymentState, RefundState};
use sqlx::PgPool;
use time::Duration;

use crate::scripted::Fault;
use crate::stage::{Stage, dispute, refund};

async fn proposals(stage: &Stage) -> Proposals {
    let now = stage.ctx.now();
    propose(&stage.ctx, Window { from: now - Duration::days(1), to: now + Duration::hours(1) }).await.unwrap()
}

fn kinds(proposals: &Proposals) -> Vec<BreakKind> {
    proposals.healable.iter().flat_map(|suspect| &suspect.findings).map(|finding| finding.kind).collect()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_lost_payment_is_proposed_applied_on_demand_and_then_over(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let (lost, fine) = (stage.starts_checkout(&ana, "starter").await, stage.starts_checkout(&ana, "starter").await);
    stage.provider.knows(&lost.facts("pay_lost", PaymentState::Succeeded));
    stage.provider.knows(&stage.pays(&fine, "pay_fine").await);
    let found = proposals(&stage).await;
    assert_eq!((found.examined, kinds(&found)), (2, vec![BreakKind::PaidNotGranted]));
    assert_eq!(found.healable[0].findings[0].order, Some(lost.id));
    assert_eq!(stage.posted(&ana).await, 5_000, "proposing changes nothing");

    for _ in 0..2 {
        apply(&stage.ctx, &found.healable[..1]).await.unwrap();
        assert_eq!((stage.page(&ana, &lost).await.state, stage.posted(&ana).await), (OrderState::Paid, 10_000));
    }
    let left = proposals(&stage).await;
    assert!(left.healable.is_empty() && left.others.is_empty());
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn lost_refunds_and_disputes_are_taken_in(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let mut facts = Vec::new();
    for payment in ["pay_refunded", "pay_disputed"] {
        let order = stage.starts_checkout(&ana, "starter").await;
        facts.push(stage.pays(&order, payment).await);
    }
    let price = facts[0].charged.unwrap().minor;
    facts[0].refunded = Some(Money::usd(price));
    facts[1].disputed = true;
    for facts in &facts {
        stage.provider.knows(facts);
    }
    stage.provider.knows_reversal(Fact::Refund(refund("rfnd_1", "pay_refunded", price, RefundState::Succeeded)));
    stage.provider.knows_reversal(Fact::Dispute(dispute("dspt_1", "pay_disputed", DisputeState::Open)));

    let found = proposals(&stage).await;
    assert_eq!(kinds(&found), [BreakKind::RefundMissing, BreakKind::DisputeMissing]);
    for suspect in &found.healable {
        apply(&stage.ctx, std::slice::from_ref(suspect)).await.unwrap();
    }
    let balance = stage.balance(&ana).await;
    assert_eq!((balance.posted.get(), balance.held.get()), (5_000, 5_000), "one taken back, one held");
    assert!(proposals(&stage).await.healable.is_empty());
    stage.advance(Duration::hours(1));
    assert_eq!(daily(&stage.ctx).await.unwrap().found, 0);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_lost_refund_of_a_payment_that_is_older_than_the_window_is_found(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let price = stage.pays(&order, "pay_old").await.charged.unwrap().minor;
    stage.advance(Duration::days(90));
    for payment in ["pay_old", "pay_of_somebody_else"] {
        let refund = refund(&format!("rfnd_{payment}"), payment, price, RefundState::Succeeded);
        stage.provider.knows_reversal(Fact::Refund(refund));
    }
    assert_eq!(daily(&stage.ctx).await.unwrap().new, 1);
    let found = proposals(&stage).await;
    assert_eq!((found.examined, kinds(&found)), (0, vec![BreakKind::RefundMissing]));
    assert_eq!(stage.posted(&ana).await, 5_000);
    apply(&stage.ctx, &found.healable[..1]).await.unwrap();
    assert_eq!(stage.posted(&ana).await, 0);
    assert_eq!(daily(&stage.ctx).await.unwrap().found, 0);
    assert_eq!(stage.count("select count(*) from reconciliation_breaks where resolved_at is not null").await, 1);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_lost_refund_is_taken_in_though_its_payment_needs_a_person(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let mut facts = stage.pays(&order, "pay_1").await;
    let price = facts.charged.unwrap().minor;
    facts.state = PaymentState::Failed;
    stage.provider.knows(&facts);
    stage.provider.knows_reversal(Fact::Refund(refund("rfnd_1", "pay_1", price, RefundState::Succeeded)));
    let found = proposals(&stage).await;
    assert_eq!(kinds(&found), [BreakKind::RefundMissing]);
    assert_eq!(found.others[0].findings[0].kind, BreakKind::GrantedNotPaid);
    apply(&stage.ctx, &found.healable).await.unwrap();
    assert_eq!(stage.posted(&ana).await, 0);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_settling_does_not_mend_is_left_to_a_person(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let mut facts = order.facts("pay_1", PaymentState::Succeeded);
    facts.paid = Some(Money::usd(1));
    stage.provider.knows(&facts);
    stage.provider.garbles("pay_garbled");
    let found = proposals(&stage).await;
    assert_eq!(kinds(&found), [BreakKind::AmountDiffers], "we never heard of it");
    apply(&stage.ctx, &found.healable).await.unwrap();
    assert_eq!(stage.count("select count(*) from credit_orders where state = 'under_review'").await, 1);
    let found = proposals(&stage).await;
    assert_eq!((found.healable.len(), found.others.len()), (0, 2), "it is known, and waits for a person");
    let garbled = found.others.iter().find(|suspect| suspect.payment_id == "pay_garbled").unwrap();
    assert!(matches!(apply(&stage.ctx, std::slice::from_ref(garbled)).await, Err(Error::NotFound)));
    assert_eq!(stage.posted(&ana).await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_provider_that_is_away_is_said_to_be(pool: PgPool) {
    let stage = Stage::new(pool).await;
    stage.provider.fails(Fault::Unreachable);
    let now = stage.ctx.now();
    let window = Window { from: now - Duration::days(1), to: now };
    assert!(matches!(propose(&stage.ctx, window).await, Err(Error::Unavailable(_))));
}
