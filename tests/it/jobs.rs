//! Jobs: with the transaction or not at all, once however many processes there are, again when they fail, parked in the
//! end.

use std::time::Duration;

use atlas::audit::Origin;
use atlas::events::Received;
use atlas::jobs::kinds::{ReplayEvent, SweepOrders, SweepSessions};
use atlas::jobs::list::{State, list, parked, retry, retry_by};
use atlas::jobs::work::{Tools, calendar, run, run_due};
use atlas::jobs::{enqueue, enqueue_all};
use atlas::people::roles::Support;
use atlas::reconcile::sweep::SWEEP_MAX;
use atlas::{Error, ids};
use domain::{EventId, PaymentState};
use futures::future::join_all;
use sqlx::PgPool;

use crate::stage::Stage;
use crate::stage::boss::admin;

const JOBS: &str = "select count(*) from graphile_worker.jobs";

fn tools(stage: &Stage) -> Tools {
    Tools { ctx: stage.ctx.clone(), post: None }
}

/// Events that are parked, though nothing is wrong with them.
async fn parked_events(stage: &Stage, count: usize) -> Vec<ReplayEvent> {
    let mut jobs = Vec::new();
    for number in 0..count {
        let webhook = stage.webhook(&format!("evt_{number}"), "ping", atlas::events::Content::Other);
        stage.delivers(&webhook).await.unwrap();
    }
    let ids: Vec<EventId> =
        sqlx::query_scalar("update provider_events set state = 'parked', reason = 'failed', attempts = 0 returning id")
            .fetch_all(&stage.owner)
            .await
            .unwrap();
    jobs.extend(ids.into_iter().map(|event| ReplayEvent { event }));
    jobs
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_job_comes_with_its_transaction_or_not_at_all(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let job = ReplayEvent { event: EventId::from_uuid(ids::fresh()) };
    let mut tx = stage.ctx.db.begin().await.unwrap();
    enqueue(&mut tx, &job).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(stage.count(JOBS).await, 0);
    let mut tx = stage.ctx.db.begin().await.unwrap();
    enqueue_all(&mut tx, &[job.clone(), job]).await.unwrap();
    enqueue_all::<ReplayEvent>(&mut tx, &[]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(stage.count(JOBS).await, 2);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn however_many_processes_there_are_each_job_is_done_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let jobs = parked_events(&stage, 40).await;
    let mut tx = stage.ctx.db.begin().await.unwrap();
    enqueue_all(&mut tx, &jobs).await.unwrap();
    tx.commit().await.unwrap();
    let tools = tools(&stage);
    for done in join_all((0..3).map(|_| run_due(&tools))).await {
        done.unwrap();
    }
    assert_eq!(stage.count(JOBS).await, 0);
    assert_eq!(stage.count("select count(*) from provider_events where state = 'ignored' and attempts = 1").await, 40);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_job_that_fails_is_tried_eight_times_then_parked_until_somebody_retries_it(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let mut tx = stage.ctx.db.begin().await.unwrap();
    enqueue(&mut tx, &ReplayEvent { event: EventId::from_uuid(ids::fresh()) }).await.unwrap();
    tx.commit().await.unwrap();
    let tools = tools(&stage);
    for tries in 1..=8 {
        run_due(&tools).await.unwrap();
        let jobs = list(&stage.ctx.db, 10).await.unwrap();
        assert_eq!(jobs.len(), 1);
        assert_eq!((jobs[0].tries, jobs[0].error.as_deref()), (tries, Some("not found")));
        assert_eq!(jobs[0].state, if tries == 8 { State::Parked } else { State::Waiting });
        let pause = jobs[0].run_at - jobs[0].created_at;
        assert!(pause >= time::Duration::seconds(2), "it is tried again after a pause: {pause}");
        run_due(&tools).await.unwrap();
        assert_eq!(list(&stage.ctx.db, 10).await.unwrap()[0].tries, tries, "not before its time, and not when parked");
        sqlx::query("update graphile_worker._private_jobs set run_at = now()").execute(&stage.owner).await.unwrap();
    }
    run_due(&tools).await.unwrap();
    let parked = list(&stage.ctx.db, 10).await.unwrap().remove(0);
    assert_eq!((parked.state, parked.tries, parked.kind.as_str()), (State::Parked, 8, "replay_event"));

    retry(&stage.ctx.db, parked.id).await.unwrap();
    let again = list(&stage.ctx.db, 10).await.unwrap().remove(0);
    assert_eq!((again.state, again.tries), (State::Waiting, 0));
    run_due(&tools).await.unwrap();
    assert_eq!(list(&stage.ctx.db, 10).await.unwrap()[0].tries, 1);
    assert!(matches!(retry(&stage.ctx.db, parked.id + 1).await, Err(Error::NotFound)));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_admin_has_a_parked_job_tried_again_and_no_other_and_it_is_written_down(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let support = Support::prove(boss.0.person().clone()).unwrap();
    let mut tx = stage.ctx.db.begin().await.unwrap();
    enqueue(&mut tx, &ReplayEvent { event: EventId::from_uuid(ids::fresh()) }).await.unwrap();
    tx.commit().await.unwrap();
    let id = list(&stage.ctx.db, 10).await.unwrap()[0].id;
    let retried = async || retry_by(&stage.ctx, &boss.0, &Origin::NONE, id).await;
    assert!(parked(&stage.ctx.db, &support).await.unwrap().is_empty());
    assert!(matches!(retried().await, Err(Error::NotFound)), "it has not given up");
    sqlx::query("update graphile_worker._private_jobs set attempts = max_attempts")
        .execute(&stage.owner)
        .await
        .unwrap();
    assert_eq!(parked(&stage.ctx.db, &support).await.unwrap()[0].id, id);
    retried().await.unwrap();
    assert!(matches!(retried().await, Err(Error::NotFound)), "once");
    assert_eq!(list(&stage.ctx.db, 10).await.unwrap()[0].tries, 0);
    assert_eq!(stage.count("select count(*) from audit_entries where deed = 'job_retried' and about = 'job'").await, 1);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_failing_job_does_not_hold_up_the_others(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let mut jobs = vec![ReplayEvent { event: EventId::from_uuid(ids::fresh()) }];
    jobs.extend(parked_events(&stage, 5).await);
    let mut tx = stage.ctx.db.begin().await.unwrap();
    enqueue_all(&mut tx, &jobs).await.unwrap();
    tx.commit().await.unwrap();
    run_due(&tools(&stage)).await.unwrap();
    assert_eq!(stage.count(JOBS).await, 1);
    assert_eq!(stage.count("select count(*) from provider_events where state = 'ignored'").await, 5);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_worker_does_what_comes_keeps_the_calendar_and_stops_when_told(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let worker = async {
        let told = async move { drop(stopped.await) };
        tokio::time::timeout(Duration::from_secs(20), run(tools(&stage), told)).await.unwrap();
    };
    let rest = async {
        let jobs = parked_events(&stage, 3).await;
        let mut tx = stage.ctx.db.begin().await.unwrap();
        enqueue_all(&mut tx, &jobs).await.unwrap();
        tx.commit().await.unwrap();
        while stage.count("select count(*) from provider_events where state = 'ignored'").await < 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let calendar: Vec<String> =
            sqlx::query_scalar("select identifier from graphile_worker._private_known_crontabs order by identifier")
                .fetch_all(&stage.owner)
                .await
                .unwrap();
        assert_eq!(
            calendar,
            [
                "care_for_grants",
                "check_books",
                "check_plans",
                "expire_credits",
                "expire_orders",
                "fold_figures",
                "send_mails",
                "send_refunds",
                "sweep_orders",
                "sweep_sessions"
            ]
        );
        assert_eq!(stage.count("select count(*) from graphile_worker._private_workers").await, 1);
        stop.send(()).unwrap();
    };
    futures::join!(worker, rest);
    assert_eq!(stage.count("select count(*) from graphile_worker._private_workers").await, 0, "it took its leave");
}

/// The calendar itself takes minutes; what it would put down is put down here.
#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn everything_in_the_calendar_can_be_done(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let calendar = calendar().unwrap();
    for entry in &calendar {
        sqlx::query("select graphile_worker.add_job($1, $2::json)")
            .bind(&entry.task_identifier)
            .bind(sqlx::types::Json(&entry.payload))
            .execute(&stage.owner)
            .await
            .unwrap();
    }
    assert_eq!(stage.count(JOBS).await, 10);
    run_due(&tools(&stage)).await.unwrap();
    let failed: Vec<String> =
        sqlx::query_scalar("select task_identifier || ': ' || last_error from graphile_worker.jobs")
            .fetch_all(&stage.owner)
            .await
            .unwrap();
    assert_eq!(failed, [""; 0]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_long_sweep_goes_on_in_jobs_of_its_own(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let first = stage.starts_checkout(&ana, "starter").await;
    // As many more like it as two sweeps ask about.
    sqlx::query(
        "insert into credit_orders (id, buyer_id, key, plan_version_id, plan_name, credits, price_minor, currency, provider,
            state, checkout_id, created_at, opened_at, next_ask_at)
        select gen_random_uuid(), buyer_id, 'another ' || n, plan_version_id, plan_name, credits, price_minor, currency,
            provider, state, checkout_id || n, created_at, opened_at, next_ask_at
        from credit_orders cross join generate_series(1, 2 * $2::int) n where id = $1",
    )
    .bind(first.id)
    .bind(i32::try_from(SWEEP_MAX).unwrap())
    .execute(&stage.owner)
    .await
    .unwrap();
    stage.advance(time::Duration::minutes(1));
    let mut tx = stage.ctx.db.begin().await.unwrap();
    enqueue(&mut tx, &SweepOrders {}).await.unwrap();
    tx.commit().await.unwrap();
    let due = "select count(*) from credit_orders where asks = 0";
    let mut runs = 0;
    while stage.count(JOBS).await > 0 {
        run_due(&tools(&stage)).await.unwrap();
        runs += 1;
    }
    assert_eq!((stage.count(due).await, stage.provider.queries().len()), (0, 2 * SWEEP_MAX + 1));
    assert!(runs <= 3, "{runs} runs");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_sweep_that_was_interrupted_after_the_next_took_its_place_is_forgotten(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let put_down = "select graphile_worker.add_job('sweep_orders', '{}', job_key => 'sweep_orders')";
    sqlx::query(put_down).execute(&stage.owner).await.unwrap();
    let at_it = "update graphile_worker._private_jobs set attempts = 1, locked_by = 'dead', locked_at = now()";
    sqlx::query(at_it).execute(&stage.owner).await.unwrap();
    sqlx::query(put_down).execute(&stage.owner).await.unwrap();
    let died = "select graphile_worker.recover_dead_worker_jobs(array['dead'])";
    sqlx::query(died).execute(&stage.owner).await.unwrap();
    assert_eq!(stage.count(JOBS).await, 2);
    let mut tx = stage.ctx.db.begin().await.unwrap();
    enqueue(&mut tx, &SweepSessions {}).await.unwrap();
    tx.commit().await.unwrap();
    run_due(&tools(&stage)).await.unwrap();
    assert_eq!(stage.count(JOBS).await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn while_a_sweep_runs_no_other_begins(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.starts_checkout(&ana, "starter").await;
    stage.advance(time::Duration::minutes(1));
    let calendar = calendar().unwrap();
    let sweep = calendar.iter().find(|entry| entry.task_identifier == "sweep_orders").unwrap();
    let put_down = "select graphile_worker.add_job('sweep_orders', '{}', queue_name => $1, job_key => $2)";
    for _ in 0..3 {
        let put_down = sqlx::query(put_down).bind(sweep.options.queue.clone()).bind(sweep.options.job_key.clone());
        put_down.execute(&stage.owner).await.unwrap();
    }
    assert_eq!(stage.count(JOBS).await, 1, "one waits, however often it is put down");
    let taken = "update graphile_worker._private_job_queues set locked_at = now(), locked_by = 'another process'";
    sqlx::query(taken).execute(&stage.owner).await.unwrap();
    run_due(&tools(&stage)).await.unwrap();
    assert_eq!((stage.count(JOBS).await, stage.provider.queries().len()), (1, 0));
    let free = "update graphile_worker._private_job_queues set locked_at = null, locked_by = null";
    sqlx::query(free).execute(&stage.owner).await.unwrap();
    run_due(&tools(&stage)).await.unwrap();
    assert_eq!((stage.count(JOBS).await, stage.provider.queries().len()), (0, 1));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_webhook_that_could_not_be_applied_is_tried_again_by_itself(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    sqlx::raw_sql(
        "create function out_of_order() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$;
        create trigger out_of_order before insert on credit_lots for each row execute function out_of_order()",
    )
    .execute(&stage.owner)
    .await
    .unwrap();
    let webhook = stage.payment_webhook("evt_1", &order.facts("pay_1", PaymentState::Succeeded));
    for received in [Received::Parked, Received::Duplicate] {
        assert_eq!(stage.delivers(&webhook).await.unwrap(), received);
    }
    let tools = tools(&stage);
    run_due(&tools).await.unwrap();
    let jobs = list(&stage.ctx.db, 10).await.unwrap();
    assert_eq!((jobs.len(), jobs[0].tries, stage.posted(&ana).await), (1, 1, 0));
    assert!(jobs[0].error.as_deref().unwrap().contains("broken"), "{:?}", jobs[0].error);

    sqlx::raw_sql("drop trigger out_of_order on credit_lots; update graphile_worker._private_jobs set run_at = now()")
        .execute(&stage.owner)
        .await
        .unwrap();
    run_due(&tools).await.unwrap();
    assert_eq!(stage.posted(&ana).await, 5_000);
    assert_eq!(
        stage.count("select count(*) from graphile_worker.jobs where task_identifier = 'replay_event'").await,
        0
    );
    stage.audits_clean().await;
}
