//! Whose an address is.

use atlas::audit::Origin;
use atlas::people::devices::remember;
use atlas::people::sign_in::Knock;
use atlas::people::{email as address, reset};
use atlas::{Error, Refusal};
use secrecy::SecretString;
use sqlx::PgPool;
use time::Duration;

use super::post::{newest, token, token_text};
use super::{GOOD, HASHING, email, enters, from_elsewhere, opens_account, password, signs_in, signs_up};
use crate::stage::boss::confirms;
use crate::stage::{Stage, refusal};

/// The session that asks; nothing is stored of it.
const HERE: [u8; 32] = [0; 32];

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t47_opening_an_account_does_the_same_whoever_has_the_address(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    signs_up(&stage, "ana@example.com").await;
    let (taken, free) =
        (opens_account(&stage, "ana@example.com").await, opens_account(&stage, "eve@example.com").await);
    for person in [&taken, &free] {
        assert!(!person.email_is_confirmed());
        assert_eq!(person.claimed_email(), Some(person.email()));
        let mails = stage.count("select count(*) from mails where kind = 'confirm_email'").await;
        assert_eq!(mails, 3, "one each, and that of her who had it first");
    }
    // What both left behind is alike but for names and moments.
    let shapes: Vec<String> = sqlx::query_scalar(
        "select concat_ws(' ', person.email is null, person.role, wallet.posted, mail.state, mail.kind, mail.tries)
        from user_profiles person join credit_accounts wallet on wallet.owner_id = person.id
        join mails mail on mail.person_id = person.id where person.email is null",
    )
    .fetch_all(&stage.owner)
    .await
    .unwrap();
    assert_eq!(shapes.len(), 2);
    assert_eq!(shapes[0], shapes[1]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t47_only_the_mailbox_learns_that_an_address_is_taken(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    signs_up(&stage, "ana@example.com").await;
    opens_account(&stage, "ana@example.com").await;
    let letter = newest(&stage, "confirm_email").await.unwrap();
    assert_eq!(letter.subject, "You have an account already");
    assert_eq!(letter.to, ["ana@example.com"]);
    assert!(!letter.text.contains("token="), "nobody can take it over: {}", letter.text);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_claim_signs_in_where_it_was_made_and_once_confirmed_everywhere(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = opens_account(&stage, "ana@example.com").await;
    let device = remember(&stage.ctx, &ana, None).await.unwrap();
    let here = || Knock { device: Some(device.clone()), ..from_elsewhere() };
    assert_eq!(enters(&stage, "ana@example.com", GOOD, &here()).await.unwrap().id(), ana.id());
    assert_eq!(refusal(signs_in(&stage, "ana@example.com", GOOD).await), Refusal::WrongCredentials);
    address::confirm_here(&stage.ctx, &ana, &token(&stage, "confirm_email").await, HERE, &Origin::NONE).await.unwrap();
    assert!(stage.again(ana.id()).await.email_is_confirmed());
    assert_eq!(signs_in(&stage, "ana@example.com", GOOD).await.unwrap().id(), ana.id());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t47_who_claims_a_taken_address_cannot_tell_it_by_signing_in(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let owner = signs_up(&stage, "ana@example.com").await;
    for claimed in ["ana@example.com", "free@example.com"] {
        let eve = opens_account(&stage, claimed).await;
        sqlx::query("update user_profiles set password_hash = (select password_hash from user_profiles where id = $2) where id = $1")
            .bind(eve.id())
            .bind(opens_with(&stage, "another good password").await)
            .execute(&stage.owner)
            .await
            .unwrap();
        let device = remember(&stage.ctx, &eve, None).await.unwrap();
        let here = || Knock { device: Some(device.clone()), ..from_elsewhere() };
        let tries = async |text: &str| enters(&stage, claimed, text, &here()).await;
        assert_eq!(tries("another good password").await.unwrap().id(), eve.id(), "{claimed}");
        // Not even that the owner's tries are counted is different: the claim frees no device of it.
        for _ in 0..10 {
            assert_eq!(refusal(tries("wrong").await), Refusal::WrongCredentials, "{claimed}");
        }
        assert!(matches!(refusal(tries("wrong").await), Refusal::TooManyTries { .. }), "{claimed}");
    }
    assert!(stage.again(owner.id()).await.email_is_confirmed());
}

/// Somebody with this password.
async fn opens_with(stage: &Stage, text: &str) -> domain::PersonId {
    let address = email(&format!("{}@example.com", atlas::ids::fresh()));
    atlas::people::register::register(&stage.ctx, address, password(text), &Origin::NONE).await.unwrap().id()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_link_alone_makes_an_address_nobodys(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ben = signs_up(&stage, "ben@example.com").await;
    // Eve opens an account in Ana's name; Ana gets the mail.
    let eve = opens_account(&stage, "ana@example.com").await;
    let link = token(&stage, "confirm_email").await;
    let by_another = address::confirm_here(&stage.ctx, &ben, &link, HERE, &Origin::NONE).await;
    assert!(matches!(by_another, Err(Error::Refused(Refusal::LinkIsOver))));
    let guess = SecretString::from("what would it be");
    let by_guess = address::confirm_elsewhere(&stage.ctx, &link, guess, &from_elsewhere().origin()).await;
    assert!(matches!(by_guess, Err(Error::Refused(Refusal::WrongPassword))));
    assert!(!stage.again(eve.id()).await.email_is_confirmed());
    let known = SecretString::from(GOOD);
    address::confirm_elsewhere(&stage.ctx, &link, known, &from_elsewhere().origin()).await.unwrap();
    assert!(stage.again(eve.id()).await.email_is_confirmed());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_link_works_once_and_not_for_ever_and_only_its_hash_is_kept(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = opens_account(&stage, "ana@example.com").await;
    let text = token_text(&stage, "confirm_email").await;
    assert_eq!(text.len(), 43);
    let stored: String =
        sqlx::query_scalar("select string_agg(l::text, ' ') || string_agg(m::text, ' ') from mail_links l, mails m")
            .fetch_one(&stage.owner)
            .await
            .unwrap();
    assert!(!stored.contains(&text));
    let written_again = token(&stage, "confirm_email").await;
    let first = atlas::people::links::Token::parse(&text).unwrap();
    let confirm = async |token| address::confirm_here(&stage.ctx, &ana, token, HERE, &Origin::NONE).await;
    assert!(matches!(confirm(&first).await, Err(Error::Refused(Refusal::LinkIsOver))), "another was written since");
    stage.advance(Duration::hours(25));
    assert!(matches!(confirm(&written_again).await, Err(Error::Refused(Refusal::LinkIsOver))), "it is too old");
    let last = token(&stage, "confirm_email").await;
    confirm(&last).await.unwrap();
    assert!(matches!(confirm(&last).await, Err(Error::Refused(Refusal::LinkIsOver))), "it was used");
    assert!(newest(&stage, "confirm_email").await.is_none(), "and is not written again");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_changed_address_counts_once_its_link_is_used_and_the_old_one_has_a_way_back(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = signs_up(&stage, "ana@example.com").await;
    let mine = confirms(&stage, &ana).await;
    address::change(&stage.ctx, &mine, email("Eve@Example.com"), &Origin::NONE).await.unwrap();
    assert_eq!(stage.again(ana.id()).await.email(), "ana@example.com", "nothing has changed yet");
    assert_eq!(newest(&stage, "confirm_email").await.unwrap().to, ["eve@example.com"]);
    address::confirm_here(&stage.ctx, &ana, &token(&stage, "confirm_email").await, HERE, &Origin::NONE).await.unwrap();
    assert_eq!(stage.again(ana.id()).await.email(), "eve@example.com");
    assert_eq!(stage.count("select count(*) from sessions").await, 0, "her other sessions are over");
    let letter = newest(&stage, "email_changed").await.unwrap();
    assert_eq!(letter.to, ["ana@example.com"]);
    stage.advance(Duration::days(6));
    let way_back = token(&stage, "email_changed").await;
    address::take_back(&stage.ctx, &way_back, password("quite another one"), &Origin::NONE).await.unwrap();
    let again = stage.again(ana.id()).await;
    assert_eq!((again.email(), again.email_is_confirmed()), ("ana@example.com", true));
    assert!(signs_in(&stage, "ana@example.com", "quite another one").await.is_ok());
    assert_eq!(refusal(signs_in(&stage, "ana@example.com", GOOD).await), Refusal::WrongCredentials);
    assert_eq!(refusal(signs_in(&stage, "eve@example.com", GOOD).await), Refusal::WrongCredentials);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t47_changing_to_a_taken_address_looks_like_any_change(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let (ana, ben) = (signs_up(&stage, "ana@example.com").await, signs_up(&stage, "ben@example.com").await);
    let mine = confirms(&stage, &ben).await;
    for wanted in ["ana@example.com", "free@example.com"] {
        address::change(&stage.ctx, &mine, email(wanted), &Origin::NONE).await.unwrap();
        assert_eq!(stage.again(ben.id()).await.claimed_email(), Some(wanted));
    }
    address::change(&stage.ctx, &mine, email("ana@example.com"), &Origin::NONE).await.unwrap();
    let letter = newest(&stage, "confirm_email").await.unwrap();
    assert_eq!(letter.to, ["ana@example.com"]);
    assert!(!letter.text.contains("token="));
    address::stay(&stage.ctx, &ben).await.unwrap();
    assert_eq!(stage.again(ben.id()).await.claimed_email(), None);
    assert_eq!(stage.again(ana.id()).await.email(), "ana@example.com");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn two_who_claim_one_address_the_faster_has_it(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let first = opens_account(&stage, "ana@example.com").await;
    let for_first = token(&stage, "confirm_email").await;
    let second = opens_account(&stage, "ana@example.com").await;
    let for_second = token(&stage, "confirm_email").await;
    address::confirm_here(&stage.ctx, &second, &for_second, HERE, &Origin::NONE).await.unwrap();
    let late = address::confirm_here(&stage.ctx, &first, &for_first, HERE, &Origin::NONE).await;
    assert!(matches!(late, Err(Error::Refused(Refusal::AddressTaken))));
    // Who reads the mailbox gets the one that is theirs.
    reset::ask(&stage.ctx, &email("ana@example.com"), &from_elsewhere().origin()).await.unwrap();
    reset::reset(&stage.ctx, &token(&stage, "reset_password").await, password("quite another one"), &Origin::NONE)
        .await
        .unwrap();
    assert_eq!(signs_in(&stage, "ana@example.com", "quite another one").await.unwrap().id(), second.id());
}
