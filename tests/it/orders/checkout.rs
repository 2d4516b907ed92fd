//! Starting a checkout: one form is one order with one checkout, on the terms that were offered.

use atlas::orders::FormKey;
use atlas::orders::checkout::{Started, start};
use atlas::people::SignedIn;
use atlas::providers::Providers;
use atlas::{Context, Refusal, Result, ids};
use domain::{FailureReason, Money, OrderId, OrderState, PaymentState, PlanId, Price};
use futures::FutureExt;
use futures::future::join_all;
use sqlx::PgPool;
use time::Duration;

use crate::scripted::Fault;
use crate::stage::{Stage, refusal};

async fn sends(stage: &Stage, buyer: &SignedIn, plan: &str, key: &FormKey) -> Result<Started> {
    start(&stage.ctx, buyer, stage.plan(plan).await, key.clone()).await
}

async fn only_order(stage: &Stage) -> (OrderId, OrderState, Option<FailureReason>) {
    sqlx::query_as("select id, state, failure from credit_orders").fetch_one(&stage.ctx.db).await.unwrap()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_checkout_asks_the_provider_for_what_the_plan_says(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;

    let requests = stage.provider.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!((requests[0].order, requests[0].price), (order.id, Money::usd(750)));
    assert_eq!(requests[0].title, "Starter: 5,000 credits");
    assert_eq!(requests[0].return_url, format!("https://atlas.example/payment/status?order={}", order.id));
    let page = stage.page(&ana, &order).await;
    assert_eq!((page.state, page.price), (OrderState::Opened, Price::Fixed(Money::usd(750))));
    assert_eq!(page.checkout_url, Some(order.url));
    assert_eq!(stage.posted(&ana).await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_open_order_keeps_the_terms_it_was_sold(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let old = stage.starts_checkout(&ana, "starter").await;
    sqlx::query(
        "insert into plan_versions (id, plan_id, version, name, credits, price_minor, currency)
        values ($1, $2, 2, 'Starter 2', 10, 900, 'eur')",
    )
    .bind(ids::fresh())
    .bind(stage.plan("starter").await)
    .execute(&stage.ctx.db)
    .await
    .unwrap();
    stage.sells("starter", false).await;

    stage.pays(&old, "pay_1").await;
    let page = stage.page(&ana, &old).await;
    assert_eq!((page.state, page.plan_name.as_str(), page.credits.get()), (OrderState::Paid, "Starter", 5_000));
    assert_eq!(stage.posted(&ana).await, 5_000);

    stage.sells("starter", true).await;
    sends(&stage, &ana, "starter", &FormKey::fresh()).await.unwrap();
    let new = stage.provider.requests().pop().unwrap();
    assert_eq!((new.title.as_str(), new.price), ("Starter 2: 10 credits", Money::new(900, "eur".parse().unwrap())));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn one_form_sent_twenty_times_at_once_is_one_checkout(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let (plan, key) = (stage.plan("starter").await, FormKey::fresh());
    let answers = join_all((0..20).map(|_| start(&stage.ctx, &ana, plan, key.clone()))).await;

    let answers: Vec<Started> = answers.into_iter().map(Result::unwrap).collect();
    assert!(matches!(answers[0], Started::Checkout(_)));
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(stage.count("select count(*) from credit_orders").await, 1);
    assert_eq!(stage.provider.checkouts(), 1);
    assert_eq!(sends(&stage, &ana, "starter", &key).await.unwrap(), answers[0], "also later");
    assert_eq!(only_order(&stage).await.1, OrderState::Opened);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_failing_provider_leaves_a_failed_order_that_the_same_form_opens_later(pool: PgPool) {
    let stage = Stage::new(pool).await;
    for fault in Fault::ALL {
        let person = stage.buyer(&format!("{fault:?}").to_lowercase()).await;
        let key = FormKey::fresh();
        stage.provider.fails(fault);
        assert_eq!(refusal(sends(&stage, &person, "starter", &key).await), Refusal::CheckoutUnavailable, "{fault:?}");
        let (order, state, failure): (OrderId, OrderState, Option<FailureReason>) =
            sqlx::query_as("select id, state, failure from credit_orders where buyer_id = $1")
                .bind(person.id())
                .fetch_one(&stage.ctx.db)
                .await
                .unwrap();
        assert_eq!((state, failure), (OrderState::Failed, Some(FailureReason::CheckoutUnavailable)), "{fault:?}");
        assert_eq!(stage.count("select count(*) from payments").await, 0);
        assert_eq!(refusal(sends(&stage, &person, "starter", &key).await), Refusal::CheckoutUnavailable, "still down");

        stage.provider.recovers();
        let url = format!("https://pay.example/{order}");
        assert_eq!(sends(&stage, &person, "starter", &key).await.unwrap(), Started::Checkout(url), "{fault:?}");
        let (state, failure): (OrderState, Option<FailureReason>) =
            sqlx::query_as("select state, failure from credit_orders where id = $1")
                .bind(order)
                .fetch_one(&stage.ctx.db)
                .await
                .unwrap();
        assert_eq!((state, failure), (OrderState::Opened, None), "{fault:?}");
    }
    assert_eq!(stage.provider.checkouts(), Fault::ALL.len(), "also where an answer was lost, one checkout each");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_provider_that_hands_out_one_checkout_twice_gets_no_second_order(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    stage.provider.fails(Fault::SameCheckout);
    sends(&stage, &ana, "starter", &FormKey::fresh()).await.unwrap();
    assert_eq!(refusal(sends(&stage, &ben, "starter", &FormKey::fresh()).await), Refusal::CheckoutUnavailable);
    let states: Vec<OrderState> =
        sqlx::query_scalar("select state from credit_orders order by id").fetch_all(&stage.ctx.db).await.unwrap();
    assert_eq!(states, [OrderState::Opened, OrderState::Failed]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_form_is_good_for_one_plan_and_one_person(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let key = FormKey::fresh();
    let first = sends(&stage, &ana, "starter", &key).await.unwrap();
    assert_eq!(refusal(sends(&stage, &ana, "pro", &key).await), Refusal::FormUsedForAnotherPlan);
    assert_eq!(refusal(sends(&stage, &ana, "enterprise", &key).await), Refusal::FormUsedForAnotherPlan);
    assert_eq!(stage.count("select count(*) from credit_orders").await, 1);

    let of_ben = sends(&stage, &ben, "pro", &key).await.unwrap();
    assert_ne!(of_ben, first, "the same key of somebody else is another key");
    assert_eq!(stage.provider.checkouts(), 2);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_not_for_sale_is_refused_before_anything_is_written(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.sells("pro", false).await;
    let unknown = start(&stage.ctx, &ana, PlanId::from_uuid(ids::fresh()), FormKey::fresh()).await;
    assert_eq!(refusal(unknown), Refusal::PlanNotOnSale);
    assert_eq!(refusal(sends(&stage, &ana, "pro", &FormKey::fresh()).await), Refusal::PlanNotOnSale);
    assert_eq!(refusal(sends(&stage, &ana, "enterprise", &FormKey::fresh()).await), Refusal::PlanIsByAgreement);
    let without = Context { providers: Providers::default(), ..stage.ctx.clone() };
    let nobody_sells = start(&without, &ana, stage.plan("starter").await, FormKey::fresh()).await;
    assert_eq!(refusal(nobody_sells), Refusal::OrderedByRequest);
    assert_eq!(stage.count("select count(*) from credit_orders").await, 0);
    assert!(stage.provider.requests().is_empty());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_order_whose_provider_is_gone_fails_and_says_so(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, key) = (stage.buyer("ana").await, FormKey::fresh());
    stage.provider.hangs();
    let mut hanging = Box::pin(sends(&stage, &ana, "starter", &key));
    while stage.provider.requests().is_empty() {
        assert!((&mut hanging).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    assert_eq!(only_order(&stage).await.1, OrderState::Created);
    let without = Context { providers: Providers::default(), ..stage.ctx.clone() };
    let again = start(&without, &ana, stage.plan("starter").await, key.clone()).await;
    assert_eq!(refusal(again), Refusal::CheckoutUnavailable);
    assert_eq!(only_order(&stage).await.1, OrderState::Failed);

    // The one that hung gets through after all.
    stage.provider.answers();
    assert!(matches!(hanging.await.unwrap(), Started::Checkout(_)));
    assert_eq!(only_order(&stage).await.1, OrderState::Opened);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_buyer_who_hangs_up_finds_the_checkout_under_the_same_form(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, key) = (stage.buyer("ana").await, FormKey::fresh());
    stage.provider.hangs();
    let mut hanging = Box::pin(sends(&stage, &ana, "starter", &key));
    while stage.provider.requests().is_empty() {
        assert!((&mut hanging).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    drop(hanging);
    stage.provider.answers();
    stage.until("select count(*) from credit_orders where state = 'opened'", 1).await;
    assert!(matches!(sends(&stage, &ana, "starter", &key).await.unwrap(), Started::Checkout(_)));
    assert_eq!((stage.provider.requests().len(), stage.provider.checkouts()), (1, 1));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_form_sent_again_never_leads_to_paying_twice(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let cases = [
        (PaymentState::Created, OrderState::Opened, true),
        (PaymentState::Failed, OrderState::Failed, true),
        (PaymentState::Canceled, OrderState::Failed, true),
        (PaymentState::RequiresAction, OrderState::Processing, false),
        (PaymentState::Pending, OrderState::Processing, false),
        (PaymentState::Succeeded, OrderState::Paid, false),
    ];
    for (place, (told, state, payable)) in cases.into_iter().enumerate() {
        let person = stage.buyer(&format!("person{place}")).await;
        let key = FormKey::fresh();
        let Started::Checkout(url) = sends(&stage, &person, "starter", &key).await.unwrap() else { panic!() };
        let order = stage.order_of(&person).await;
        let facts = order.facts(&format!("pay_{place}"), told);
        stage.delivers(&stage.payment_webhook(&format!("evt_{place}"), &facts)).await.unwrap();
        assert_eq!(stage.page(&person, &order).await.state, state);
        let expected = if payable { Started::Checkout(url) } else { Started::Order(order.id) };
        assert_eq!(sends(&stage, &person, "starter", &key).await.unwrap(), expected, "{told}");
    }

    let late = stage.buyer("late").await;
    let key = FormKey::fresh();
    sends(&stage, &late, "starter", &key).await.unwrap();
    stage.advance(Duration::hours(25));
    atlas::orders::expire::expire_old(&stage.ctx).await.unwrap();
    let order = stage.order_of(&late).await;
    assert_eq!(sends(&stage, &late, "starter", &key).await.unwrap(), Started::Order(order.id));
}

#[test]
fn only_keys_of_our_forms_are_taken() {
    for good in ["12345678", &"a".repeat(128), "A-b_c-d_e"] {
        assert_eq!(FormKey::parse("key", good).unwrap().as_str(), good);
    }
    for bad in ["", "1234567", &"a".repeat(129), "12345678\0", "1234 5678", "12345678é", "'; drop table--"] {
        assert!(FormKey::parse("key", bad).is_err(), "{bad:?}");
    }
    assert_ne!(FormKey::fresh(), FormKey::fresh());
    assert!(FormKey::parse("key", FormKey::fresh().as_str()).is_ok());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn after_five_declined_payments_a_buyer_waits_for_a_day(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, bo) = (stage.buyer("ana").await, stage.buyer("bo").await);
    for number in 0..5 {
        let order = stage.starts_checkout(&ana, "starter").await;
        let declined = order.facts(&format!("pay_{number}"), PaymentState::Failed);
        stage.delivers(&stage.payment_webhook(&format!("evt_{number}"), &declined)).await.unwrap();
    }
    let asked = stage.provider.requests().len();
    assert_eq!(refusal(sends(&stage, &ana, "starter", &FormKey::fresh()).await), Refusal::TooManyDeclines);
    assert_eq!(stage.provider.requests().len(), asked, "the provider was not asked");
    sends(&stage, &bo, "starter", &FormKey::fresh()).await.unwrap();
    stage.advance(Duration::days(1));
    sends(&stage, &ana, "starter", &FormKey::fresh()).await.unwrap();
}
