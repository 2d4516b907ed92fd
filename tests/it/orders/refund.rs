//! Refunds that are asked for here: what is shown is what happens, once, whoever else speaks of it at the same moment.

use atlas::audit::{Origin, Reason};
use atlas::orders::refund::list::Request;
use atlas::orders::refund::send::send_due;
use atlas::orders::refund::{Asked, Wish, ask, preview, refundable};
use atlas::orders::{FormKey, dossier};
use atlas::people::SignedIn;
use atlas::people::roles::Support;
use atlas::providers::REFUND_KEY_LASTS;
use atlas::{Error, Refusal, Result};
use domain::{Credits, Money, RefundRequestState as State, RefundState};
use futures::future::{join, join_all};
use sqlx::PgPool;
use time::Duration;

use crate::scripted::Fault;
use crate::stage::boss::{Boss, admin};
use crate::stage::{Ordered, Stage, dispute, promo, refund, refusal, spend_of};

/// Longer than the longest pause between two tries.
const NEXT_TRY: Duration = Duration::minutes(31);

/// A buyer who paid for Starter by `pay_1`, and who may refund it.
pub async fn paid(stage: &Stage) -> (SignedIn, Ordered, Boss) {
    let (ana, boss) = (stage.buyer("ana").await, admin(stage, "boss").await);
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    (ana, order, boss)
}

pub fn why() -> Reason {
    Reason::parse("reason", "Bought by mistake").unwrap()
}

pub async fn asks(stage: &Stage, boss: &Boss, order: &Ordered, cents: i64, key: &FormKey) -> Result<Asked> {
    let finance = boss.finance();
    let of = refundable(&stage.ctx, &finance, order.id, "pay_1").await?;
    let wish = Wish { of, amount: Money::usd(cents), reason: why(), key: key.clone() };
    ask(&stage.ctx, &finance, &boss.1, &Origin::NONE, &wish).await
}

pub async fn shown(stage: &Stage, boss: &Boss, order: &Ordered) -> Vec<Request> {
    let support = Support::prove(boss.0.person().clone()).unwrap();
    dossier::load(&stage.ctx, &support, order.id).await.unwrap().refund_requests
}

/// The only request of the order: its state, and the state of the refund that answers it.
async fn stands(stage: &Stage, boss: &Boss, order: &Ordered) -> (State, Option<RefundState>) {
    let requests = shown(stage, boss, order).await;
    assert_eq!(requests.len(), 1);
    (requests[0].state, requests[0].refund.as_ref().map(|(_, state)| *state))
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_the_preview_shows_is_what_happens(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    for (turn, (cents, spent, given)) in
        [(750, 0, 0), (250, 0, 0), (750, 4_000, 0), (1, 5_000, 0), (749, 4_999, 700), (375, 5_000, 10_000)]
            .into_iter()
            .enumerate()
    {
        let person = stage.buyer(&format!("person{turn}")).await;
        let (order, pay) = (stage.starts_checkout(&person, "starter").await, format!("pay_{turn}"));
        stage.pays(&order, &pay).await;
        if spent > 0 {
            stage.spends(&spend_of(&person, spent)).await.unwrap();
        }
        if given > 0 {
            stage.grants(&promo(&person, given)).await.unwrap();
        }
        let finance = boss.finance();
        let of = refundable(&stage.ctx, &finance, order.id, &pay).await.unwrap();
        let (before, rows) = (stage.balance(&person).await, everything(&stage).await);
        let seen = preview(&stage.ctx, &finance, &of, Money::usd(cents)).await.unwrap();
        assert_eq!((stage.balance(&person).await, everything(&stage).await), (before, rows), "looking moves nothing");

        let wish = Wish { of, amount: Money::usd(cents), reason: why(), key: FormKey::fresh() };
        let asked = ask(&stage.ctx, &finance, &boss.1, &Origin::NONE, &wish).await.unwrap();
        assert_eq!(asked.state, State::Sent);
        let after = stage.balance(&person).await;
        assert_eq!((after.available(), after.debt), (seen.available, seen.debt), "{cents} {spent} {given}");
        assert_eq!(seen.already_spent.get(), after.debt.get() - before.debt.get());
        assert_eq!(
            seen.credits_back.get(),
            before.posted.get() - after.posted.get() + seen.already_spent.get(),
            "all that is taken is there or spent"
        );
        assert_eq!(seen.credits_back.get(), 5_000 * cents / 750);
        assert_eq!((seen.left, seen.takes_two), (Money::usd(750 - cents), false));
    }
    stage.audits_clean().await;
}

async fn everything(stage: &Stage) -> i64 {
    stage
        .count(
            "select (select count(*) from refunds) + (select count(*) from credit_transactions)
            + (select count(*) from mails) + (select count(*) from refund_requests) + (select count(*) from credit_entries)",
        )
        .await
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn clicked_twice_while_the_providers_own_word_arrives_it_has_one_effect(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    for round in 0..8_usize {
        let ana = stage.buyer(&format!("ana{round}")).await;
        let order = stage.starts_checkout(&ana, "starter").await;
        let pay = format!("pay_{round}");
        stage.pays(&order, &pay).await;
        let finance = boss.finance();
        let of = refundable(&stage.ctx, &finance, order.id, &pay).await.unwrap();
        let wish = Wish { of, amount: Money::usd(750), reason: why(), key: FormKey::fresh() };
        // The refund that will come of it, told by webhooks as they come: doubled, in two states, without our metadata.
        let made = format!("rf_made_{}", round + 1);
        let told = [RefundState::Pending, RefundState::Succeeded]
            .map(|state| stage.refund_webhook(&format!("evt_{round}_{state}"), &refund(&made, &pay, 750, state)));
        let clicks = (0..3).map(|_| ask(&stage.ctx, &finance, &boss.1, &Origin::NONE, &wish));
        // Some while we still wait for the answer, the others together with it.
        stage.provider.hangs();
        let words = async {
            while stage.provider.refund_orders().len() <= round {
                tokio::task::yield_now().await;
            }
            let mut words = join_all(told[round % 2..].iter().map(|webhook| stage.delivers(webhook))).await;
            stage.provider.answers();
            words.extend(join_all(told.iter().chain(told.iter().rev()).map(|webhook| stage.delivers(webhook))).await);
            words
        };
        let (clicks, words) = join(join_all(clicks), words).await;
        let ids: std::collections::BTreeSet<_> = clicks.into_iter().map(|asked| asked.unwrap().id).collect();
        assert_eq!(ids.len(), 1, "one request");
        assert!(words.iter().all(Result::is_ok), "{words:?}");
        let balance = stage.balance(&ana).await;
        assert_eq!((balance.posted.get(), balance.held.get(), balance.debt.get()), (0, 0, 0));
    }
    assert_eq!(stage.provider.refunds().len(), 8);
    assert_eq!(stage.count("select count(*) from refund_requests where state = 'sent'").await, 8);
    assert_eq!(stage.count("select count(*) from refunds where state = 'succeeded'").await, 8);
    assert_eq!(stage.count("select count(*) from credit_transactions where kind = 'clawback'").await, 8);
    assert_eq!(stage.count("select count(*) from audit_entries where deed = 'refund_asked'").await, 8);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn two_who_refund_the_same_payment_at_once_never_pay_back_more_than_was_paid(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, order, boss) = paid(&stage).await;
    let chief = admin(&stage, "chief").await;
    let keys: Vec<FormKey> = (0..8).map(|_| FormKey::fresh()).collect();
    let tries = keys.iter().enumerate().map(|(n, key)| asks(&stage, [&boss, &chief][n % 2], &order, 300, key));
    let outcomes = join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 2, "{outcomes:?}");
    assert_eq!(stage.provider.refunds().len(), 2);
    assert_eq!(stage.posted(&ana).await, 1_000);
    let rest = asks(&stage, &boss, &order, 151, &FormKey::fresh()).await;
    assert!(matches!(&rest, Err(Error::Invalid(errors)) if errors.of("amount").unwrap().contains("$1.50")), "{rest:?}");
    asks(&stage, &boss, &order, 150, &FormKey::fresh()).await.unwrap();
    let none = refusal(asks(&stage, &boss, &order, 1, &FormKey::fresh()).await);
    assert_eq!((none, stage.posted(&ana).await), (Refusal::NothingToRefund, 0));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_provider_that_does_not_answer_is_told_again_and_pays_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, order, boss) = paid(&stage).await;
    for fault in [Fault::Unreachable, Fault::AnswerLost] {
        stage.provider.fails(fault);
        let asked = asks(&stage, &boss, &order, 250, &FormKey::fresh()).await.unwrap();
        assert_eq!(asked.state, State::Wanted, "{fault:?}");
        // Not before its turn, whoever runs the job.
        let told = stage.provider.refund_orders().len();
        send_due(&stage.ctx).await.unwrap();
        assert_eq!(stage.provider.refund_orders().len(), told);
        for _ in 0..3 {
            stage.advance(NEXT_TRY);
            send_due(&stage.ctx).await.unwrap();
        }
        stage.provider.recovers();
        stage.advance(NEXT_TRY);
        join_all((0..4).map(|_| send_due(&stage.ctx))).await.into_iter().for_each(Result::unwrap);
        assert_eq!(shown(&stage, &boss, &order).await.last().unwrap().state, State::Sent, "{fault:?}");
        let orders = stage.provider.refund_orders();
        assert!(orders.iter().skip(told - 1).all(|order| order.request == asked.id), "the same key each time");
        assert_eq!(orders.len(), told + 4, "one more for each turn");
    }
    assert_eq!(stage.provider.refunds().len(), 2);
    assert_eq!(stage.posted(&ana).await, 1_667);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_webhook_that_names_the_request_ends_the_waiting_for_an_answer(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (_, order, boss) = paid(&stage).await;
    stage.provider.fails(Fault::AnswerLost);
    let asked = asks(&stage, &boss, &order, 750, &FormKey::fresh()).await.unwrap();
    let mut made = stage.provider.refunds().remove(0);
    made.state = RefundState::Pending;
    assert_eq!(made.request, Some(asked.id));
    stage.delivers(&stage.refund_webhook("evt_r", &made)).await.unwrap();
    assert_eq!(stands(&stage, &boss, &order).await, (State::Sent, Some(RefundState::Pending)));
    let told = stage.provider.refund_orders().len();
    stage.advance(NEXT_TRY);
    send_due(&stage.ctx).await.unwrap();
    assert_eq!(stage.provider.refund_orders().len(), told, "it is not told again");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn after_a_day_the_provider_is_asked_and_not_told_again(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, order, boss) = paid(&stage).await;
    for (fault, state, posted) in [(Fault::Unreachable, State::Refused, 5_000), (Fault::AnswerLost, State::Sent, 0)] {
        stage.provider.fails(fault);
        asks(&stage, &boss, &order, 750, &FormKey::fresh()).await.unwrap();
        stage.provider.recovers();
        let told = stage.provider.refund_orders().len();
        stage.advance(REFUND_KEY_LASTS);
        send_due(&stage.ctx).await.unwrap();
        assert_eq!(stage.provider.refund_orders().len(), told, "its key is forgotten: it would pay twice");
        assert_eq!(shown(&stage, &boss, &order).await.last().unwrap().state, state);
        assert_eq!(stage.posted(&ana).await, posted);
    }
    assert_eq!(stage.provider.refunds().len(), 1);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_refusal_is_explained_moves_nothing_and_leaves_the_way_open(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, order, boss) = paid(&stage).await;
    stage.provider.refuses(Some("Whop says: This payment is not refundable"));
    let asked = asks(&stage, &boss, &order, 750, &FormKey::fresh()).await.unwrap();
    assert_eq!((asked.state, stage.posted(&ana).await), (State::Refused, 5_000));
    let refused = shown(&stage, &boss, &order).await.remove(0);
    assert_eq!(refused.refusal.as_deref(), Some("Whop says: This payment is not refundable"));
    assert_eq!(stage.count("select count(*) from audit_entries where deed = 'refund_refused'").await, 1);
    stage.provider.refuses(None);
    stage.provider.fails(Fault::Misconfigured);
    let asked = asks(&stage, &boss, &order, 750, &FormKey::fresh()).await.unwrap();
    assert_eq!((asked.state, stage.posted(&ana).await), (State::Refused, 5_000));
    stage.provider.recovers();
    assert_eq!(asks(&stage, &boss, &order, 750, &FormKey::fresh()).await.unwrap().state, State::Sent);
    assert_eq!(stage.posted(&ana).await, 0);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_refund_that_comes_back_is_shown_with_its_reason_and_may_be_tried_anew(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, order, boss) = paid(&stage).await;
    stage.provider.refunds_as(RefundState::Pending);
    asks(&stage, &boss, &order, 750, &FormKey::fresh()).await.unwrap();
    assert_eq!(stands(&stage, &boss, &order).await, (State::Sent, Some(RefundState::Pending)));
    assert_eq!(stage.balance(&ana).await.available(), Credits::ZERO, "held while it is under way");
    let nothing = refusal(asks(&stage, &boss, &order, 1, &FormKey::fresh()).await);
    assert_eq!(nothing, Refusal::NothingToRefund, "what is on its way can't go twice");
    let mut failed = stage.provider.refunds().remove(0);
    (failed.state, failed.failure) = (RefundState::Failed, Some("The card was closed".to_owned()));
    stage.delivers(&stage.refund_webhook("evt_f", &failed)).await.unwrap();
    assert_eq!(stands(&stage, &boss, &order).await, (State::Sent, Some(RefundState::Failed)));
    let support = Support::prove(boss.0.person().clone()).unwrap();
    let story = dossier::load(&stage.ctx, &support, order.id).await.unwrap();
    assert_eq!(story.refunds[0].failure.as_deref(), Some("The card was closed"));
    assert_eq!(stage.balance(&ana).await.available(), Credits::new(5_000));
    asks(&stage, &boss, &order, 750, &FormKey::fresh()).await.unwrap();
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_can_not_be_paid_back_is_refused_before_the_provider_hears_of_it(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (_, order, boss) = paid(&stage).await;
    let finance = boss.finance();
    for (cents, what) in [(0, "zero"), (-750, "negative"), (751, "too much"), (i64::MAX, "far too much")] {
        let outcome = asks(&stage, &boss, &order, cents, &FormKey::fresh()).await;
        assert!(matches!(outcome, Err(Error::Invalid(_))), "{what}: {outcome:?}");
    }
    assert!(matches!(refundable(&stage.ctx, &finance, order.id, "pay_2").await, Err(Error::NotFound)));
    let other = stage.starts_checkout(&stage.buyer("ben").await, "starter").await;
    assert!(matches!(refundable(&stage.ctx, &finance, other.id, "pay_1").await, Err(Error::NotFound)));
    // One form, another amount.
    let key = FormKey::fresh();
    asks(&stage, &boss, &order, 100, &key).await.unwrap();
    assert_eq!(refusal(asks(&stage, &boss, &order, 200, &key).await), Refusal::FormUsedBefore);
    let open = dispute("dp_1", "pay_1", domain::DisputeState::Open);
    stage.delivers(&stage.dispute_webhook("evt_d", &open)).await.unwrap();
    assert_eq!(refusal(asks(&stage, &boss, &order, 100, &FormKey::fresh()).await), Refusal::PaymentIsDisputed);
    assert_eq!(stage.provider.refund_orders().len(), 1);
}
