//! What mails say: the truth when they are sent, and nothing that somebody smuggled in.

use atlas::events::Failure;
use atlas::ids;
use atlas::notify::News;
use atlas::notify::deliver::send_due;
use atlas::notify::outbox::{Shown, show};
use domain::{EventId, FailureReason, OrderId, PaymentState};
use sqlx::{AssertSqlSafe, PgPool};

use super::announce::announces;
use super::smtp::MailServer;
use crate::stage::{Ordered, Stage, usage};

/// The mail about the news, as it would be sent now.
async fn told(stage: &Stage, news: News) -> Option<Shown> {
    announces(stage, std::slice::from_ref(&news)).await.unwrap();
    let id: i64 = sqlx::query_scalar("select id from mails where kind = $1 and subject = $2")
        .bind(news.kind().as_str())
        .bind(news.subject())
        .fetch_one(&stage.owner)
        .await
        .unwrap();
    show(&stage.ctx, id).await.unwrap()
}

async fn fails(stage: &Stage, order: &Ordered, payment: &str, reason: FailureReason) {
    let mut facts = order.facts(payment, PaymentState::Failed);
    facts.failure = Some(Failure { reason, message: Some("Do not honor.".to_owned()) });
    stage.delivers(&stage.payment_webhook(&format!("evt_{payment}"), &facts)).await.unwrap();
}

fn receipt(order: OrderId) -> News {
    News::Receipt { order, payment: "pay_1".to_owned() }
}

fn payment_failed(order: OrderId) -> News {
    News::PaymentFailed { order, payment: "pay_1".to_owned() }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_receipt_says_what_was_bought(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let mut facts = order.facts("pay_1", PaymentState::Succeeded);
    facts.method = Some("visa •••• 4242".to_owned());
    stage.delivers(&stage.payment_webhook("evt_1", &facts)).await.unwrap();
    let mail = told(&stage, receipt(order.id)).await.unwrap();
    assert_eq!(mail.to, ["ana@example.com"]);
    for part in [
        "Plan: Starter",
        "Credits: 5,000",
        &format!("Price: {} USD", order.price),
        "Paid with: visa •••• 4242",
        &format!("https://atlas.example/receipt/{}", order.id),
        "https://atlas.example/credits",
    ] {
        assert!(mail.text.contains(part), "{part} in {}", mail.text);
    }
    assert!(mail.html.contains(&format!("<a href=\"https://atlas.example/receipt/{}\">", order.id)), "{}", mail.html);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_failed_payment_says_why_and_what_to_do(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    fails(&stage, &order, "pay_1", FailureReason::ExpiredCard).await;
    let mail = told(&stage, payment_failed(order.id)).await.unwrap();
    for part in [
        "The card has expired. No money moved",
        "Buy again with a card that is still valid.",
        "Whop: Do not honor.",
        "Buy again:\nhttps://atlas.example/credits",
    ] {
        assert!(mail.text.contains(part), "{part} in {}", mail.text);
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_no_longer_true_is_not_said(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    fails(&stage, &order, "pay_1", FailureReason::Declined).await;
    assert!(told(&stage, receipt(order.id)).await.is_none(), "nothing was paid yet");
    assert!(told(&stage, payment_failed(order.id)).await.is_some());
    stage.pays(&order, "pay_2").await;
    assert!(told(&stage, payment_failed(order.id)).await.is_none(), "another card worked");

    let server = MailServer::start().await;
    send_due(&stage.ctx, Some(&server.post(""))).await.unwrap();
    let arrived = server.arrived();
    assert_eq!((arrived.len(), arrived[0].header("Subject")), (1, "Receipt: 5,000 credits"));
    assert!(arrived[0].text.contains("pay_2"));
    assert_eq!(stage.count("select count(*) from mails where state = 'moot'").await, 2);
    assert_eq!(stage.count("select count(*) from mails where state = 'kept'").await, 1, "there is no admin to tell");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_refund_says_how_much_went_back_and_what_is_owed(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    stage.spends(&usage(&ana, 1_000)).await.unwrap();
    let news = News::Refunded { order: order.id, refund: "rfnd_1".to_owned() };
    assert!(told(&stage, news.clone()).await.is_none(), "there is no refund");
    let sql = format!(
        "insert into refunds (provider, refund_id, payment_id, amount_minor, currency, state)
            values ('whop', 'rfnd_1', 'pay_1', {minor}, 'usd', 'succeeded');
        update payments set refunded_minor = {minor}, taken_credits = 5000;
        update credit_accounts set debt = 1000 where kind = 'wallet';",
        minor = order.price.minor,
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&stage.owner).await.unwrap();
    let mail = told(&stage, news).await.unwrap();
    assert_eq!(mail.subject, format!("Refund of {}", order.price));
    for part in ["Credits taken back for this order: 5,000", "Credits owed: 1,000", "repay them first"] {
        assert!(mail.text.contains(part), "{part} in {}", mail.text);
    }
    assert!(!mail.text.contains("in all"), "there was one refund: {}", mail.text);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn nobody_can_smuggle_in_a_header_or_a_tag(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    fails(&stage, &order, "pay_1", FailureReason::Declined).await;
    let nasty = "<script>x</script>\r\nBcc: everybody@example.com\r\n\r\n&";
    sqlx::query("update credit_orders set plan_name = $1").bind(nasty).execute(&stage.owner).await.unwrap();
    let mail = told(&stage, payment_failed(order.id)).await.unwrap();
    assert!(mail.html.contains("&lt;script&gt;x&lt;/script&gt;") && !mail.html.contains("<script>"), "{}", mail.html);
    assert!(!mail.text.contains("\nBcc"), "{}", mail.text);
    sqlx::query("update user_profiles set email = 'ana@example.com' || chr(13) || chr(10) || 'bcc: b@example.com'")
        .execute(&stage.owner)
        .await
        .unwrap();
    let server = MailServer::start().await;
    send_due(&stage.ctx, Some(&server.post(""))).await.unwrap();
    assert_eq!(server.arrived().len(), 0, "what is no address is sent nothing");
    assert_eq!(stage.count("select count(*) from mails where error like '%could not be written%'").await, 1);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn admins_read_what_is_in_quarantine(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let mut facts = order.facts("pay_1", PaymentState::Succeeded);
    facts.checkout_id = Some("ch_elsewhere".to_owned());
    stage.delivers(&stage.payment_webhook("evt_1", &facts)).await.unwrap();
    let event: uuid::Uuid = sqlx::query_scalar("select id from provider_events where state = 'quarantined'")
        .fetch_one(&stage.owner)
        .await
        .unwrap();
    let news = News::Quarantined { event: EventId::from_uuid(event) };
    let mail = told(&stage, news).await.unwrap();
    assert_eq!(mail.subject, "Atlas Credits: 1 webhook is in quarantine");
    for part in ["payment.succeeded about pay_1: unknown_order", &event.to_string(), "atlas event replay"] {
        assert!(mail.text.contains(part), "{part} in {}", mail.text);
    }
    let gone = News::Quarantined { event: EventId::from_uuid(ids::fresh()) };
    assert!(told(&stage, gone).await.is_none());
}
