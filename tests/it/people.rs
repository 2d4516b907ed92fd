//! Accounts: signing up, signing in, changing the password, and what people type into those forms.

mod confirm;
mod email;
mod guessing;
mod post;
mod reset;
mod second_factor;
mod typed;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use argon2::password_hash::PasswordHasher;
use atlas::audit::Origin;
use atlas::people::account::{Name, change_password, rename, since};
use atlas::people::devices::remember;
use atlas::people::email::confirm_here;
use atlas::people::half::Entrance;
use atlas::people::password::{LENGTH_MAX, NewPassword};
use atlas::people::register::{Email, register, register_as};
use atlas::people::roles::change::set_role;
use atlas::people::sign_in::{Knock, sign_in};
use atlas::people::{self, Role, SignedIn};
use atlas::{Error, Refusal, Result};
use domain::{Credits, PersonId};
use futures::future::join_all;
use secrecy::SecretString;
use sqlx::PgPool;
use tokio::sync::RwLock;

use crate::stage::boss::confirms;
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
    let mine = confirms(&stage, &ana).await;
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
