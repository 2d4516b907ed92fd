//! A new password by mail.

use atlas::audit::Origin;
use atlas::notify::deliver::send_due;
use atlas::people::devices::remember;
use atlas::people::links::Token;
use atlas::people::reset::{ask, reset};
use atlas::{Error, Refusal};
use sqlx::PgPool;
use time::Duration;

use super::post::{newest, token, token_text};
use super::{GOOD, HASHING, email, from_elsewhere, opens_account, password, signs_in, signs_up};
use crate::notify::smtp::MailServer;
use crate::stage::{Stage, refusal};

const NEW: &str = "quite another one";

async fn asks(stage: &Stage, address: &str) {
    ask(&stage.ctx, &email(address), &from_elsewhere().origin()).await.unwrap();
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_new_password_by_mail_ends_every_session_and_signs_nobody_in(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = signs_up(&stage, "ana@example.com").await;
    remember(&stage.ctx, &ana, None).await.unwrap();
    sqlx::query(
        "insert into sessions (id_hash, person_id, data, expires_at) values (sha256(''), $1, '{}', 'infinity')",
    )
    .bind(ana.id())
    .execute(&stage.ctx.db)
    .await
    .unwrap();
    asks(&stage, " Ana@Example.com ").await;
    let link = token(&stage, "reset_password").await;
    reset(&stage.ctx, &link, password(NEW), &Origin::NONE).await.unwrap();
    assert_eq!(stage.count("select count(*) from sessions").await, 0);
    assert_eq!(stage.count("select count(*) from known_devices").await, 0);
    assert_eq!(refusal(signs_in(&stage, "ana@example.com", GOOD).await), Refusal::WrongCredentials);
    assert!(signs_in(&stage, "ana@example.com", NEW).await.is_ok());
    assert_eq!(newest(&stage, "password_changed").await.unwrap().to, ["ana@example.com"]);
    let again = reset(&stage.ctx, &link, password("and one more still"), &Origin::NONE).await;
    assert_eq!(refusal(again), Refusal::LinkIsOver);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_link_for_a_new_password_is_over_after_20_minutes_and_with_the_first_that_is_used(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    signs_up(&stage, "ana@example.com").await;
    asks(&stage, "ana@example.com").await;
    let old = token(&stage, "reset_password").await;
    stage.advance(Duration::minutes(21));
    assert_eq!(refusal(reset(&stage.ctx, &old, password(NEW), &Origin::NONE).await), Refusal::LinkIsOver);
    asks(&stage, "ana@example.com").await;
    let first = token(&stage, "reset_password").await;
    stage.advance(Duration::hours(1));
    asks(&stage, "ana@example.com").await;
    let second = token(&stage, "reset_password").await;
    let third = token_text(&stage, "reset_password").await;
    for over in [first, second, Token::parse(&"a".repeat(43)).unwrap()] {
        assert_eq!(refusal(reset(&stage.ctx, &over, password(NEW), &Origin::NONE).await), Refusal::LinkIsOver);
    }
    reset(&stage.ctx, &Token::parse(&third).unwrap(), password(NEW), &Origin::NONE).await.unwrap();
    assert!(signs_in(&stage, "ana@example.com", NEW).await.is_ok());
    for bad in ["", "short", &"é".repeat(43), &format!("{third} "), &third[1..]] {
        assert!(Token::parse(bad).is_none(), "{bad:?}");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t47_asking_does_the_same_for_everybody_and_only_who_has_an_account_gets_mail(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    signs_up(&stage, "ana@example.com").await;
    let server = MailServer::start().await;
    let post = server.post("");
    send_due(&stage.ctx, Some(&post)).await.unwrap();
    let before = server.arrived().len();
    for address in ["ana@example.com", "nobody@example.com"] {
        asks(&stage, address).await;
    }
    // The same rows of the same tables, alike but for the address.
    let left: Vec<(String, String, bool, i16)> = sqlx::query_as(
        "select kind, state, person_id is null and order_id is null, tries from mails where kind = 'reset_password' order by id",
    )
    .fetch_all(&stage.owner)
    .await
    .unwrap();
    assert_eq!(left.len(), 2);
    assert_eq!(left[0], left[1]);
    assert_eq!(stage.count("select count(*) from mail_links where purpose = 'reset_password'").await, 0, "not yet");
    send_due(&stage.ctx, Some(&post)).await.unwrap();
    let arrived = server.arrived();
    assert_eq!(arrived.len(), before + 1);
    assert_eq!(arrived[before].to, ["ana@example.com"]);
    assert_eq!(arrived[before].header("Subject"), "Choose a new password");
    let kept = stage.count("select count(*) from mails where kind = 'reset_password' and address is not null").await;
    assert_eq!(kept, 0, "what somebody typed is forgotten");
    for _ in 0..2 {
        asks(&stage, "nobody@example.com").await;
    }
    // Three at once and one an hour, whether there is an account or not.
    let one_more = ask(&stage.ctx, &email("nobody@example.com"), &from_elsewhere().origin()).await;
    assert!(matches!(one_more, Err(Error::Refused(Refusal::TooManyTries { .. }))));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_reads_the_mailbox_gets_the_account_that_was_opened_in_their_name(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let eve = opens_account(&stage, "ana@example.com").await;
    let device = remember(&stage.ctx, &eve, None).await.unwrap();
    asks(&stage, "ana@example.com").await;
    reset(&stage.ctx, &token(&stage, "reset_password").await, password(NEW), &Origin::NONE).await.unwrap();
    assert!(stage.again(eve.id()).await.email_is_confirmed());
    assert!(signs_in(&stage, "ana@example.com", NEW).await.is_ok());
    // Eve is out, also in the browser where she began.
    let there = atlas::people::sign_in::Knock { device: Some(device), ..from_elsewhere() };
    assert_eq!(refusal(super::enters(&stage, "ana@example.com", GOOD, &there).await), Refusal::WrongCredentials);
}
