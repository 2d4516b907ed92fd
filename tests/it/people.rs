//! Accounts: signing up, signing in, changing the password, and what people type into those forms.

mod confirm;
mod email;
mod post;
mod reset;
mod second_factor;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use argon2::password_hash::PasswordHasher;
use atlas::audit::Origin;
use atlas::people::account::{Name, change_password, rename, set_role, since};
use atlas::people::devices::{DeviceToken, remember, sweep};
use atlas::people::email::confirm_here;
use atlas::people::fresh::{self, Fresh};
use atlas::people::half::Entrance;
use atlas::people::password::{LENGTH_MAX, NewPassword};
use atlas::people::register::{Email, register, register_as};
use atlas::people::sign_in::{Knock, sign_in};
use atlas::people::{self, Role, SignedIn};
use atlas::{Error, Refusal, Result};
use domain::{Credits, PersonId};
use futures::future::join_all;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use time::Duration;
use tokio::sync::RwLock;

use crate::stage::{OPERATOR, Stage, promo, refusal};

/// Only so many passwords are hashed at once in a process, this one too: whoever floods needs it alone.
pub static HASHING: LazyLock<RwLock<()>> = LazyLock::new(RwLock::default);

const GOOD: &str = "correct horse battery";

fn email(text: &str) -> Email {
    Email::parse("email", text).unwrap()
}

fn password(text: &str) -> NewPassword {
    NewPassword::parse("password", text).unwrap()
}

async fn opens_account(stage: &Stage, address: &str) -> SignedIn {
    register(&stage.ctx, email(address), password(GOOD), &Origin::NONE).await.unwrap()
}

/// And shows that the address is theirs.
async fn signs_up(stage: &Stage, address: &str) -> SignedIn {
    let person = opens_account(stage, address).await;
    confirm_here(&stage.ctx, &person, &post::token(stage, "confirm_email").await, [0; 32], &Origin::NONE)
        .await
        .unwrap();
    stage.again(person.id()).await
}

/// Confirms in a session that is new.
async fn fresh(stage: &Stage, person: &SignedIn) -> Fresh {
    let session: [u8; 32] = Sha256::digest(atlas::ids::fresh()).into();
    sqlx::query("insert into sessions (id_hash, person_id, data, expires_at) values ($1, $2, '{}', 'infinity')")
        .bind(&session[..])
        .bind(person.id())
        .execute(&stage.ctx.db)
        .await
        .unwrap();
    fresh::note(&stage.ctx.db, person, session).await.unwrap();
    fresh::check(&stage.ctx.db, person, session).await.unwrap().unwrap()
}

/// From somewhere else each time.
async fn signs_in(stage: &Stage, email: &str, text: &str) -> Result<SignedIn> {
    enters(stage, email, text, &from_elsewhere()).await
}

/// With the password alone.
async fn enters(stage: &Stage, email: &str, text: &str, knock: &Knock) -> Result<SignedIn> {
    match sign_in(&stage.ctx, email, SecretString::from(text), knock).await? {
        Entrance::Whole(person) => Ok(person),
        Entrance::Half(_) => panic!("a code is owed"),
    }
}

fn from_elsewhere() -> Knock {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let address = Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + LAST.fetch_add(1, Ordering::SeqCst));
    Knock { address: IpAddr::V4(address), device: None, request: None }
}

fn invalid<T>(result: Result<T>, field: &str) -> String {
    match result {
        Err(Error::Invalid(errors)) => errors.of(field).unwrap().to_owned(),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was taken"),
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_signs_up_can_sign_in_with_an_empty_wallet(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = signs_up(&stage, " Ana@Example.COM ").await;
    assert_eq!((ana.email(), ana.display_name(), ana.role()), ("ana@example.com", "ana@example.com", Role::Buyer));
    assert_eq!(ana.available(), Credits::ZERO);
    for typed in ["ana@example.com", "ANA@example.com", "  ana@EXAMPLE.com\n"] {
        assert_eq!(signs_in(&stage, typed, GOOD).await.unwrap().id(), ana.id(), "{typed:?}");
    }
    let hash: String =
        sqlx::query_scalar("select password_hash from user_profiles").fetch_one(&stage.owner).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert!(!format!("{:?}", SecretString::from(GOOD)).contains("horse"));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_unknown_email_and_a_wrong_password_get_the_same_answer(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    signs_up(&stage, "ana@example.com").await;
    let huge = "x".repeat(10_000);
    for (address, text) in [
        ("ana@example.com", "wrong"),
        ("ana@example.com", ""),
        ("ana@example.com", "correct horse battery "),
        ("ana@example.com", huge.as_str()),
        ("ana@example.com", "correct\0horse battery"),
        ("nobody@example.com", GOOD),
        ("", GOOD),
        ("ana@example.com\0", GOOD),
        ("ana\0@example.com", GOOD),
        (huge.as_str(), GOOD),
        ("' or 1=1 --", GOOD),
    ] {
        assert_eq!(refusal(signs_in(&stage, address, text).await), Refusal::WrongCredentials, "{address:.30?}");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_operator_gives_an_email_once_also_two_at_once_and_in_capitals(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let both = [
        register_as(&stage.ctx, &OPERATOR, email("ana@example.com"), password(GOOD), Role::Buyer),
        register_as(&stage.ctx, &OPERATOR, email("Ana@example.com"), password(GOOD), Role::Buyer),
    ];
    let answers = join_all(both).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for answer in answers.into_iter().filter(Result::is_err) {
        assert!(invalid(answer, "email").contains("account with this email already"));
    }
    assert_eq!(stage.count("select count(*) from user_profiles").await, 1);
    assert_eq!(stage.count("select count(*) from credit_accounts where kind = 'wallet'").await, 1);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_new_password_ends_every_session_and_the_old_password(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let (ana, ben) = (signs_up(&stage, "ana@example.com").await, signs_up(&stage, "ben@example.com").await);
    for (place, person) in [&ana, &ana, &ben].into_iter().enumerate() {
        sqlx::query("insert into sessions (id_hash, person_id, data, expires_at) values (sha256($1), $2, '{}', now())")
            .bind(vec![u8::try_from(place).unwrap()])
            .bind(person.id())
            .execute(&stage.ctx.db)
            .await
            .unwrap();
    }
    let device = remember(&stage.ctx, &ana, None).await.unwrap();
    remember(&stage.ctx, &ben, Some(device)).await.unwrap();
    let mine = fresh(&stage, &ana).await;
    change_password(&stage.ctx, &mine, password("päßwort 🎉 новый"), &Origin::NONE).await.unwrap();
    assert_eq!(stage.count("select count(*) from sessions").await, 1, "only ben's is left");
    assert_eq!(stage.count("select count(*) from known_devices").await, 1, "and only he has a known device");
    assert_eq!(refusal(signs_in(&stage, "ana@example.com", GOOD).await), Refusal::WrongCredentials);
    assert!(signs_in(&stage, "ana@example.com", "päßwort 🎉 новый").await.is_ok());
    assert!(signs_in(&stage, "ben@example.com", GOOD).await.is_ok());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_hash_of_old_is_made_anew_by_signing_in(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = signs_up(&stage, "ana@example.com").await;
    let hash_of = async || -> String {
        sqlx::query_scalar("select password_hash from user_profiles").fetch_one(&stage.owner).await.unwrap()
    };
    let params = argon2::Params::new(8_192, 1, 1, None).unwrap();
    let weak = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let old = weak.hash_password(GOOD.as_bytes()).unwrap().to_string();
    sqlx::query("update user_profiles set password_hash = $1").bind(&old).execute(&stage.owner).await.unwrap();
    assert_eq!(refusal(signs_in(&stage, "ana@example.com", "wrong").await), Refusal::WrongCredentials);
    assert_eq!(hash_of().await, old, "only a right one");
    assert_eq!(signs_in(&stage, "ana@example.com", GOOD).await.unwrap().id(), ana.id());
    let new = hash_of().await;
    assert!(new.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{new}");
    assert!(signs_in(&stage, "ana@example.com", GOOD).await.is_ok());
    assert_eq!(hash_of().await, new, "once");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_flood_of_sign_ins_is_asked_to_come_again(pool: PgPool) {
    let _alone = HASHING.write().await;
    let stage = Stage::new(pool).await;
    let emails: Vec<String> = (0..40).map(|n| format!("nobody-{n}@example.com")).collect();
    let answers = join_all(emails.iter().map(|email| signs_in(&stage, email, GOOD))).await;
    let refusals: Vec<Refusal> = answers.into_iter().map(refusal).collect();
    let busy = refusals.iter().filter(|refusal| **refusal == Refusal::TooBusy).count();
    assert!((1..=18).contains(&busy), "{busy} were turned away");
    assert!(refusals.iter().all(|refusal| matches!(refusal, Refusal::TooBusy | Refusal::WrongCredentials)));
    assert_eq!(
        refusal(signs_in(&stage, "nobody@example.com", GOOD).await),
        Refusal::WrongCredentials,
        "all is calm again"
    );
}

/// The seconds to wait, if it was refused for coming too often.
fn wait(result: &Result<SignedIn>) -> Option<u32> {
    match result {
        Err(Error::Refused(Refusal::TooManyTries { seconds })) => Some(*seconds),
        _ => None,
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t46_guessing_from_one_address_is_slowed_whoever_is_guessed(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    signs_up(&stage, "ana@example.com").await;
    let here = from_elsewhere();
    let from_here = async |email: &str, text: &str| enters(&stage, email, text, &here).await;
    for email in ["ana@example.com", "nobody@example.com", "ben@example.com"] {
        assert_eq!(refusal(from_here(email, "wrong").await), Refusal::WrongCredentials);
    }
    assert_eq!(wait(&from_here("ana@example.com", GOOD).await), Some(21), "even the right one");
    stage.advance(Duration::seconds(21));
    assert!(from_here("ana@example.com", GOOD).await.is_ok());
    assert!(from_here("ana@example.com", GOOD).await.is_ok(), "what succeeds does not count");
    assert_eq!(refusal(from_here("ana@example.com", "wrong").await), Refusal::WrongCredentials);
    assert!(wait(&from_here("ana@example.com", "wrong").await).is_some());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t46_guessing_one_account_from_everywhere_is_slowed_and_its_owner_gets_in(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = signs_up(&stage, "ana@example.com").await;
    let token = remember(&stage.ctx, &ana, None).await.unwrap();
    for email in ["ana@example.com", "nobody@example.com"] {
        for _ in 0..10 {
            assert_eq!(refusal(signs_in(&stage, email, "wrong").await), Refusal::WrongCredentials);
        }
        // Nobody learns from it whether there is such an account.
        assert_eq!(wait(&signs_in(&stage, email, GOOD).await), Some(361), "{email}");
    }
    let with = |device: DeviceToken| Knock { device: Some(device), ..from_elsewhere() };
    assert!(enters(&stage, "ana@example.com", GOOD, &with(token.clone())).await.is_ok());
    let foreign = DeviceToken::parse(&"a".repeat(43)).unwrap();
    assert!(wait(&enters(&stage, "ana@example.com", GOOD, &with(foreign)).await).is_some());
    // A device is known to be hers, not to be good for anybody.
    assert!(wait(&enters(&stage, "nobody@example.com", GOOD, &with(token)).await).is_some());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_device_keeps_its_token_and_a_token_of_nobodys_is_replaced(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let token = remember(&stage.ctx, &ana, None).await.unwrap();
    assert_eq!(remember(&stage.ctx, &ana, Some(token.clone())).await.unwrap(), token);
    assert_eq!(remember(&stage.ctx, &ben, Some(token.clone())).await.unwrap(), token, "two people, one browser");
    let planted = DeviceToken::parse(&"a".repeat(43)).unwrap();
    assert_ne!(remember(&stage.ctx, &ana, Some(planted.clone())).await.unwrap(), planted);
    assert_eq!(stage.count("select count(*) from known_devices").await, 3);
    let stored: String = sqlx::query_scalar("select string_agg(known_devices::text, ' ') from known_devices")
        .fetch_one(&stage.owner)
        .await
        .unwrap();
    assert!(!stored.contains(token.as_str()));
    stage.advance(Duration::days(364));
    remember(&stage.ctx, &ben, Some(token)).await.unwrap();
    stage.advance(Duration::days(2));
    sweep(&stage.ctx).await.unwrap();
    assert_eq!(stage.count("select count(*) from known_devices").await, 1, "what nobody used for a year is forgotten");
    for bad in ["", "short", &"é".repeat(43), &format!("{}\n", "a".repeat(43))] {
        assert!(DeviceToken::parse(bad).is_none(), "{bad:?}");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn names_of_every_script_are_kept_as_written(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    for name in
        ["Zoë Ω̃ 李小龍", "مريم", "👩‍👩‍👧‍👦 & <b>Co</b>", "O'Brien \"x\"; drop table", &"字".repeat(80), &"🎉".repeat(80), ""]
    {
        rename(&stage.ctx, &ana, Name::parse("name", &format!("  {name} ")).unwrap()).await.unwrap();
        let shown = stage.again(ana.id()).await;
        assert_eq!(shown.name(), name.trim());
        assert_eq!(shown.display_name(), if name.is_empty() { "ana@example.com" } else { name });
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_role_and_a_balance_bite_at_once(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = register_as(&stage.ctx, &OPERATOR, email("ana@example.com"), password(GOOD), Role::Admin).await.unwrap();
    assert_eq!(ana.role(), Role::Admin);
    stage.grants(&promo(&ana, 12)).await.unwrap();
    sqlx::query("insert into sessions (id_hash, person_id, data, expires_at) values (sha256(''), $1, '{}', now())")
        .bind(ana.id())
        .execute(&stage.ctx.db)
        .await
        .unwrap();
    assert!(set_role(&stage.ctx, &OPERATOR, " ANA@example.com", Role::Support, "a test").await.unwrap());
    assert_eq!(stage.count("select count(*) from sessions").await, 0, "new rights begin with a new session");
    assert!(!set_role(&stage.ctx, &OPERATOR, "nobody@example.com", Role::Admin, "a test").await.unwrap());
    let again = stage.again(ana.id()).await;
    assert_eq!((again.role(), again.available()), (Role::Support, Credits::new(12)));
    assert!(since(&stage.ctx, &again).await.is_ok());
    let nobody = people::load(&stage.ctx.db, PersonId::from_uuid(atlas::ids::fresh())).await.unwrap();
    assert!(nobody.is_none());
}

/// Postgres and Rust must agree on what lower case is, or signing up with a rare letter would break.
#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn every_email_that_is_taken_can_be_stored(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let emails: Vec<String> = ('\0'..=char::MAX)
        .filter_map(|letter| Email::parse("email", &format!("{letter}@example.com")).ok())
        .map(|email| email.as_str().to_owned())
        .collect();
    assert!(emails.len() > 1_000_000);
    let disputed: Vec<String> =
        sqlx::query_scalar("select email from unnest($1::text[]) email where lower(email) <> email")
            .bind(&emails)
            .fetch_all(&stage.ctx.db)
            .await
            .unwrap();
    assert_eq!(disputed, [""; 0]);
}

#[test]
fn an_email_looks_like_one() {
    for good in ["a@b.c", "ana.maria+tag@sub.example.co", "ü@bücher.example", "very-long@example.museum"] {
        assert_eq!(email(good).as_str(), good);
    }
    let longest = format!("{}@example.com", "a".repeat(242));
    assert_eq!(email(&longest).as_str().len(), 254);
    for bad in [
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@example",
        "ana@.com",
        "ana@example.",
        "a@b@c.d",
        "a b@example.com",
        "ana@example.com\0",
        "ana@exam\nple.com",
        &format!("{}@example.com", "a".repeat(243)),
        &"x".repeat(10_000),
        &format!("{}@example.com", "ü".repeat(200)),
    ] {
        assert!(Email::parse("email", bad).unwrap_err().of("email").is_some(), "{bad:.30?}");
    }
}

#[test]
fn a_password_is_8_to_128_characters_of_any_kind() {
    for good in ["87ab4321", "pässwörd", "🎉🎉🎉🎉🎉🎉🎉🎉", "        ", "with\0zero", &"ü".repeat(LENGTH_MAX)]
    {
        assert!(NewPassword::parse("password", good).is_ok(), "{good:?}");
    }
    for bad in ["", "1234567", "ääääääá", &"x".repeat(LENGTH_MAX + 1), &"x".repeat(10_000)] {
        assert!(NewPassword::parse("password", bad).is_err(), "{bad:.20?}");
    }
}

#[test]
fn a_password_that_is_tried_first_is_refused() {
    for common in ["password", "12345678", "PassWord1", "qwertyuiop", "iloveyou", " trustno1 "] {
        let said = NewPassword::parse("password", common).err().unwrap();
        assert!(said.of("password").unwrap().contains("most used"), "{common:?}");
    }
    for better in ["password and some more", "trustno1 or anybody"] {
        assert!(NewPassword::parse("password", better).is_ok(), "{better:?}");
    }
}

#[test]
fn a_name_is_at_most_80_characters_without_control_characters() {
    for bad in ["a".repeat(81), "x".repeat(10_000), "zero\0".to_owned(), "two\nlines".to_owned(), "tab\tbed".to_owned()]
    {
        assert!(Name::parse("name", &bad).unwrap_err().of("name").is_some(), "{bad:.20?}");
    }
}
