//! Refunds and disputes: whatever their order, their parts and their repetitions, the credits end where the money did.

use atlas::events::{Fact, PaymentFacts, Received, inbox, receive_batch};
use atlas::ledger::balance::Balance;
use atlas::orders::settle::ask::{ASK_EVERY, ask};
use domain::{Credits, DisputeState, Money, OrderState, PaymentState, RefundState};
use futures::future::join_all;
use sqlx::PgPool;

use crate::stage::{Ordered, Stage, Webhook, dispute, promo, refund, spend_of};

const fn wallet(posted: i64, held: i64, debt: i64) -> Balance {
    Balance { posted: Credits::new(posted), held: Credits::new(held), debt: Credits::new(debt) }
}

async fn told(stage: &Stage, webhook: Webhook) -> Received {
    stage.delivers(&webhook).await.unwrap()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn partial_refunds_take_their_share_and_the_last_one_the_rest(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    for (place, (cents, left)) in [(250, 3_334), (250, 1_667), (250, 0)].into_iter().enumerate() {
        let id = format!("rf_{place}");
        let pending = stage.refund_webhook(&format!("{id}_a"), &refund(&id, "pay_1", cents, RefundState::Pending));
        assert_eq!(told(&stage, pending).await, Received::Applied);
        let balance = stage.balance(&ana).await;
        assert_eq!(balance.posted.get() - balance.held.get(), left, "held while it is under way");
        let webhook = stage.refund_webhook(&format!("{id}_b"), &refund(&id, "pay_1", cents, RefundState::Succeeded));
        assert_eq!(told(&stage, webhook.clone()).await, Received::Applied);
        assert_eq!(told(&stage, webhook).await, Received::Duplicate);
        assert_eq!(stage.balance(&ana).await, wallet(left, 0, 0));
        stage.audits_clean().await;
    }
    assert_eq!(stage.count("select refunded_minor from payments").await, 750);
    assert_eq!(stage.page(&ana, &order).await.state, OrderState::Paid);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_refund_after_the_credits_were_spent_is_owed_and_the_next_purchase_repays_it(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    stage.spends(&spend_of(&ana, 4_000)).await.unwrap();
    let webhook = stage.refund_webhook("evt_r", &refund("rf_1", "pay_1", 750, RefundState::Succeeded));
    assert_eq!(told(&stage, webhook).await, Received::Applied);
    assert_eq!(stage.balance(&ana).await, wallet(0, 0, 4_000));
    assert!(stage.spends(&spend_of(&ana, 1)).await.is_err(), "nothing is spent while credits are owed");
    stage.audits_clean().await;

    let next = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&next, "pay_2").await;
    assert_eq!(stage.balance(&ana).await, wallet(1_000, 0, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_refund_takes_other_credits_when_its_own_are_gone(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    stage.spends(&spend_of(&ana, 5_000)).await.unwrap();
    stage.grants(&promo(&ana, 3_000)).await.unwrap();
    told(&stage, stage.refund_webhook("evt_r", &refund("rf_1", "pay_1", 750, RefundState::Succeeded))).await;
    assert_eq!(stage.balance(&ana).await, wallet(0, 0, 2_000));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_dispute_holds_what_is_unspent_until_it_is_won_or_lost(pool: PgPool) {
    let stage = Stage::new(pool).await;
    for (end, balance) in [
        (DisputeState::Won, wallet(4_000, 0, 0)),
        (DisputeState::Prevented, wallet(4_000, 0, 0)),
        (DisputeState::InquiryClosed, wallet(4_000, 4_000, 0)),
        (DisputeState::Lost, wallet(0, 0, 1_000)),
    ] {
        let ana = stage.buyer(&format!("ana-{end}")).await;
        let order = stage.starts_checkout(&ana, "starter").await;
        let pay = format!("pay_{end}");
        stage.pays(&order, &pay).await;
        stage.spends(&spend_of(&ana, 1_000)).await.unwrap();
        for state in [DisputeState::Inquiry, DisputeState::Open] {
            let webhook =
                stage.dispute_webhook(&format!("evt_{end}_{state}"), &dispute(&format!("dp_{end}"), &pay, state));
            assert_eq!(told(&stage, webhook).await, Received::Applied);
            assert_eq!(stage.balance(&ana).await, wallet(4_000, 4_000, 0));
            assert!(stage.spends(&spend_of(&ana, 1)).await.is_err());
        }
        told(&stage, stage.dispute_webhook(&format!("evt_{end}_end"), &dispute(&format!("dp_{end}"), &pay, end))).await;
        assert_eq!(stage.balance(&ana).await, balance, "{end}");
        stage.audits_clean().await;
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_refund_told_as_failed_after_all_gives_the_credits_back(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    stage.spends(&spend_of(&ana, 4_000)).await.unwrap();
    told(&stage, stage.refund_webhook("evt_1", &refund("rf_1", "pay_1", 750, RefundState::Succeeded))).await;
    assert_eq!(stage.balance(&ana).await, wallet(0, 0, 4_000));
    told(&stage, stage.refund_webhook("evt_2", &refund("rf_1", "pay_1", 750, RefundState::Failed))).await;
    assert_eq!(stage.balance(&ana).await, wallet(1_000, 0, 0));
    stage.audits_clean().await;
    // And a real refund after it counts whole: what was given back is netted.
    told(&stage, stage.refund_webhook("evt_3", &refund("rf_2", "pay_1", 750, RefundState::Succeeded))).await;
    assert_eq!(stage.balance(&ana).await, wallet(0, 0, 4_000));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_refund_told_before_its_payment_waits_for_it(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let early = stage.refund_webhook("evt_r", &refund("rf_1", "pay_1", 250, RefundState::Succeeded));
    assert_eq!(told(&stage, early.clone()).await, Received::Waiting);
    assert_eq!(told(&stage, early).await, Received::Duplicate);
    assert_eq!(inbox::newest(&stage.ctx.db, Some("waiting"), 10).await.unwrap().len(), 1);
    stage.pays(&order, "pay_1").await;
    assert_eq!(stage.balance(&ana).await, wallet(3_334, 0, 0));
    let kept = inbox::newest(&stage.ctx.db, Some("applied"), 10).await.unwrap();
    assert_eq!(kept.iter().filter(|kept| kept.order == Some(order.id)).count(), 2);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_payment_and_its_refund_at_the_same_moment_both_count(pool: PgPool) {
    let stage = Stage::new(pool).await;
    for round in 0..20 {
        let person = stage.buyer(&format!("person{round}")).await;
        let order = stage.starts_checkout(&person, "starter").await;
        let pay = format!("pay_{round}");
        let paid = stage.payment_webhook(&format!("evt_{round}_p"), &order.facts(&pay, PaymentState::Succeeded));
        let back = stage.refund_webhook(
            &format!("evt_{round}_r"),
            &refund(&format!("rf_{round}"), &pay, 750, RefundState::Succeeded),
        );
        let answers = join_all([&paid, &back, &back, &paid].map(|webhook| stage.delivers(webhook))).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!(stage.balance(&person).await, wallet(0, 0, 0));
    }
    assert_eq!(stage.count("select count(*) from provider_events where state = 'waiting'").await, 0);
    stage.audits_clean().await;
}

/// What happens to one payment, in some order.
fn story(stage: &Stage, order: &Ordered, pay: &str, turn: usize) -> Vec<Webhook> {
    let (refunded, disputed) = (format!("rf_{turn}"), format!("dp_{turn}"));
    vec![
        stage.payment_webhook(&format!("evt_{turn}_1"), &order.facts(pay, PaymentState::Succeeded)),
        stage.refund_webhook(&format!("evt_{turn}_2"), &refund(&refunded, pay, 250, RefundState::Pending)),
        stage.refund_webhook(&format!("evt_{turn}_3"), &refund(&refunded, pay, 250, RefundState::Succeeded)),
        stage.dispute_webhook(&format!("evt_{turn}_4"), &dispute(&disputed, pay, DisputeState::Open)),
        stage.dispute_webhook(&format!("evt_{turn}_5"), &dispute(&disputed, pay, DisputeState::Won)),
    ]
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn every_order_of_a_story_ends_the_same_alone_and_in_one_batch(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let mut batch = Vec::new();
    let mut people = Vec::new();
    for (turn, order_of_events) in crate::cases::permutations(&[0, 1, 2, 3, 4]).into_iter().enumerate() {
        let person = stage.buyer(&format!("person{turn}")).await;
        let order = stage.starts_checkout(&person, "starter").await;
        let webhooks = story(&stage, &order, &format!("pay_{turn}"), turn);
        let webhooks = order_of_events.iter().map(|place| &webhooks[*place]);
        if turn % 2 == 0 {
            batch.extend(webhooks.map(|webhook| stage.signed(webhook)));
        } else {
            for webhook in webhooks {
                stage.delivers(webhook).await.unwrap();
            }
        }
        people.push(person);
    }
    let answers = receive_batch(&stage.ctx, batch).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Received::Applied | Received::Waiting))), "{answers:?}");
    for person in people {
        assert_eq!(stage.balance(&person).await, wallet(3_334, 0, 0), "{}", person.email());
    }
    assert_eq!(stage.count("select count(*) from provider_events where state <> 'applied'").await, 0);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn more_refunded_than_charged_takes_everything_and_no_more(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    stage.grants(&promo(&ana, 100)).await.unwrap();
    told(&stage, stage.refund_webhook("evt_1", &refund("rf_1", "pay_1", 700, RefundState::Succeeded))).await;
    let surplus = stage.refund_webhook("evt_2", &refund("rf_2", "pay_1", 700, RefundState::Succeeded));
    assert_eq!(told(&stage, surplus).await, Received::Quarantined("refund_surplus"));
    assert_eq!(stage.balance(&ana).await, wallet(100, 0, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_refund_of_a_foreign_account_or_in_another_currency_takes_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    let mut foreign = refund("rf_1", "pay_1", 750, RefundState::Succeeded);
    foreign.account = Some("biz_other".to_owned());
    assert_eq!(told(&stage, stage.refund_webhook("evt_1", &foreign)).await, Received::Quarantined("foreign_account"));
    let mut euro = refund("rf_2", "pay_1", 750, RefundState::Succeeded);
    euro.amount = Money::new(750, "eur".parse().unwrap());
    assert_eq!(told(&stage, stage.refund_webhook("evt_2", &euro)).await, Received::Quarantined("refund_currency"));
    assert_eq!(stage.balance(&ana).await, wallet(5_000, 0, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_payment_first_heard_of_when_it_was_refunded_gives_nothing_to_spend(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let facts = PaymentFacts { refunded: Some(Money::usd(750)), ..order.facts("pay_1", PaymentState::Succeeded) };
    stage.provider.knows(&facts);
    stage.provider.knows_reversal(Fact::Refund(refund("rf_1", "pay_1", 750, RefundState::Succeeded)));
    stage.advance(ASK_EVERY);
    ask(&stage.ctx, order.id, None).await.unwrap();
    assert_eq!(stage.balance(&ana).await, wallet(0, 0, 0));
    assert_eq!(stage.count("select count(*) from refunds").await, 1);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_payment_that_says_it_is_disputed_is_held_until_the_dispute_is_known(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let facts = PaymentFacts { disputed: true, ..order.facts("pay_1", PaymentState::Succeeded) };
    told(&stage, stage.payment_webhook("evt_1", &facts)).await;
    assert_eq!(stage.balance(&ana).await, wallet(5_000, 5_000, 0));
    told(&stage, stage.dispute_webhook("evt_2", &dispute("dp_1", "pay_1", DisputeState::Won))).await;
    assert_eq!(stage.balance(&ana).await, wallet(5_000, 0, 0));
    stage.audits_clean().await;
}
