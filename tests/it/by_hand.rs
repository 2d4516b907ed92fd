//! Credits moved by hand: once a form, with a reason, and above a limit by two.

use atlas::audit::{Origin, Reason};
use atlas::by_hand::confirm::{confirm, decline, withdraw};
use atlas::by_hand::{Description, Done, Wish, act, list};
use atlas::orders::answer::{Answer, Outcome, answer};
use atlas::orders::request::{Note, submit};
use atlas::orders::{FormKey, page};
use atlas::people::SignedIn;
use atlas::people::roles::Support;
use atlas::{Error, Refusal, Result};
use domain::{CreditDeedKind as Kind, CreditDeedState as State, Credits, OrderId, OrderState, RefundState};
use futures::future::join_all;
use sqlx::PgPool;

use crate::stage::boss::{Boss, admin};
use crate::stage::{Stage, promo, refund, refusal, spend_of};

fn why() -> Reason {
    Reason::parse("reason", "Agreed by phone").unwrap()
}

fn wish(kind: Kind, of: &SignedIn, credits: i64) -> Wish {
    let description = Description::parse("description", "For <b>patience</b>", kind).unwrap();
    Wish { kind, person: of.id(), credits: Credits::new(credits), description, reason: why(), key: FormKey::fresh() }
}

async fn does(stage: &Stage, boss: &Boss, wish: &Wish) -> Result<Done> {
    act(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, wish).await
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_given_taken_and_forgiven_is_booked_once_a_form_with_its_reason(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    for (kind, credits, posted, deed) in
        [(Kind::Grant, 700, 5_700, "credits_granted"), (Kind::Take, 5_200, 500, "credits_taken")]
    {
        let wish = wish(kind, &ana, credits);
        let tries = join_all((0..6).map(|_| does(&stage, &boss, &wish))).await;
        assert!(tries.iter().all(|done| done.as_ref().unwrap().state == State::Done), "{tries:?}");
        assert_eq!(stage.posted(&ana).await, posted, "{kind}");
        let entries = "select count(*) from audit_entries where deed = $1 and why = 'Agreed by phone'";
        let entries: i64 = sqlx::query_scalar(entries).bind(deed).fetch_one(&stage.owner).await.unwrap();
        assert_eq!(entries, 1, "{kind}");
        stage.audits_clean().await;
    }
    // All of it back, though most is gone: the rest is owed, and then forgiven.
    stage
        .delivers(&stage.refund_webhook("evt_r", &refund("rf_1", "pay_1", 750, RefundState::Succeeded)))
        .await
        .unwrap();
    assert_eq!(stage.balance(&ana).await.debt.get(), 4_500);
    assert_eq!(refusal(does(&stage, &boss, &wish(Kind::Forgive, &ana, 4_501)).await), Refusal::NothingOwed);
    does(&stage, &boss, &wish(Kind::Forgive, &ana, 1_500)).await.unwrap();
    assert_eq!(stage.balance(&ana).await.debt.get(), 3_000);
    let last = wish(Kind::Forgive, &ana, 3_000);
    let tries = join_all((0..4).map(|_| does(&stage, &boss, &last))).await;
    assert!(tries.iter().all(Result::is_ok), "{tries:?}");
    assert_eq!(stage.balance(&ana).await.debt.get(), 0);
    stage.audits_clean().await;
    stage.grants(&promo(&ana, 10)).await.unwrap();
    assert_eq!(stage.posted(&ana).await, 10, "nothing is repaid that was forgiven");
    let support = Support::prove(boss.0.person().clone()).unwrap();
    assert_eq!(list::about(&stage.ctx.db, &support, ana.id()).await.unwrap().len(), 4);
    let said = "select count(*) from credit_transactions where description = 'For <b>patience</b>'";
    assert_eq!(stage.count(said).await, 4);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_not_there_or_held_is_not_taken_and_a_refusal_leaves_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    stage.delivers(&stage.refund_webhook("evt_r", &refund("rf_1", "pay_1", 300, RefundState::Pending))).await.unwrap();
    assert_eq!(stage.balance(&ana).await.available().get(), 3_000);
    assert_eq!(refusal(does(&stage, &boss, &wish(Kind::Take, &ana, 3_001)).await), Refusal::NotEnoughCredits);
    assert_eq!(stage.count("select count(*) from credit_deeds").await, 0);
    assert_eq!(stage.count("select count(*) from audit_entries where deed like 'credits%'").await, 0);
    does(&stage, &boss, &wish(Kind::Take, &ana, 3_000)).await.unwrap();
    let again = Wish { credits: Credits::new(1), ..wish(Kind::Grant, &ana, 5) };
    does(&stage, &boss, &again).await.unwrap();
    let other = Wish { credits: Credits::new(2), ..again };
    assert_eq!(refusal(does(&stage, &boss, &other).await), Refusal::FormUsedBefore);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn taking_by_hand_while_it_is_spent_takes_no_credit_twice(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    stage.grants(&promo(&ana, 1_000)).await.unwrap();
    let spend = spend_of(&ana, 600);
    let take = wish(Kind::Take, &ana, 600);
    let (spent, taken) = futures::future::join(stage.spends(&spend), does(&stage, &boss, &take)).await;
    assert!(spent.is_ok() != taken.is_ok(), "one of them came too late: {spent:?} {taken:?}");
    assert_eq!(stage.posted(&ana).await, 400);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn above_the_limit_nothing_moves_until_another_admin_says_so_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    let seconds = [admin(&stage, "chief").await, admin(&stage, "third").await];
    let large = does(&stage, &boss, &wish(Kind::Grant, &ana, 100_001)).await.unwrap();
    assert_eq!((large.state, stage.posted(&ana).await), (State::Waiting, 0));
    let own = confirm(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, large.id).await;
    assert_eq!(refusal(own), Refusal::OwnWish);
    let tries = (0..8).map(|n| confirm(&stage.ctx, &seconds[n % 2].0, &seconds[n % 2].1, &Origin::NONE, large.id));
    let outcomes = join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert_eq!(stage.posted(&ana).await, 100_001);

    // Many small ones are no way around.
    assert_eq!(does(&stage, &boss, &wish(Kind::Grant, &ana, 60_000)).await.unwrap().state, State::Done);
    let second = does(&stage, &boss, &wish(Kind::Grant, &ana, 60_000)).await.unwrap();
    assert_eq!((second.state, stage.posted(&ana).await), (State::Waiting, 160_001));
    let chief = &seconds[0];
    decline(&stage.ctx, &chief.0, &chief.1, &Origin::NONE, second.id, &why()).await.unwrap();
    let third = does(&stage, &boss, &wish(Kind::Take, &ana, 150_000)).await.unwrap();
    let foreign = withdraw(&stage.ctx, &chief.0, &Origin::NONE, third.id).await;
    assert!(matches!(foreign, Err(Error::NotFound)));
    withdraw(&stage.ctx, &boss.0, &Origin::NONE, third.id).await.unwrap();
    for id in [second.id, third.id] {
        let late = confirm(&stage.ctx, &chief.0, &chief.1, &Origin::NONE, id).await;
        assert_eq!(refusal(late), Refusal::DecidedMeanwhile);
    }
    assert_eq!(stage.posted(&ana).await, 160_001);
    let own =
        "update credit_deeds set state = 'done', decided_by = asked_by, decided_at = now() where state = 'withdrawn'";
    let error = sqlx::query(own).execute(&stage.ctx.db).await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().constraint(), Some("credit_deeds_second_admin"));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_moves_credits_more_often_than_once_a_second_has_to_wait(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    for _ in 0..60 {
        does(&stage, &boss, &wish(Kind::Grant, &ana, 1)).await.unwrap();
    }
    let late = refusal(does(&stage, &boss, &wish(Kind::Grant, &ana, 1)).await);
    assert!(matches!(late, Refusal::TooManyTries { .. }), "{late:?}");
    assert_eq!(stage.posted(&ana).await, 60);
    does(&stage, &admin(&stage, "chief").await, &wish(Kind::Grant, &ana, 1)).await.unwrap();
}

async fn requested(stage: &Stage, buyer: &SignedIn) -> OrderId {
    let note = Note::parse("note", "").unwrap();
    submit(&stage.ctx, buyer, stage.plan("enterprise").await, note, FormKey::fresh()).await.unwrap()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_request_approved_with_more_than_the_limit_waits_for_a_second_admin(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss, chief) = (stage.buyer("ana").await, admin(&stage, "boss").await, admin(&stage, "chief").await);
    let large = Answer::Approve { credits: Some(Credits::new(120_000)) };
    let says = async |who: &Boss, order, said| {
        answer(&stage.ctx, &who.0, &who.1, &Origin::NONE, &[order], said, &why()).await.unwrap()
    };
    let order = requested(&stage, &ana).await;
    // Both put it up at once: it waits once.
    let (one, two) = futures::future::join(says(&boss, order, large), says(&boss, order, large)).await;
    assert_eq!((one, two), (vec![(order, Outcome::WaitsForSecond)], vec![(order, Outcome::WaitsForSecond)]));
    let waiting = list::waiting(&stage.ctx.db, &chief.0).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].order, stage.posted(&ana).await), (1, Some(order), 0));
    let tries = (0..6).map(|_| confirm(&stage.ctx, &chief.0, &chief.1, &Origin::NONE, waiting[0].id));
    assert_eq!(join_all(tries).await.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(stage.posted(&ana).await, 120_000);
    assert_eq!(page::load(&stage.ctx.db, &ana, order).await.unwrap().state, OrderState::Approved);

    // Rejected by somebody while it waits: there is nothing to confirm any more.
    let order = requested(&stage, &ana).await;
    says(&boss, order, large).await;
    let waiting = list::waiting(&stage.ctx.db, &chief.0).await.unwrap();
    says(&chief, order, Answer::Reject).await;
    let late = confirm(&stage.ctx, &chief.0, &chief.1, &Origin::NONE, waiting[0].id).await;
    assert_eq!(refusal(late), Refusal::DecidedMeanwhile);
    assert_eq!(stage.posted(&ana).await, 120_000);
    stage.audits_clean().await;
}
