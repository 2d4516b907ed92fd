//! What people are told of what an admin decided about them: credits moved by hand, requests answered.

use atlas::audit::{Origin, Reason};
use atlas::by_hand::confirm::{confirm, decline};
use atlas::by_hand::{Description, Done, Wish, act};
use atlas::notify::deliver::send_due;
use atlas::notify::outbox::{Shown, show};
use atlas::orders::FormKey;
use atlas::orders::answer::{Answer, answer};
use atlas::orders::request::{Note, submit};
use atlas::people::SignedIn;
use domain::{CreditDeedKind as Kind, CreditDeedState as State, Credits, RefundState};
use sqlx::PgPool;

use super::smtp::MailServer;
use crate::stage::boss::{Boss, admin};
use crate::stage::{Stage, refund, usage};

const REASON: &str = "Suspected of fraud";

fn why() -> Reason {
    Reason::parse("reason", REASON).unwrap()
}

async fn does(stage: &Stage, boss: &Boss, of: &SignedIn, kind: Kind, credits: i64, said: &str) -> Done {
    let description = Description::parse("description", said, kind).unwrap();
    let (credits, key) = (Credits::new(credits), FormKey::fresh());
    let wish = Wish { kind, person: of.id(), credits, description, reason: why(), key };
    let done = act(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, &wish).await.unwrap();
    assert_eq!(act(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, &wish).await.unwrap(), done, "sent twice");
    done
}

/// The only mail of that kind, as it would be sent now.
async fn told(stage: &Stage, kind: &str) -> Option<Shown> {
    let ids: Vec<i64> =
        sqlx::query_scalar("select id from mails where kind = $1").bind(kind).fetch_all(&stage.owner).await.unwrap();
    let [id] = ids.try_into().unwrap();
    show(&stage.ctx, id).await.unwrap()
}

fn assert_says(mail: &Shown, subject: &str, parts: &[&str]) {
    assert_eq!((mail.to.as_slice(), mail.subject.as_str()), (["ana@example.com".to_owned()].as_slice(), subject));
    for part in parts.iter().chain(&["Your statement:\nhttps://atlas.example/transactions"]) {
        assert!(mail.text.contains(part), "{part} in {}", mail.text);
    }
    assert!(!mail.text.contains("fraud") && !mail.html.contains("fraud"), "the reason is ours: {}", mail.text);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_done_by_hand_is_told_once_with_what_was_written_for_its_owner(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    does(&stage, &boss, &ana, Kind::Grant, 1_500, "For your <b>patience</b>").await;
    let mail = told(&stage, "credits_granted").await.unwrap();
    let parts = ["We put 1,500 credits into your wallet.", "In your statement: For your <b>patience</b>"];
    assert_says(&mail, "You got 1,500 credits", &parts);
    assert!(mail.text.contains("Your balance: 1,500 credits") && !mail.html.contains("<b>"), "{}", mail.html);

    does(&stage, &boss, &ana, Kind::Take, 500, "").await;
    let mail = told(&stage, "credits_taken").await.unwrap();
    let parts = ["We took 500 credits out of your wallet.", "In your statement: Corrected by us"];
    assert_says(&mail, "500 credits were taken back", &parts);
    assert!(mail.text.contains("Your balance: 1,000 credits"), "{}", mail.text);

    // Bought, spent and paid back: the rest is owed.
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    stage.spends(&usage(&ana, 6_000)).await.unwrap();
    let refunded = refund("rf_1", "pay_1", 750, RefundState::Succeeded);
    stage.delivers(&stage.refund_webhook("evt_r", &refunded)).await.unwrap();
    does(&stage, &boss, &ana, Kind::Forgive, 4_000, "").await;
    let mail = told(&stage, "debt_forgiven").await.unwrap();
    let parts = ["You owe 4,000 credits less.", "Credits owed: 1,000", "repays what is owed first"];
    assert_says(&mail, "4,000 owed credits are forgiven", &parts);

    let server = MailServer::start().await;
    send_due(&stage.ctx, Some(&server.post(""))).await.unwrap();
    let subjects: Vec<String> = server.arrived().iter().map(|mail| mail.header("Subject").to_owned()).collect();
    let mut by_hand =
        ["You got 1,500 credits", "500 credits were taken back", "4,000 owed credits are forgiven"].iter();
    assert!(by_hand.all(|subject| subjects.iter().filter(|sent| sent == subject).count() == 1), "{subjects:?}");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_waits_or_is_declined_is_told_to_nobody_and_who_left_hears_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss, chief) = (stage.buyer("ana").await, admin(&stage, "boss").await, admin(&stage, "chief").await);
    let declined = does(&stage, &boss, &ana, Kind::Grant, 100_001, "").await;
    assert_eq!(declined.state, State::Waiting);
    decline(&stage.ctx, &chief.0, &chief.1, &Origin::NONE, declined.id, &why()).await.unwrap();
    let waiting = does(&stage, &boss, &ana, Kind::Grant, 100_002, "").await;
    let mails = "select count(*) from mails where kind = 'credits_granted'";
    assert_eq!(stage.count(mails).await, 0);
    confirm(&stage.ctx, &chief.0, &chief.1, &Origin::NONE, waiting.id).await.unwrap();
    assert_says(&told(&stage, "credits_granted").await.unwrap(), "You got 100,002 credits", &["Given by us"]);
    let left = "update user_profiles set deleted_at = now() where id = $1";
    sqlx::query(left).bind(ana.id()).execute(&stage.owner).await.unwrap();
    assert!(told(&stage, "credits_granted").await.is_none());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_answer_to_a_request_is_told_with_the_reason_that_was_written_for_its_buyer(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    for (said, kind, subject, parts) in [
        (
            Answer::Reject,
            "request_rejected",
            "Your request was declined",
            ["what you asked for: Not <i>this</i> year", "charged"],
        ),
        (
            Answer::Approve { credits: Some(Credits::new(80_000)) },
            "request_approved",
            "Approved: 80,000 credits",
            ["Credits: 80,000", "https://atlas.example/receipt/"],
        ),
    ] {
        let note = Note::parse("note", "").unwrap();
        let plan = stage.plan("enterprise").await;
        let order = submit(&stage.ctx, &ana, plan, note, FormKey::fresh()).await.unwrap();
        let reason = Reason::parse("reason", "Not <i>this</i> year").unwrap();
        answer(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, &[order], said, &reason).await.unwrap();
        let mail = told(&stage, kind).await.unwrap();
        assert_eq!((mail.to[0].as_str(), mail.subject.as_str()), ("ana@example.com", subject));
        for part in parts {
            assert!(mail.text.contains(part), "{part} in {}", mail.text);
        }
        assert!(!mail.html.contains("<i>"), "{}", mail.html);
    }
}
