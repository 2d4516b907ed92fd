//! Bonus credits: they come with the payment, as a lot of their own, and go with the money by the same ratio. Each once, whatever
//! is said how often and in whatever order.

use atlas::audit::{Origin, Reason};
use atlas::events::Received;
use atlas::ledger::expire::expire;
use atlas::orders::FormKey;
use atlas::orders::answer::{Answer, Outcome, answer};
use atlas::orders::refund::{preview, refundable};
use atlas::orders::request::{Note, submit};
use atlas::people::SignedIn;
use atlas::plans::revise::{Edit, revise};
use atlas::plans::terms::Typed;
use domain::ledger::LotSource;
use domain::{Credits, DisputeState, Money, PaymentState, RefundState};
use futures::future::join_all;
use sqlx::PgPool;
use time::Duration;

use crate::plans::{TYPED, terms};
use crate::stage::boss::{Boss, admin};
use crate::stage::{Ordered, Stage, dispute, promo, refund, usage};

/// Starter as it is, and 500 credits on top.
const WITH_BONUS: Typed<'static> =
    Typed { name: "Starter", credits: "5000", price: "7.50", bonus_credits: "500", ..TYPED };

async fn offers(stage: &Stage, boss: &Boss, plan: &str, typed: &Typed<'_>) {
    let edit = Edit { plan: stage.plan(plan).await, revision: 1, terms: terms(typed) };
    let reason = Reason::parse("reason", "An offer for spring").unwrap();
    revise(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, &edit, &reason).await.unwrap();
}

/// A buyer with an order of Starter and its bonus, not yet paid.
async fn ordered(stage: &Stage, typed: &Typed<'_>) -> (SignedIn, Ordered) {
    let (ana, boss) = (stage.buyer("ana").await, admin(stage, "boss").await);
    offers(stage, &boss, "starter", typed).await;
    let order = stage.starts_checkout(&ana, "starter").await;
    (ana, order)
}

async fn paid(stage: &Stage, typed: &Typed<'_>) -> (SignedIn, Ordered) {
    let (ana, order) = ordered(stage, typed).await;
    stage.pays(&order, "pay_1").await;
    (ana, order)
}

async fn refunds(stage: &Stage, id: &str, cents: i64, said: RefundState) {
    let webhook = stage.refund_webhook(&format!("evt_{id}_{said}"), &refund(id, "pay_1", cents, said));
    assert_eq!(stage.delivers(&webhook).await.unwrap(), Received::Applied);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_bonus_comes_with_the_payment_once_as_a_lot_of_its_own(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, order) = ordered(&stage, &WITH_BONUS).await;
    let facts = order.facts("pay_1", PaymentState::Succeeded);
    // The same, told by many messages at once, each of them twice.
    let told: Vec<_> = (0..6).map(|n| stage.payment_webhook(&format!("evt_{n}"), &facts)).collect();
    let words = join_all(told.iter().chain(&told).map(|webhook| stage.delivers(webhook))).await;
    assert!(words.iter().all(Result::is_ok), "{words:?}");

    assert_eq!(stage.lots(&ana).await, [(5_000, 0), (500, 0)]);
    let lots = "select count(*) from credit_lots where payment_id = 'pay_1'
        and (source, granted, paid_minor) in (('purchase', 5000, 750), ('bonus', 500, 0))";
    assert_eq!(stage.count(lots).await, 2);
    let lines = "select count(*) from credit_transactions
        where (kind, description, net) in (('grant', 'Bought Starter', 5000), ('bonus', 'Bonus of Starter', 500))";
    assert_eq!(stage.count(lines).await, 2);
    let page = stage.page(&ana, &order).await;
    assert_eq!((page.credits.get(), page.bonus.get(), page.available.get()), (5_000, 500, 5_500));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_order_keeps_the_bonus_that_it_was_told_of(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    let before = stage.starts_checkout(&ana, "starter").await;
    offers(&stage, &boss, "starter", &WITH_BONUS).await;
    let after = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&before, "pay_1").await;
    assert_eq!(stage.lots(&ana).await, [(5_000, 0)], "and one kernel call books one grant");
    stage.pays(&after, "pay_2").await;
    assert_eq!(stage.lots(&ana).await, [(5_000, 0), (5_000, 0), (500, 0)]);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_bonus_ends_when_it_says_or_with_the_credits(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let own = Typed { expires_after_days: "90", bonus_expires_after_days: "30", ..WITH_BONUS };
    offers(&stage, &boss, "starter", &own).await;
    offers(&stage, &boss, "pro", &Typed { name: "Pro", expires_after_days: "60", ..WITH_BONUS }).await;
    for (plan, payment, days) in [("starter", "pay_1", (90, 30)), ("pro", "pay_2", (60, 60))] {
        let person = stage.buyer(plan).await;
        let order = stage.starts_checkout(&person, plan).await;
        let arrived = stage.ctx.now();
        stage.pays(&order, payment).await;
        let ends: Vec<time::OffsetDateTime> =
            sqlx::query_scalar("select expires_at from credit_lots where payment_id = $1 order by id")
                .bind(payment)
                .fetch_all(&stage.owner)
                .await
                .unwrap();
        let apart = |end: time::OffsetDateTime, days| (end - arrived - Duration::days(days)).abs() < Duration::SECOND;
        assert!(ends.len() == 2 && apart(ends[0], days.0) && apart(ends[1], days.1), "{plan}: {ends:?}");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn refunds_take_both_by_the_same_ratio_and_the_last_one_the_rest(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, order) = paid(&stage, &WITH_BONUS).await;
    for (id, lots) in [("rf_1", [(3_334, 0), (334, 0)]), ("rf_2", [(1_667, 0), (167, 0)]), ("rf_3", [(0, 0), (0, 0)])] {
        refunds(&stage, id, 250, RefundState::Pending).await;
        let balance = stage.balance(&ana).await;
        assert_eq!(balance.available().get(), lots[0].0 + lots[1].0, "of both, while it is under way");
        refunds(&stage, id, 250, RefundState::Succeeded).await;
        assert_eq!(stage.lots(&ana).await, lots);
        stage.audits_clean().await;
    }
    assert_eq!(stage.stands(&ana).await, (0, 0, 0));
    let reversal = stage.page(&ana, &order).await.reversal.unwrap();
    assert_eq!((reversal.taken.get(), reversal.taken_bonus.get()), (5_000, 500));

    // The bank sends one back: both return, where they were.
    refunds(&stage, "rf_3", 250, RefundState::Failed).await;
    assert_eq!(stage.lots(&ana).await, [(1_667, 0), (167, 0)]);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_was_spent_of_either_is_owed_after_a_refund(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, _) = paid(&stage, &WITH_BONUS).await;
    stage.spends(&usage(&ana, 1_000)).await.unwrap();
    assert_eq!(stage.lots(&ana).await, [(4_500, 0), (0, 0)], "what was given is spent first");
    stage.grants(&promo(&ana, 70)).await.unwrap();
    refunds(&stage, "rf_1", 250, RefundState::Succeeded).await;
    // 1,666 of the credits, and 166 of the bonus, from what was bought with it.
    assert_eq!(stage.lots(&ana).await, [(2_668, 0), (0, 0), (70, 0)]);
    stage.audits_clean().await;
    refunds(&stage, "rf_2", 500, RefundState::Succeeded).await;
    assert_eq!(stage.stands(&ana).await, (0, 0, 930));
    stage.audits_clean().await;
    refunds(&stage, "rf_2", 500, RefundState::Failed).await;
    assert_eq!(stage.stands(&ana).await, (2_738, 0, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_preview_tells_of_both(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, order) = paid(&stage, &WITH_BONUS).await;
    stage.spends(&usage(&ana, 5_400)).await.unwrap();
    let boss = admin(&stage, "finance").await;
    let of = refundable(&stage.ctx, &boss.finance(), order.id, "pay_1").await.unwrap();
    let seen = preview(&stage.ctx, &boss.finance(), &of, Money::usd(375)).await.unwrap();
    assert_eq!((seen.credits_back.get(), seen.bonus_back), (2_500, Some(Credits::new(250))));
    assert_eq!((seen.already_spent.get(), seen.debt.get(), seen.available.get()), (2_650, 2_650, 0));
    assert_eq!(stage.stands(&ana).await, (100, 0, 0), "looking moves nothing");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_dispute_holds_both_until_it_is_decided(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    offers(&stage, &boss, "starter", &WITH_BONUS).await;
    for (end, stands) in [
        (DisputeState::Won, (5_300, 0, 0)),
        (DisputeState::InquiryClosed, (5_300, 5_300, 0)),
        (DisputeState::Lost, (0, 0, 200)),
    ] {
        let ana = stage.buyer(&format!("ana-{end}")).await;
        let order = stage.starts_checkout(&ana, "starter").await;
        let pay = format!("pay_{end}");
        stage.pays(&order, &pay).await;
        stage.spends(&usage(&ana, 200)).await.unwrap();
        for state in [DisputeState::Open, end] {
            let webhook =
                stage.dispute_webhook(&format!("evt_{pay}_{state}"), &dispute(&format!("dp_{end}"), &pay, state));
            assert_eq!(stage.delivers(&webhook).await.unwrap(), Received::Applied);
            if state == DisputeState::Open {
                assert_eq!(stage.lots(&ana).await, [(5_000, 5_000), (300, 300)]);
                assert!(stage.spends(&usage(&ana, 1)).await.is_err(), "what is held is not spent");
                stage.audits_clean().await;
            }
        }
        assert_eq!(stage.stands(&ana).await, stands, "{end}");
        stage.audits_clean().await;
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_expired_of_a_bonus_is_neither_taken_again_nor_owed(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, _) = paid(&stage, &WITH_BONUS).await;
    stage.spends(&usage(&ana, 100)).await.unwrap();
    refunds(&stage, "rf_1", 75, RefundState::Succeeded).await;
    assert_eq!(stage.lots(&ana).await, [(4_500, 0), (350, 0)]);
    stage.outdates_lots(LotSource::Bonus).await;
    assert_eq!(expire(&stage.ctx.db, 100).await.unwrap().credits.get(), 350);
    stage.audits_clean().await;

    // 100 were spent, 50 taken, 350 have expired: of the bonus only what was spent can still be taken.
    refunds(&stage, "rf_2", 375, RefundState::Succeeded).await;
    assert_eq!(stage.lots(&ana).await, [(1_900, 0), (0, 0)]);
    refunds(&stage, "rf_3", 300, RefundState::Succeeded).await;
    assert_eq!(stage.stands(&ana).await, (0, 0, 100));
    stage.audits_clean().await;
    refunds(&stage, "rf_3", 300, RefundState::Failed).await;
    refunds(&stage, "rf_2", 375, RefundState::Failed).await;
    let (posted, held, debt) = stage.stands(&ana).await;
    assert_eq!((posted, held, debt), (4_500, 0, 0), "what is undone gives back what it took");
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_expired_bonus_leaves_nothing_to_owe_after_a_whole_refund(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, _) = paid(&stage, &WITH_BONUS).await;
    stage.outdates_lots(LotSource::Bonus).await;
    expire(&stage.ctx.db, 100).await.unwrap();
    refunds(&stage, "rf_1", 750, RefundState::Succeeded).await;
    assert_eq!(stage.stands(&ana).await, (0, 0, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn payment_refund_and_dispute_at_the_same_moment_end_the_same(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    offers(&stage, &boss, "starter", &WITH_BONUS).await;
    for round in 0..6_usize {
        let ana = stage.buyer(&format!("ana{round}")).await;
        let order = stage.starts_checkout(&ana, "starter").await;
        let (pay, rf, dp) = (format!("pay_{round}"), format!("rf_{round}"), format!("dp_{round}"));
        let mut words = [
            stage.payment_webhook(&format!("evt_{round}_p"), &order.facts(&pay, PaymentState::Succeeded)),
            stage.refund_webhook(&format!("evt_{round}_r"), &refund(&rf, &pay, 250, RefundState::Succeeded)),
            stage.dispute_webhook(&format!("evt_{round}_o"), &dispute(&dp, &pay, DisputeState::Open)),
            stage.dispute_webhook(&format!("evt_{round}_w"), &dispute(&dp, &pay, DisputeState::Won)),
        ];
        words.rotate_left(round % 4);
        let told = join_all(words.iter().chain(words.iter().rev()).map(|webhook| stage.delivers(webhook))).await;
        assert!(told.iter().all(Result::is_ok), "{told:?}");
        assert_eq!(stage.lots(&ana).await, [(3_334, 0), (334, 0)], "round {round}");
    }
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_approved_request_gives_its_bonus_whatever_else_was_agreed(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    let typed =
        Typed { name: "Enterprise", sold: "agreement", price: "", credits: "99000", bonus_credits: "1000", ..TYPED };
    offers(&stage, &boss, "enterprise", &typed).await;
    let plan = stage.plan("enterprise").await;
    let asks =
        async || submit(&stage.ctx, &ana, plan, Note::parse("note", "").unwrap(), FormKey::fresh()).await.unwrap();
    let says = async |order, credits| {
        let reason = Reason::parse("reason", "Agreed by phone").unwrap();
        let said = Answer::Approve { credits };
        answer(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, &[order], said, &reason).await.unwrap()
    };
    let order = asks().await;
    assert_eq!(says(order, Some(Credits::new(7_000))).await, [(order, Outcome::Answered)]);
    assert_eq!(stage.lots(&ana).await, [(7_000, 0), (1_000, 0)]);
    assert_eq!(stage.count("select count(*) from credit_lots where source = 'bonus' and payment_id is null").await, 1);
    assert_eq!(says(order, None).await, [(order, Outcome::WasNot(domain::OrderState::Approved))]);
    // With the bonus it is more than one admin may give alone.
    let larger = asks().await;
    let more = Some(Credits::new(99_001));
    assert_eq!(says(larger, more).await, [(larger, Outcome::WaitsForSecond)]);
    assert_eq!(stage.posted(&ana).await, 8_000);
    stage.audits_clean().await;
}
