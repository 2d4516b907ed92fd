//! However often, under however many ids and in whatever order a payment is told, it grants once.

use atlas::events::{self, Content, Received, inbox};
use atlas::orders::settle::ask::ask;
use domain::{OrderState, PaymentState};
use futures::FutureExt;
use futures::future::{join, join_all, join3};
use sqlx::postgres::PgListener;
use sqlx::{AssertSqlSafe, PgPool};

use crate::stage::{Stage, Webhook};

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_webhook_pays_the_order(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let mut listener = PgListener::connect_with(&stage.ctx.db).await.unwrap();
    listener.listen(atlas::orders::channel::CHANNEL).await.unwrap();
    stage.pays(&order, "pay_1").await;

    assert_eq!(listener.recv().await.unwrap().payload(), order.id.to_string(), "pages that wait hear of it");
    assert_eq!((stage.page(&ana, &order).await.state, stage.posted(&ana).await), (OrderState::Paid, 5_000));
    let kept = inbox::newest(&stage.ctx.db, None, 10).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].event_id.as_str(), kept[0].kind.as_str()), ("evt_pay_1", "payment.succeeded"));
    assert_eq!(
        (kept[0].state.as_str(), kept[0].order, kept[0].object_id.as_deref()),
        ("applied", Some(order.id), Some("pay_1"))
    );
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn two_hundred_deliveries_of_one_event_at_once_grant_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let webhook = stage.payment_webhook("evt_1", &order.facts("pay_1", PaymentState::Succeeded));
    let answers = join_all((0..200).map(|_| stage.delivers(&webhook))).await;

    let applied = answers.iter().filter(|answer| matches!(answer, Ok(Received::Applied))).count();
    let duplicates = answers.iter().filter(|answer| matches!(answer, Ok(Received::Duplicate))).count();
    assert_eq!((applied, duplicates), (1, 199));
    assert_eq!(stage.count("select count(*) from provider_events").await, 1);
    assert_eq!(stage.count("select count(*) from credit_transactions").await, 1);
    assert_eq!(stage.posted(&ana).await, 5_000);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_duplicate_webhook_grants_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let webhook = stage.payment_webhook("evt_1", &order.facts("pay_1", PaymentState::Succeeded));
    assert_eq!(stage.delivers(&webhook).await.unwrap(), Received::Applied);
    stage.advance(time::Duration::hours(30));
    assert_eq!(stage.delivers(&webhook).await.unwrap(), Received::Duplicate, "signed anew, hours later");
    assert_eq!(stage.posted(&ana).await, 5_000);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn one_payment_told_three_ways_at_once_grants_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    for round in 0..10 {
        let person = stage.buyer(&format!("person{round}")).await;
        let order = stage.starts_checkout(&person, "starter").await;
        let facts = order.facts(&format!("pay_{round}"), PaymentState::Succeeded);
        stage.provider.knows(&facts);
        let first = stage.payment_webhook(&format!("evt_{round}_a"), &facts);
        let second = stage.payment_webhook(&format!("evt_{round}_b"), &facts);
        let (first, asked, second) =
            join3(stage.delivers(&first), Box::pin(ask(&stage.ctx, order.id, None)), stage.delivers(&second)).await;
        assert_eq!((first.unwrap(), second.unwrap()), (Received::Applied, Received::Applied));
        asked.unwrap();
        assert_eq!(stage.posted(&person).await, 5_000);
        assert_eq!(stage.page(&person, &order).await.state, OrderState::Paid);
    }
    assert_eq!(stage.count("select count(*) from credit_transactions").await, 10);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_failure_after_the_success_takes_nothing_back(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    for state in [PaymentState::Failed, PaymentState::Canceled, PaymentState::Pending, PaymentState::Created] {
        let webhook = stage.payment_webhook(&format!("evt_{state}"), &order.facts("pay_1", state));
        assert_eq!(stage.delivers(&webhook).await.unwrap(), Received::Applied);
    }
    assert_eq!((stage.page(&ana, &order).await.state, stage.posted(&ana).await), (OrderState::Paid, 5_000));
    let (state, failure): (PaymentState, Option<String>) =
        sqlx::query_as("select state, failure from payments").fetch_one(&stage.ctx.db).await.unwrap();
    assert_eq!((state, failure), (PaymentState::Succeeded, None));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn every_order_of_the_webhooks_ends_the_same(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let told = [PaymentState::Created, PaymentState::Pending, PaymentState::Failed, PaymentState::Succeeded];
    let permutations = crate::cases::permutations(&told);
    assert_eq!(permutations.len(), 24);
    for (turn, states) in permutations.iter().enumerate() {
        let person = stage.buyer(&format!("person{turn}")).await;
        let order = stage.starts_checkout(&person, "starter").await;
        for state in states {
            let facts = order.facts(&format!("pay_{turn}"), *state);
            stage.delivers(&stage.payment_webhook(&format!("evt_{turn}_{state}"), &facts)).await.unwrap();
        }
        assert_eq!(stage.page(&person, &order).await.state, OrderState::Paid, "{states:?}");
        assert_eq!(stage.posted(&person).await, 5_000, "{states:?}");
    }
    let ends = "select count(distinct (state, amount_minor, currency, failure, refunded_minor)) from payments";
    assert_eq!(stage.count(ends).await, 1);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn webhooks_of_one_order_at_once_end_as_if_they_had_come_one_by_one(pool: PgPool) {
    let stage = Stage::new(pool).await;
    for round in 0..12 {
        let person = stage.buyer(&format!("person{round}")).await;
        let order = stage.starts_checkout(&person, "starter").await;
        let mut webhooks = Vec::new();
        for (payment, states) in [
            ("one", [PaymentState::Failed, PaymentState::Succeeded, PaymentState::Pending]),
            ("two", [PaymentState::Created, PaymentState::Failed, PaymentState::Canceled]),
        ] {
            for state in states {
                let facts = order.facts(&format!("pay_{round}_{payment}"), state);
                webhooks.push(stage.payment_webhook(&format!("evt_{round}_{payment}_{state}"), &facts));
            }
        }
        webhooks.rotate_left(round % 6);
        let answers = join_all(webhooks.iter().map(|webhook| stage.delivers(webhook))).await;
        assert!(answers.iter().all(|answer| matches!(answer, Ok(Received::Applied))), "{answers:?}");
        assert_eq!(stage.page(&person, &order).await.state, OrderState::Paid);
        assert_eq!(stage.posted(&person).await, 5_000);
        let payments: Vec<PaymentState> =
            sqlx::query_scalar("select state from payments where order_id = $1 order by payment_id")
                .bind(order.id)
                .fetch_all(&stage.ctx.db)
                .await
                .unwrap();
        assert_eq!(payments, [PaymentState::Succeeded, PaymentState::Failed]);
    }
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn buyers_side_by_side_each_get_their_own(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let mut webhooks: Vec<Webhook> = Vec::new();
    for (name, person, plan) in [("ana", &ana, "starter"), ("ben", &ben, "pro"), ("ana2", &ana, "pro")] {
        let order = stage.starts_checkout(person, plan).await;
        webhooks.push(
            stage
                .payment_webhook(&format!("evt_{name}"), &order.facts(&format!("pay_{name}"), PaymentState::Succeeded)),
        );
    }
    let deliveries = (0..60).map(|turn| stage.delivers(&webhooks[turn % 3]));
    assert!(join_all(deliveries).await.iter().all(Result::is_ok));
    assert_eq!((stage.posted(&ana).await, stage.posted(&ben).await), (30_000, 25_000));
    assert_eq!(stage.count("select count(*) from credit_transactions").await, 3);
    stage.audits_clean().await;
}

/// They were lost once, by a query that joined the orders it locked with themselves.
#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn orders_that_change_while_a_batch_waits_for_them_are_found(pool: PgPool) {
    // The plan that lost them.
    for method in ["seqscan", "hashjoin", "mergejoin"] {
        let sql = format!(
            "do $$ begin execute format('alter database %I set enable_{method} = off', current_database()); end $$"
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    }
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let mut deliveries = Vec::new();
    for turn in 0..20 {
        let order = stage.starts_checkout(&ana, "starter").await;
        let facts = order.facts(&format!("pay_{turn}"), PaymentState::Succeeded);
        deliveries.push(stage.signed(&stage.payment_webhook(&format!("evt_{turn}"), &facts)));
    }
    let mut other = stage.owner.begin().await.unwrap();
    sqlx::query("update credit_orders set state = 'processing', changed_at = now()")
        .execute(&mut *other)
        .await
        .unwrap();
    let commits = async {
        stage
            .until(
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
                1,
            )
            .await;
        other.commit().await.unwrap();
    };
    let (answers, ()) = join(events::receive_batch(&stage.ctx, deliveries), commits).await;

    assert!(answers.iter().all(|answer| matches!(answer, Ok(Received::Applied))), "{answers:?}");
    assert_eq!(stage.posted(&ana).await, 100_000);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_sender_who_hangs_up_does_not_undo_the_delivery(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let webhook = stage.payment_webhook("evt_1", &order.facts("pay_1", PaymentState::Succeeded));
    let delivery = stage.signed(&webhook);
    // Polled once, then dropped: as axum does when the client goes away.
    assert!(events::receive(&stage.ctx, delivery).now_or_never().is_none());
    stage.until("select count(*) from provider_events where state = 'applied'", 1).await;
    assert_eq!(stage.posted(&ana).await, 5_000);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn kinds_we_have_no_use_for_are_kept_and_ignored(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let webhook = stage.webhook("evt_1", "membership.went_valid", Content::Other);
    assert_eq!(stage.delivers(&webhook).await.unwrap(), Received::Ignored);
    assert_eq!(stage.delivers(&webhook).await.unwrap(), Received::Duplicate);
    let kept = inbox::newest(&stage.ctx.db, Some("ignored"), 10).await.unwrap();
    assert_eq!((kept.len(), kept[0].kind.as_str(), kept[0].order), (1, "membership.went_valid", None));
    let body: Vec<u8> = sqlx::query_scalar("select body from provider_events").fetch_one(&stage.ctx.db).await.unwrap();
    assert_eq!(body, webhook.body);
    assert!(inbox::newest(&stage.ctx.db, Some("parked"), 10).await.unwrap().is_empty());
}
