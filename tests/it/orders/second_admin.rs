//! What one person may not decide alone.

use atlas::audit::Origin;
use atlas::orders::FormKey;
use atlas::orders::refund::confirm::{confirm, decline, withdraw};
use atlas::orders::refund::list::waiting;
use atlas::orders::refund::preview_waiting;
use atlas::{Error, Refusal, Result};
use domain::{Credits, Money, PaymentState, RefundRequestState as State};
use futures::future::join_all;
use sqlx::PgPool;

use super::refund::{asks, shown, why};
use crate::stage::boss::{Boss, admin};
use crate::stage::{Ordered, Stage, refusal};

/// A payment of which, with its tax, more was charged than one person may pay back alone.
async fn dear(stage: &Stage) -> (Ordered, Boss, Boss) {
    let order = stage.starts_checkout(&stage.buyer("ana").await, "starter").await;
    let mut facts = order.facts("pay_1", PaymentState::Succeeded);
    facts.charged = Some(Money::usd(60_000));
    stage.delivers(&stage.payment_webhook("evt_1", &facts)).await.unwrap();
    (order, admin(stage, "boss").await, admin(stage, "chief").await)
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_large_refund_waits_until_another_admin_confirms_it_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (order, boss, chief) = dear(&stage).await;
    let key = FormKey::fresh();
    let asked = asks(&stage, &boss, &order, 50_001, &key).await.unwrap();
    assert_eq!(asked.state, State::Waiting);
    assert_eq!(
        asks(&stage, &boss, &order, 9_999, &FormKey::fresh()).await.unwrap().state,
        State::Waiting,
        "all together"
    );
    assert_eq!(stage.provider.refund_orders().len(), 0);
    assert_eq!(waiting(&stage.ctx.db, &chief.0).await.unwrap().len(), 2);
    let own = confirm(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, asked.id).await;
    assert_eq!(refusal(own), Refusal::OwnWish);
    let third = admin(&stage, "third").await;
    let seen = preview_waiting(&stage.ctx, &chief.0, asked.id).await.unwrap();
    assert_eq!((seen.money_back, seen.credits_back), (Money::usd(50_001), Credits::new(4_166)), "the other waits too");
    let posted = "select posted from credit_accounts where kind = 'wallet' and posted > 0";
    assert_eq!(stage.count(posted).await, 5_000, "it was only looked at");
    let seconds = [&chief, &third];
    let tries = (0..8).map(|n| confirm(&stage.ctx, &seconds[n % 2].0, &seconds[n % 2].1, &Origin::NONE, asked.id));
    let outcomes: Vec<Result<_>> = join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    let late = |outcome: &&Result<_>| matches!(outcome, Err(Error::Refused(Refusal::DecidedMeanwhile)));
    assert_eq!(outcomes.iter().filter(late).count(), 7);
    assert_eq!((stage.provider.refunds().len(), stage.provider.refund_orders().len()), (1, 1));
    assert_eq!(stage.count("select count(*) from audit_entries where deed = 'refund_confirmed'").await, 1);
    let request = shown(&stage, &boss, &order).await.remove(0);
    assert_eq!(request.state, State::Sent);
    assert!(request.decided_by.is_some_and(|by| by != boss.0.person().email()));
    let decided = preview_waiting(&stage.ctx, &chief.0, asked.id).await;
    assert!(matches!(decided, Err(Error::NotFound)));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_declined_or_withdrawn_pays_nothing_back_and_can_be_asked_for_anew(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (order, boss, chief) = dear(&stage).await;
    let asked = asks(&stage, &boss, &order, 60_000, &FormKey::fresh()).await.unwrap();
    let own = decline(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, asked.id, &why()).await;
    assert_eq!(refusal(own), Refusal::OwnWish);
    decline(&stage.ctx, &chief.0, &chief.1, &Origin::NONE, asked.id, &why()).await.unwrap();
    let again = confirm(&stage.ctx, &chief.0, &chief.1, &Origin::NONE, asked.id).await;
    assert_eq!(refusal(again), Refusal::DecidedMeanwhile);
    let asked = asks(&stage, &boss, &order, 60_000, &FormKey::fresh()).await.unwrap();
    let foreign = withdraw(&stage.ctx, &chief.finance(), &Origin::NONE, asked.id).await;
    assert!(matches!(foreign, Err(Error::NotFound)));
    withdraw(&stage.ctx, &boss.finance(), &Origin::NONE, asked.id).await.unwrap();
    let late = confirm(&stage.ctx, &chief.0, &chief.1, &Origin::NONE, asked.id).await;
    assert_eq!(refusal(late), Refusal::DecidedMeanwhile);
    assert_eq!(stage.provider.refund_orders().len(), 0);
    let states: Vec<State> = shown(&stage, &boss, &order).await.iter().map(|request| request.state).collect();
    assert_eq!(states, [State::Declined, State::Withdrawn]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_database_itself_wants_another_person_above_the_limit(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (order, boss, _) = dear(&stage).await;
    asks(&stage, &boss, &order, 60_000, &FormKey::fresh()).await.unwrap();
    for (sql, constraint) in [
        ("update refund_requests set state = 'wanted', next_try_at = now()", "refund_requests_confirmed"),
        (
            "update refund_requests set state = 'wanted', next_try_at = now(), decided_by = asked_by, decided_at = now()",
            "refund_requests_second_admin",
        ),
    ] {
        let error = sqlx::query(sql).execute(&stage.ctx.db).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().constraint(), Some(constraint));
    }
    for sql in [
        "update refund_requests set amount_minor = 1",
        "update refund_requests set takes_two = false",
        "delete from refund_requests",
    ] {
        assert!(sqlx::query(sql).execute(&stage.ctx.db).await.is_err(), "{sql}");
    }
}
