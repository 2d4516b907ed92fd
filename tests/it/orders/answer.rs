//! Requests are answered once, whoever answers, however many at once.

use atlas::audit::{Origin, Reason};
use atlas::events::PaymentFacts;
use atlas::orders::answer::{AT_ONCE_MAX, Answer, Outcome, answer, pending};
use atlas::orders::desk::{self, Search, Wanted};
use atlas::orders::request::{Note, submit};
use atlas::orders::{FormKey, dossier, receipt};
use atlas::people::SignedIn;
use atlas::people::roles::{Admin, Support};
use atlas::{Error, Refusal, Result};
use domain::{Credits, OrderId, OrderState, PaymentState};
use futures::future::join_all;
use sqlx::PgPool;

use crate::stage::boss::{Boss, admin};
use crate::stage::{Stage, refusal};

async fn asks(stage: &Stage, buyer: &SignedIn) -> OrderId {
    let note = Note::parse("note", "For <b>12</b> people").unwrap();
    submit(&stage.ctx, buyer, stage.plan("enterprise").await, note, FormKey::fresh()).await.unwrap()
}

async fn says(
    stage: &Stage,
    Boss(admin, fresh): &Boss,
    orders: &[OrderId],
    said: Answer,
) -> Result<Vec<(OrderId, Outcome)>> {
    let reason = Reason::parse("reason", "Agreed by phone").unwrap();
    answer(&stage.ctx, admin, fresh, &Origin::NONE, orders, said, &reason).await
}

const AS_ASKED: Answer = Answer::Approve { credits: None };

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_approved_request_is_credited_at_once_and_says_who_and_why(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    let order = asks(&stage, &ana).await;
    assert_eq!(pending(&stage.ctx.db, &boss.0, &[order]).await.unwrap().len(), 1);
    assert_eq!(says(&stage, &boss, &[order], AS_ASKED).await.unwrap(), [(order, Outcome::Answered)]);
    assert_eq!(stage.posted(&ana).await, 100_000);
    assert_eq!(receipt::receipt(&stage.ctx.db, &ana, order).await.unwrap().credits.get(), 100_000);
    let support = Support::prove(boss.0.person().clone()).unwrap();
    let story = dossier::load(&stage.ctx, &support, order).await.unwrap();
    let said = story.order.answer.unwrap();
    assert_eq!((said.by.as_deref(), said.reason.as_str()), (Some(boss.0.person().email()), "Agreed by phone"));
    assert_eq!((story.order.state, story.bookings.len()), (OrderState::Approved, 1));
    assert_eq!(story.mails.iter().map(|mail| mail.kind.as_str()).collect::<Vec<_>>(), ["request_approved"]);
    let entry = "select count(*) from audit_entries where deed = 'request_approved' and why = 'Agreed by phone'";
    assert_eq!(stage.count(entry).await, 1);
    assert!(pending(&stage.ctx.db, &boss.0, &[order]).await.unwrap().is_empty());
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_was_agreed_on_counts_and_what_was_asked_for_stays_readable(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    let order = asks(&stage, &ana).await;
    says(&stage, &boss, &[order], Answer::Approve { credits: Some(Credits::new(80_000)) }).await.unwrap();
    assert_eq!(stage.posted(&ana).await, 80_000);
    let (asked, given): (i64, i64) =
        sqlx::query_as("select credits, granted_credits from credit_orders").fetch_one(&stage.owner).await.unwrap();
    assert_eq!((asked, given), (100_000, 80_000));
    assert_eq!(receipt::receipt(&stage.ctx.db, &ana, order).await.unwrap().credits.get(), 80_000);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_rejected_request_gives_nothing_and_tells_its_buyer_why(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    let order = asks(&stage, &ana).await;
    says(&stage, &boss, &[order], Answer::Reject).await.unwrap();
    assert_eq!(stage.posted(&ana).await, 0);
    let page = atlas::orders::page::load(&stage.ctx.db, &ana, order).await.unwrap();
    assert_eq!((page.state, page.answer_reason.as_deref()), (OrderState::Rejected, Some("Agreed by phone")));
    assert_eq!(
        says(&stage, &boss, &[order], AS_ASKED).await.unwrap(),
        [(order, Outcome::WasNot(OrderState::Rejected))]
    );
    assert_eq!(stage.posted(&ana).await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t35_admins_who_approve_the_same_requests_at_once_give_once_and_the_second_learns_it(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let bosses = [admin(&stage, "boss").await, admin(&stage, "chief").await];
    let mut orders = Vec::new();
    for name in ["ana", "ben", "cia"] {
        orders.push(asks(&stage, &stage.buyer(name).await).await);
    }
    let back: Vec<OrderId> = orders.iter().rev().copied().collect();
    let tries = (0..16).map(|n| says(&stage, &bosses[n % 2], if n % 3 == 0 { &back } else { &orders }, AS_ASKED));
    let outcomes: Vec<(OrderId, Outcome)> = join_all(tries).await.into_iter().flat_map(Result::unwrap).collect();
    for order in &orders {
        let done = outcomes.iter().filter(|(id, outcome)| id == order && *outcome == Outcome::Answered).count();
        let late = (*order, Outcome::WasNot(OrderState::Approved));
        assert_eq!((done, outcomes.iter().filter(|outcome| **outcome == late).count()), (1, 15));
    }
    assert_eq!(stage.count("select count(*) from credit_transactions where kind = 'grant'").await, 3);
    assert_eq!(stage.count("select sum(posted)::bigint from credit_accounts where kind = 'wallet'").await, 300_000);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t35_an_approval_and_a_payment_at_the_same_moment_give_credits_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    // A request that a payment claims to be for, and an order at the checkout that somebody tries to approve.
    let order = asks(&stage, &ana).await;
    let checkout = stage.starts_checkout(&ana, "starter").await;
    let paid = checkout.facts("pay_1", PaymentState::Succeeded);
    let claimed = PaymentFacts {
        payment_id: "pay_2".to_owned(),
        checkout_id: Some("ch_of_nobody".to_owned()),
        order_hint: Some(order),
        ..paid.clone()
    };
    let webhooks = [stage.payment_webhook("evt_1", &paid), stage.payment_webhook("evt_2", &claimed)];
    let both = [order, checkout.id];
    let approvals = join_all((0..4).map(|_| says(&stage, &boss, &both, AS_ASKED)));
    let payments = join_all(webhooks.iter().chain(&webhooks).map(|webhook| stage.delivers(webhook)));
    let (approvals, payments) = futures::future::join(approvals, payments).await;
    let approved = approvals.into_iter().flat_map(Result::unwrap);
    let approved: Vec<OrderId> =
        approved.filter(|(_, outcome)| *outcome == Outcome::Answered).map(|(order, _)| order).collect();
    assert_eq!(approved, [order], "the checkout's order is never approved, the request once");
    assert!(payments.iter().all(Result::is_ok), "{payments:?}");
    assert_eq!(stage.posted(&ana).await, 105_000);
    assert_eq!(stage.count("select count(*) from credit_transactions where kind = 'grant'").await, 2);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_no_waiting_request_is_never_approved(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    let checkout = stage.starts_checkout(&ana, "starter").await;
    let unknown = OrderId::from_uuid(atlas::ids::fresh());
    let outcomes = says(&stage, &boss, &[checkout.id, unknown], AS_ASKED).await.unwrap();
    assert_eq!(outcomes, [(checkout.id, Outcome::WasNot(OrderState::Opened))]);
    let many = vec![unknown; AT_ONCE_MAX + 1];
    assert_eq!(refusal(says(&stage, &boss, &many, AS_ASKED).await), Refusal::TooManyAtOnce);
    assert_eq!(stage.posted(&ana).await, 0);
    assert!(matches!(Admin::prove(ana), Err(Error::NotFound)));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_order_is_found_by_whatever_somebody_pastes(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let support = Support::prove(admin(&stage, "boss").await.0.person().clone()).unwrap();
    let order = stage.starts_checkout(&ana, "starter").await;
    let facts = stage.pays(&order, "pay_findme").await;
    asks(&stage, &ben).await;
    let checkout: String = sqlx::query_scalar("select checkout_id from credit_orders where id = $1")
        .bind(order.id)
        .fetch_one(&stage.owner)
        .await
        .unwrap();
    for text in [order.id.to_string(), facts.payment_id.clone(), checkout, ana.email().to_uppercase(), "  ana".into()] {
        let wanted = Wanted { search: Search::parse(&text), ..Wanted::default() };
        let found = desk::page(&stage.ctx.db, &support, &wanted, None).await.unwrap();
        assert_eq!(found.orders.iter().map(|listed| listed.id).collect::<Vec<_>>(), [order.id], "{text}");
    }
    let all = desk::page(&stage.ctx.db, &support, &Wanted::default(), None).await.unwrap();
    assert_eq!((all.orders.len(), all.next.is_none()), (2, true));
    for text in ["nobody@", "pay_other", "%", "ana%", "_na"] {
        let wanted = Wanted { search: Search::parse(text), ..Wanted::default() };
        assert!(desk::page(&stage.ctx.db, &support, &wanted, None).await.unwrap().orders.is_empty(), "{text}");
    }
    assert_eq!(desk::waiting(&stage.ctx.db, &support).await.unwrap(), 1);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn pages_of_orders_leave_none_out_and_show_none_twice(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let support = Support::prove(admin(&stage, "boss").await.0.person().clone()).unwrap();
    asks(&stage, &ana).await;
    // Many of one moment, so that only the id tells them apart.
    sqlx::query(
        "insert into credit_orders (id, buyer_id, key, plan_version_id, plan_name, credits, provider, state, created_at)
        select gen_random_uuid(), buyer_id, 'another ' || n, plan_version_id, plan_name, credits, provider, state, created_at
        from credit_orders cross join generate_series(1, 119) n",
    )
    .execute(&stage.owner)
    .await
    .unwrap();
    let (mut seen, mut after) = (std::collections::BTreeSet::new(), None);
    let mut pages = 0;
    loop {
        let wanted = Wanted { state: Some(OrderState::Requested), ..Wanted::default() };
        let page = desk::page(&stage.ctx.db, &support, &wanted, after).await.unwrap();
        pages += 1;
        assert!(page.orders.iter().all(|order| seen.insert(order.id)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((seen.len(), pages), (120, 3));
}
