//! The second factor: set up, asked for, guessed, lost.

use atlas::audit::Origin;
use atlas::people::fresh::Fresh;
use atlas::people::half::{self, Entrance};
use atlas::people::second_factor::recovery::RecoveryCode;
use atlas::people::second_factor::{check, reset, set_up, standing, turn_off};
use atlas::people::sign_in::sign_in;
use atlas::people::{Role, SignedIn, Visitor};
use atlas::{Error, Refusal, Result};
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;
use time::Duration;
use totp_rs::{Builder, Secret, Totp};

use super::post::newest;
use super::{GOOD, HASHING, from_elsewhere, opens_account, signs_up};
use crate::stage::boss::confirms;
use crate::stage::{OPERATOR, Stage, refusal};

/// Somebody's authenticator, made from the text on the page as any would be.
struct Authenticator(Totp);

impl Authenticator {
    fn shows(&self, stage: &Stage) -> String {
        self.0.generate(u64::try_from(stage.ctx.now().unix_timestamp()).unwrap()).to_string()
    }
}

/// Sets it up; the recovery codes stand beside the authenticator.
async fn sets_up(stage: &Stage, mine: &Fresh) -> (Authenticator, Vec<String>) {
    set_up::begin(&stage.ctx, mine).await.unwrap();
    let pending = set_up::pending(&stage.ctx, mine).await.unwrap().unwrap();
    let secret = Secret::try_from_base32(pending.secret.expose_secret()).unwrap();
    let authenticator = Authenticator(Builder::new().with_secret(secret).build().unwrap());
    let codes = pending.codes.iter().map(RecoveryCode::shown).collect();
    set_up::finish(&stage.ctx, mine, &authenticator.shows(stage), [0; 32], &Origin::NONE).await.unwrap();
    // The code that turned it on is over.
    stage.advance(Duration::seconds(60));
    (authenticator, codes)
}

/// Gives the right password, from a session of its own; whose hash comes back.
async fn half_way(stage: &Stage, session: u8) -> [u8; 32] {
    let entrance = sign_in(&stage.ctx, "ana@example.com", SecretString::from(GOOD), &from_elsewhere()).await.unwrap();
    let Entrance::Half(half) = entrance else { panic!("no code is owed") };
    let session = [session; 32];
    sqlx::query("insert into sessions (id_hash, data, expires_at) values ($1, '{}', 'infinity')")
        .bind(&session[..])
        .execute(&stage.ctx.db)
        .await
        .unwrap();
    half::begin(&stage.ctx, half, session).await.unwrap();
    session
}

async fn gives(stage: &Stage, session: [u8; 32], code: &str) -> Result<SignedIn> {
    half::finish(&stage.ctx, session, code, &Origin::NONE).await
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_code_is_owed_once_it_is_set_up_and_works_once(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = signs_up(&stage, "ana@example.com").await;
    let mine = confirms(&stage, &ana).await;
    set_up::begin(&stage.ctx, &mine).await.unwrap();
    assert!(!stage.again(ana.id()).await.has_second_factor(), "begun is not done");
    assert_eq!(refusal(set_up::finish(&stage.ctx, &mine, "000000", [0; 32], &Origin::NONE).await), Refusal::WrongCode);
    let (authenticator, codes) = sets_up(&stage, &mine).await;
    assert!(stage.again(ana.id()).await.has_second_factor());
    assert_eq!(codes.len(), 10);
    assert!(set_up::pending(&stage.ctx, &mine).await.unwrap().is_none(), "nothing is shown again");
    assert_eq!(newest(&stage, "second_factor_on").await.unwrap().to, ["ana@example.com"]);

    let session = half_way(&stage, 1).await;
    assert!(half::is_under_way(&stage.ctx, session).await.unwrap());
    let code = authenticator.shows(&stage);
    assert_eq!(gives(&stage, session, &format!(" {} {} ", &code[..3], &code[3..])).await.unwrap().id(), ana.id());
    let again = half_way(&stage, 2).await;
    assert_eq!(refusal(gives(&stage, again, &code).await), Refusal::WrongCode, "it was used");
    stage.advance(Duration::seconds(30));
    gives(&stage, again, &authenticator.shows(&stage)).await.unwrap();
    stage.advance(Duration::minutes(5));
    let late = authenticator.shows(&stage);
    stage.advance(Duration::seconds(90));
    assert_eq!(
        refusal(check::take(&stage.ctx, ana.id(), &late, &Origin::NONE).await),
        Refusal::WrongCode,
        "it is too old"
    );
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn two_who_enter_one_code_at_once_one_gets_in(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = signs_up(&stage, "ana@example.com").await;
    let (authenticator, codes) = sets_up(&stage, &confirms(&stage, &ana).await).await;
    for code in [authenticator.shows(&stage), codes[0].clone()] {
        let both = futures::join!(
            check::take(&stage.ctx, ana.id(), &code, &Origin::NONE),
            check::take(&stage.ctx, ana.id(), &code, &Origin::NONE)
        );
        assert!(both.0.is_ok() ^ both.1.is_ok());
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t46_five_wrong_codes_are_the_end_of_a_sign_in_and_its_owner_hears_of_it(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = signs_up(&stage, "ana@example.com").await;
    let (authenticator, codes) = sets_up(&stage, &confirms(&stage, &ana).await).await;
    let session = half_way(&stage, 1).await;
    for _ in 0..4 {
        assert_eq!(refusal(gives(&stage, session, "000000").await), Refusal::WrongCode);
    }
    assert_eq!(refusal(gives(&stage, session, "000000").await), Refusal::SignInIsOver);
    assert_eq!(
        refusal(gives(&stage, session, &authenticator.shows(&stage)).await),
        Refusal::SignInIsOver,
        "even the right one"
    );
    assert!(!half::is_under_way(&stage.ctx, session).await.unwrap());
    assert_eq!(newest(&stage, "codes_guessed").await.unwrap().to, ["ana@example.com"]);
    let other = half_way(&stage, 2).await;
    for _ in 0..4 {
        assert_eq!(refusal(gives(&stage, other, "000000").await), Refusal::WrongCode);
    }
    assert_eq!(refusal(gives(&stage, other, "000000").await), Refusal::SignInIsOver);
    // Ten of hers were wrong: from now on they are counted out, however often the password is right.
    let third = half_way(&stage, 3).await;
    assert!(matches!(refusal(gives(&stage, third, &codes[0]).await), Refusal::TooManyTries { .. }));
    stage.advance(Duration::minutes(7));
    gives(&stage, third, &codes[0]).await.unwrap();
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_half_signed_in_session_is_nobodys_and_soon_over(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = signs_up(&stage, "ana@example.com").await;
    let mine = confirms(&stage, &ana).await;
    let (authenticator, _) = sets_up(&stage, &mine).await;
    let session = half_way(&stage, 1).await;
    assert_eq!(stage.count("select count(*) from sessions where person_id is not null and id_hash = decode(repeat('01', 32), 'hex')").await, 0);
    stage.advance(Duration::minutes(10));
    assert_eq!(refusal(gives(&stage, session, &authenticator.shows(&stage)).await), Refusal::SignInIsOver);
    let second = half_way(&stage, 2).await;
    sqlx::query("delete from sessions where id_hash = $1").bind(&second[..]).execute(&stage.ctx.db).await.unwrap();
    assert_eq!(refusal(gives(&stage, second, &authenticator.shows(&stage)).await), Refusal::SignInIsOver);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_recovery_code_signs_in_once_and_only_its_hash_is_kept(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = signs_up(&stage, "ana@example.com").await;
    let mine = confirms(&stage, &ana).await;
    let (_, codes) = sets_up(&stage, &mine).await;
    let stored: String = sqlx::query_scalar(
        "select (select string_agg(c::text, '') from recovery_codes c) || f::text from second_factors f",
    )
    .fetch_one(&stage.owner)
    .await
    .unwrap();
    assert!(!stored.contains(&codes[0].replace('-', "")) && !stored.contains(&codes[0]));
    check::take(&stage.ctx, ana.id(), &codes[0].to_lowercase(), &Origin::NONE).await.unwrap();
    assert_eq!(refusal(check::take(&stage.ctx, ana.id(), &codes[0], &Origin::NONE).await), Refusal::WrongCode);
    assert_eq!(standing(&stage.ctx, &ana).await.unwrap().codes_left, 9);
    assert_eq!(newest(&stage, "recovery_code_used").await.unwrap().to, ["ana@example.com"]);
    // Setting it up anew ends the old codes.
    let (_, new) = sets_up(&stage, &mine).await;
    assert_eq!(refusal(check::take(&stage.ctx, ana.id(), &codes[1], &Origin::NONE).await), Refusal::WrongCode);
    check::take(&stage.ctx, ana.id(), &new[0], &Origin::NONE).await.unwrap();
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn staff_without_a_second_factor_are_nobody_until_they_have_one(pool: PgPool) {
    let _shared = HASHING.read().await;
    let mut stage = Stage::new(pool).await;
    let ana = signs_up(&stage, "ana@example.com").await;
    assert!(
        matches!(Visitor::of(&stage.ctx, ana.id(), [0; 32]).await.unwrap(), Visitor::Person(_)),
        "buyers need none"
    );
    for role in [Role::Support, Role::Finance, Role::Admin] {
        sqlx::query("update user_profiles set role = $1").bind(role.as_str()).execute(&stage.owner).await.unwrap();
        let visitor = Visitor::of(&stage.ctx, ana.id(), [0; 32]).await.unwrap();
        assert!(visitor.person().is_none() && visitor.anybody().is_some(), "{role}");
    }
    stage.ctx.staff_need_second_factor = false;
    assert!(
        matches!(Visitor::of(&stage.ctx, ana.id(), [0; 32]).await.unwrap(), Visitor::Person(_)),
        "an operator may do without"
    );
    stage.ctx.staff_need_second_factor = true;
    let mine = confirms(&stage, &stage.again(ana.id()).await).await;
    sets_up(&stage, &mine).await;
    assert!(matches!(Visitor::of(&stage.ctx, ana.id(), [0; 32]).await.unwrap(), Visitor::Person(_)));
    let mine = confirms(&stage, &stage.again(ana.id()).await).await;
    assert_eq!(refusal(turn_off(&stage.ctx, &mine, &Origin::NONE).await), Refusal::SecondFactorRequired);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_lost_everything_is_helped_by_an_operator_and_told_so(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = signs_up(&stage, "ana@example.com").await;
    let mine = confirms(&stage, &ana).await;
    sets_up(&stage, &mine).await;
    let again = confirms(&stage, &ana).await;
    assert!(!reset(&stage.ctx, &OPERATOR, "nobody@example.com").await.unwrap());
    assert!(reset(&stage.ctx, &OPERATOR, " Ana@example.com ").await.unwrap());
    assert!(!stage.again(ana.id()).await.has_second_factor());
    assert_eq!(stage.count("select count(*) from sessions").await, 0);
    assert_eq!(newest(&stage, "second_factor_off").await.unwrap().to, ["ana@example.com"]);
    assert!(matches!(turn_off(&stage.ctx, &again, &Origin::NONE).await, Err(Error::NotFound)));
    sets_up(&stage, &again).await;
    let again = confirms(&stage, &stage.again(ana.id()).await).await;
    turn_off(&stage.ctx, &again, &Origin::NONE).await.unwrap();
    assert!(!stage.again(ana.id()).await.has_second_factor());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_only_claims_an_address_cannot_lock_its_account(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let eve = opens_account(&stage, "ana@example.com").await;
    let hers = confirms(&stage, &eve).await;
    assert!(matches!(set_up::begin(&stage.ctx, &hers).await, Err(Error::Refused(Refusal::ConfirmEmailFirst))));
}
