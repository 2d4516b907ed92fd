//! Sending: everything once, again when the server says "later", given up after eight tries, never lost.

use std::collections::BTreeSet;

use atlas::notify::News;
use atlas::notify::deliver::send_due;
use atlas::notify::outbox::{Again, retry};
use domain::PaymentState;
use futures::future::join_all;
use sqlx::PgPool;
use time::Duration;

use super::announce::announces;
use super::smtp::MailServer;
use crate::stage::{Ordered, Stage};

/// An order of ana's that is paid, and so its receipt is announced.
async fn bought(stage: &Stage) -> Ordered {
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    order
}

async fn state(stage: &Stage) -> (String, i16) {
    sqlx::query_as("select state, tries from mails").fetch_one(&stage.owner).await.unwrap()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_receipt_goes_out_once_as_text_and_html(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let order = bought(&stage).await;
    let server = MailServer::start().await;
    let post = server.post("");
    for _ in 0..3 {
        send_due(&stage.ctx, Some(&post)).await.unwrap();
    }
    let arrived = server.arrived();
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].to, ["ana@example.com"]);
    assert_eq!(arrived[0].header("To"), "ana@example.com");
    assert_eq!(arrived[0].header("Subject"), "Receipt: 5,000 credits");
    assert_eq!(arrived[0].header("Auto-Submitted"), "auto-generated");
    assert!(arrived[0].header("From").contains("<credits@atlas.example>"));
    assert!(arrived[0].header("Content-Type").starts_with("multipart/alternative"));
    assert!(arrived[0].text.contains("text/plain") && arrived[0].text.contains("text/html"));
    assert!(arrived[0].text.contains(&order.id.to_string()));
    assert_eq!(state(&stage).await, ("sent".to_owned(), 1));
    assert_eq!(stage.count("select count(*) from graphile_worker.jobs").await, 0, "its wake-up is done");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_server_that_says_later_is_asked_eight_times_then_the_mail_is_parked(pool: PgPool) {
    let stage = Stage::new(pool).await;
    bought(&stage).await;
    let server = MailServer::start().await;
    server.refuses_always("451 later");
    let post = server.post("");
    let pauses = [1, 5, 30, 120, 600, 3_600, 21_600];
    for (place, pause) in pauses.into_iter().enumerate() {
        for _ in 0..2 {
            send_due(&stage.ctx, Some(&post)).await.unwrap();
            assert_eq!(
                state(&stage).await,
                ("queued".to_owned(), i16::try_from(place).unwrap() + 1),
                "not before it is due"
            );
        }
        let woken = stage.count("select count(*) from graphile_worker.jobs where key = 'send_mails:next'").await;
        assert_eq!(woken, i64::from(pause < 60 || place > 2), "short pauses do not wait for the minute");
        stage.advance(Duration::seconds(pause));
    }
    send_due(&stage.ctx, Some(&post)).await.unwrap();
    assert_eq!(state(&stage).await, ("parked".to_owned(), 8));
    server.accepts();
    stage.advance(Duration::days(1));
    send_due(&stage.ctx, Some(&post)).await.unwrap();
    assert_eq!(server.arrived().len(), 0, "a parked mail waits for a person");
    let error: String = sqlx::query_scalar("select error from mails").fetch_one(&stage.owner).await.unwrap();
    assert!(error.contains("451") || error.contains("later"), "{error}");

    assert_eq!(retry(&stage.ctx.db, Again::Parked).await.unwrap(), 1);
    send_due(&stage.ctx, Some(&post)).await.unwrap();
    assert_eq!(server.arrived().len(), 1);
    assert_eq!(state(&stage).await, ("sent".to_owned(), 1));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_address_that_does_not_exist_is_parked_at_once_and_holds_up_nobody(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let order = bought(&stage).await;
    let server = MailServer::start().await;
    server.refuses_once("550 no such user");
    send_due(&stage.ctx, Some(&server.post(""))).await.unwrap();
    assert_eq!(state(&stage).await, ("parked".to_owned(), 1));
    announces(&stage, &[News::Receipt { order: order.id, payment: "pay_1".to_owned() }]).await.unwrap();
    assert_eq!(state(&stage).await, ("parked".to_owned(), 1), "announced again, it stays one mail");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn while_the_server_is_away_mails_wait(pool: PgPool) {
    let stage = Stage::new(pool).await;
    bought(&stage).await;
    send_due(&stage.ctx, Some(&MailServer::nowhere().await)).await.unwrap();
    assert_eq!(state(&stage).await, ("queued".to_owned(), 1));
    stage.advance(Duration::seconds(1));
    let server = MailServer::start().await;
    send_due(&stage.ctx, Some(&server.post(""))).await.unwrap();
    assert_eq!((server.arrived().len(), state(&stage).await), (1, ("sent".to_owned(), 2)));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn without_a_server_mails_are_kept_and_may_be_sent_later(pool: PgPool) {
    let stage = Stage::new(pool).await;
    bought(&stage).await;
    send_due(&stage.ctx, None).await.unwrap();
    assert_eq!(state(&stage).await, ("kept".to_owned(), 0));
    let server = MailServer::start().await;
    send_due(&stage.ctx, Some(&server.post(""))).await.unwrap();
    assert_eq!(server.arrived().len(), 0, "old news are not sent by themselves");
    let id = stage.count("select id from mails").await;
    assert_eq!(retry(&stage.ctx.db, Again::One(id)).await.unwrap(), 1);
    send_due(&stage.ctx, Some(&server.post(""))).await.unwrap();
    assert_eq!(server.arrived().len(), 1);
    assert_eq!(retry(&stage.ctx.db, Again::One(id)).await.unwrap(), 0, "what was sent is not sent again");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn several_processes_send_each_mail_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    for number in 0..30 {
        let order = stage.starts_checkout(&ana, "starter").await;
        stage.pays(&order, &format!("pay_{number}")).await;
    }
    let server = MailServer::start().await;
    let posts = [server.post(""), server.post(""), server.post("")];
    for sent in join_all(posts.iter().map(|post| send_due(&stage.ctx, Some(post)))).await {
        sent.unwrap();
    }
    let ids: BTreeSet<String> = server.arrived().iter().map(|mail| mail.header("Message-ID").to_owned()).collect();
    assert_eq!((ids.len(), server.arrived().len()), (30, 30));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_process_that_dies_while_sending_leaves_it_to_the_next(pool: PgPool) {
    let stage = Stage::new(pool).await;
    bought(&stage).await;
    let server = MailServer::start().await;
    let post = server.post("");
    // The first takes it up and sends it, but the note of it is lost.
    send_due(&stage.ctx, Some(&post)).await.unwrap();
    sqlx::query("update mails set state = 'queued', sent_at = null, due_at = $1")
        .bind(stage.ctx.now() + Duration::minutes(5))
        .execute(&stage.owner)
        .await
        .unwrap();
    send_due(&stage.ctx, Some(&post)).await.unwrap();
    assert_eq!(server.arrived().len(), 1, "it may still be at it");
    stage.advance(Duration::minutes(5));
    send_due(&stage.ctx, Some(&post)).await.unwrap();
    let arrived = server.arrived();
    assert_eq!(arrived.len(), 2);
    assert_eq!(arrived[0].header("Message-ID"), arrived[1].header("Message-ID"), "so that mailboxes may show it once");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn admins_hear_of_failed_payments_once_an_hour(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    for name in ["zoe", "bea"] {
        let admin = stage.buyer(name).await;
        sqlx::query("update user_profiles set role = 'admin' where id = $1")
            .bind(admin.id())
            .execute(&stage.owner)
            .await
            .unwrap();
    }
    let server = MailServer::start().await;
    let (everybody, named) = (server.post(""), server.post("ops@example.com"));
    let fails = async |payment: &str| {
        let order = stage.starts_checkout(&ana, "starter").await;
        let facts = order.facts(payment, PaymentState::Failed);
        stage.delivers(&stage.payment_webhook(&format!("evt_{payment}"), &facts)).await.unwrap();
    };
    let to_admins = || -> Vec<_> {
        server.arrived().into_iter().filter(|mail| mail.header("Subject").starts_with("Atlas Credits:")).collect()
    };
    for payment in ["pay_1", "pay_2", "pay_3"] {
        fails(payment).await;
    }
    send_due(&stage.ctx, Some(&everybody)).await.unwrap();
    let arrived = to_admins();
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].header("Subject"), "Atlas Credits: 3 payments failed");
    assert_eq!(arrived[0].to, ["bea@example.com", "zoe@example.com"]);
    assert!(!arrived[0].text.contains("zoe@"), "they are not shown to each other");

    for payment in ["pay_4", "pay_5"] {
        fails(payment).await;
    }
    stage.advance(Duration::minutes(59));
    send_due(&stage.ctx, Some(&named)).await.unwrap();
    assert_eq!(to_admins().len(), 1, "within the hour they wait");
    stage.advance(Duration::minutes(2));
    send_due(&stage.ctx, Some(&named)).await.unwrap();
    let arrived = to_admins();
    assert_eq!(arrived.len(), 2);
    assert_eq!(arrived[1].header("Subject"), "Atlas Credits: 2 payments failed");
    assert_eq!(arrived[1].to, ["ops@example.com"]);
    assert_eq!(
        stage.count("select count(*) from mails where state = 'sent' and kind = 'admin_payment_failed'").await,
        5
    );
    assert_eq!(server.arrived().len(), 7, "and each buyer of their own");
}
