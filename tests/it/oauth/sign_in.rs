//! Who gets in, as whom, and who does not.

use atlas::Refusal;
use atlas::audit::Origin;
use atlas::people::identities::{self, link, unlink, ways_in};
use atlas::people::oauth::begin::Asking;
use atlas::people::oauth::finish::{Finished, Vouched};
use atlas::people::sign_in::{Knock, sign_in};
use sandbox::oauth::Lie;
use secrecy::SecretString;
use sqlx::PgPool;
use time::Duration;

use super::scene::{ADDRESS, Scene, rejected, signed_in};
use crate::stage::refusal;

fn vouched(issuer: &str, subject: &str, email: &str) -> Vouched {
    Vouched {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        label: subject.to_owned(),
        verified_email: Some(email.to_owned()),
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t48_only_the_browser_that_asked_gets_in_once_and_in_time(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let (ours, other) = (scene.goes_out(Asking::SignIn).await, scene.goes_out(Asking::SignIn).await);
    let query = scene.allows(&ours, "ana@example.com").await;

    assert_eq!(rejected(scene.comes_back(None, &query).await), "no_cookie");
    assert_eq!(rejected(scene.comes_back(Some(&other.handle), &query).await), "state");
    let again = scene.comes_back(Some(&other.handle), &query).await;
    assert_eq!(rejected(again), "no_attempt", "the attempt was over before the states were compared");
    assert_eq!(scene.asked().code, 0, "Whop was not even asked");

    signed_in(scene.comes_back(Some(&ours.handle), &query).await);
    assert_eq!(rejected(scene.comes_back(Some(&ours.handle), &query).await), "no_attempt");
    assert_eq!((scene.people().await, scene.asked().code), (1, 1));

    let late = scene.goes_out(Asking::SignIn).await;
    let query = scene.allows(&late, "ana@example.com").await;
    scene.stage.advance(Duration::minutes(10));
    assert_eq!(rejected(scene.comes_back(Some(&late.handle), &query).await), "expired");
    assert_eq!(scene.stage.count("select count(*) from oauth_attempts").await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t48_a_code_of_another_attempt_is_worth_nothing(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let (ours, theirs) = (scene.goes_out(Asking::SignIn).await, scene.goes_out(Asking::SignIn).await);
    let stolen = scene.allows(&theirs, "victim@example.com").await;
    let (code, _) = stolen.split_once('&').unwrap();
    let injected = format!("{code}&state={}", ours.handle.state());
    assert_eq!(rejected(scene.comes_back(Some(&ours.handle), &injected).await), "code", "by its challenge");
    assert_eq!(scene.people().await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t48_whatever_the_server_lies_about_nobody_gets_in_and_nothing_stays(pool: PgPool) {
    let scene = Scene::new(pool).await;
    for (lie, word) in [
        (Lie::State, "state"),
        (Lie::NoState, "query_state"),
        (Lie::Nonce, "id_token: it answers another question"),
        (Lie::Issuer, "id_token: it comes from another issuer"),
        (Lie::Audience, "id_token: it is for another client"),
        (Lie::Expired, "id_token: its time is over, or has not begun"),
        (Lie::Signature, "id_token: its signature is wrong, or it is not signed with ES256"),
        (Lie::AlgNone, "id_token: it is no JWT that names its key"),
        (Lie::UnknownKey, "id_token: nobody knows the key it names"),
        (Lie::NoIdToken, "no_id_token"),
        (Lie::Subject, "subject"),
    ] {
        scene.lies(&[lie]);
        assert_eq!(rejected(scene.tries_to_sign_in("ana@example.com").await), word, "{lie:?}");
    }
    assert_eq!(scene.people().await, 0);
    assert_eq!(scene.stage.count("select count(*) from identity_grants").await, 0);
    scene.lies(&[]);
    signed_in(scene.tries_to_sign_in("ana@example.com").await);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t49_an_account_is_issuer_and_subject_and_never_an_address(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let ctx = &scene.stage.ctx;
    let known = async |vouched: &Vouched| identities::sign_in(ctx, vouched, ADDRESS, &Origin::NONE).await;
    let ana = known(&vouched("https://one.example", "user_1", "ana@example.com")).await.unwrap();
    // Whoever has her subject elsewhere is somebody else, and so is whoever has her address there now.
    let other = known(&vouched("https://two.example", "user_1", "other@example.com")).await.unwrap();
    assert_ne!(ana.person.id(), other.person.id());
    let joined = known(&vouched("https://one.example", "user_2", "ANA@example.com")).await;
    assert_eq!(refusal(joined), Refusal::EmailHasAccount);
    // She stays herself whatever her address is.
    let moved = known(&vouched("https://one.example", "user_1", "moved@example.com")).await.unwrap();
    assert_eq!((moved.person.id(), moved.person.email()), (ana.person.id(), "ana@example.com"));
    assert_eq!(scene.people().await, 2);

    scene.lies(&[Lie::UnverifiedEmail]);
    let done = scene.tries_to_sign_in("ben@example.com").await.unwrap();
    assert_eq!(refusal(done.outcome), Refusal::NoVerifiedEmail);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_first_sign_in_in_two_windows_at_once_makes_one_account(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let (one, two) = (scene.goes_out(Asking::SignIn).await, scene.goes_out(Asking::SignIn).await);
    let queries = (scene.allows(&one, "ana@example.com").await, scene.allows(&two, "ana@example.com").await);
    let (one, two) = futures::join!(
        scene.comes_back(Some(&one.handle), &queries.0),
        scene.comes_back(Some(&two.handle), &queries.1),
    );
    assert_eq!(signed_in(one).0.id(), signed_in(two).0.id());
    assert_eq!(scene.people().await, 1);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_signs_in_elsewhere_has_no_password_to_guess(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.signs_in("ana@example.com").await;
    let knock = Knock { address: ADDRESS, device: None, request: None };
    for guess in ["", " ", "a guess"] {
        let guessed = sign_in(&scene.stage.ctx, "ana@example.com", SecretString::from(guess), &knock).await;
        assert!(guessed.is_err(), "{guess:?}");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t49_linking_ends_in_the_session_that_began_it(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let (ana, ben) = (scene.stage.buyer("ana").await, scene.stage.buyer("ben").await);
    let (fresh, session) = scene.fresh(&ana).await;
    let elsewhere = scene.session(&ana, None).await;
    let bens = scene.session(&ben, None).await;
    for asker in [None, Some((ben.clone(), bens)), Some((ben, session)), Some((ana.clone(), elsewhere))] {
        let begun = scene.goes_out(Asking::Link(&fresh, session)).await;
        let query = scene.allows(&begun, "whop@example.com").await;
        assert_eq!(rejected(scene.comes_back_as(Some(&begun.handle), &query, asker).await), "session");
    }
    assert_eq!(scene.stage.count("select count(*) from identities").await, 0);
    let begun = scene.goes_out(Asking::Link(&fresh, session)).await;
    let query = scene.allows(&begun, "whop@example.com").await;
    let done = scene.comes_back_as(Some(&begun.handle), &query, Some((ana.clone(), session))).await.unwrap();
    assert!(matches!(done.outcome, Ok(Finished::Linked)), "{done:?}");
    assert_eq!(signed_in(scene.tries_to_sign_in("whop@example.com").await).0.id(), ana.id());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t49_one_account_there_is_one_account_here(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let ctx = &scene.stage.ctx;
    let (ana, ben) = (scene.stage.buyer("ana").await, scene.stage.buyer("ben").await);
    let (first, second) = (
        vouched("https://one.example", "user_1", "x@example.com"),
        vouched("https://one.example", "user_2", "y@example.com"),
    );
    link(ctx, &ana, &first, &Origin::NONE).await.unwrap();
    link(ctx, &ana, &first, &Origin::NONE).await.unwrap();
    assert_eq!(refusal(link(ctx, &ben, &first, &Origin::NONE).await), Refusal::WhopAccountTaken);
    assert_eq!(refusal(link(ctx, &ana, &second, &Origin::NONE).await), Refusal::AlreadyLinked);
    assert_eq!(ways_in(&ctx.db, &ana).await.unwrap().identities.len(), 1);
    assert!(ways_in(&ctx.db, &ben).await.unwrap().identities.is_empty());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_last_way_in_is_never_unlinked(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let ctx = &scene.stage.ctx;
    let (ana, _) = scene.signs_in("ana@example.com").await;
    let (fresh, _) = scene.fresh(&ana).await;
    let identity = ways_in(&ctx.db, &ana).await.unwrap().identities[0].id;
    assert_eq!(refusal(unlink(ctx, &fresh, identity, &Origin::NONE).await), Refusal::LastWayIn);
    sqlx::query("update user_profiles set password_hash = 'some hash'").execute(&scene.stage.owner).await.unwrap();

    let ben = scene.stage.buyer("ben").await;
    sqlx::query("update user_profiles set password_hash = 'some hash'").execute(&scene.stage.owner).await.unwrap();
    let (bens, _) = scene.fresh(&ben).await;
    assert!(matches!(unlink(ctx, &bens, identity, &Origin::NONE).await, Err(atlas::Error::NotFound)), "not his");
    assert_eq!(scene.sessions().await, 3);

    unlink(ctx, &fresh, identity, &Origin::NONE).await.unwrap();
    assert_eq!(scene.sessions().await, 2, "the one that was begun with it is over");
    assert_eq!(scene.stage.count("select count(*) from identities").await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn only_the_linked_account_confirms(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let (ana, grant) = scene.signs_in("ana@example.com").await;
    let session = scene.session(&ana, Some(grant)).await;
    for (email, right) in [("somebody@example.com", false), ("ana@example.com", true)] {
        let begun = scene.goes_out(Asking::Confirm(&ana, session)).await;
        let query = scene.allows(&begun, email).await;
        let done = scene.comes_back_as(Some(&begun.handle), &query, Some((ana.clone(), session))).await.unwrap();
        match done.outcome {
            Ok(Finished::Confirmed(person)) => assert!(right && person.id() == ana.id()),
            other => assert!(!right && refusal(other) == Refusal::AnotherWhopAccount),
        }
    }
    assert_eq!(scene.people().await, 1, "confirming makes nobody");
}
