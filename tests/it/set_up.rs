//! Setting up an Atlas that has no admin: the code, the keys, the webhook, and the admin with whom it ends.

use atlas::audit::Origin;
use atlas::people::account::Name;
use atlas::people::password::NewPassword;
use atlas::people::register::Email;
use atlas::providers::verify::WebhookSecrets;
use atlas::providers::whop::standing::{EVENTS, KeyTrouble, check_key};
use atlas::set_up::first_admin::{NewAdmin, make};
use atlas::set_up::standing::standing;
use atlas::set_up::whop::{Given, Typed, create_webhook, keys, store_keys};
use atlas::set_up::{Installer, code, installer};
use atlas::{Error, Refusal, Result};
use clap::Parser as _;
use domain::FieldErrors;
use sandbox::Running;
use sandbox::options::Options;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sqlx::PgPool;
use time::Duration;

use crate::stage::Stage;
use crate::whop_scene::{answers, ok, scene, status};

const KEY: &str = "apik_a_key_that_nobody_may_see";
const COMPANY: &str = "biz_SetUp01";
const FROM: Origin = Origin::NONE;

async fn enters(stage: &Stage, typed: &str) -> Result<uuid::Uuid> {
    code::enter(&stage.ctx, typed, &FROM, "192.0.2.1").await
}

async fn let_in(stage: &Stage) -> Installer {
    let code = code::renew(&stage.ctx).await.unwrap().unwrap();
    installer(&stage.ctx, enters(stage, &code.shown()).await.unwrap()).await.unwrap().unwrap()
}

async fn whop() -> (Running, Given) {
    let options =
        ["sandbox", "--listen", "127.0.0.1:0", "--api-key", KEY, "--company-id", COMPANY, "--webhook-url", ""];
    let running = sandbox::start(&Options::parse_from(options)).await.unwrap();
    let api_url = format!("http://{}/api/v1", running.address);
    (running, Given { api_url, api_key: None, company_id: None, webhook_secret: None })
}

fn typed(given: &Given, key: &str, company: &str) -> Typed {
    Typed::parse(given, key, company).unwrap()
}

fn new_admin(email: &str) -> NewAdmin {
    NewAdmin {
        name: Name::parse("name", "Bea").unwrap(),
        email: Email::parse("email", email).unwrap(),
        password: NewPassword::parse("password", "correct horse battery").unwrap(),
    }
}

#[track_caller]
fn invalid<T>(result: Result<T>) -> FieldErrors {
    match result {
        Err(Error::Invalid(errors)) => errors,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was taken"),
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn only_the_newest_code_lets_anybody_in_and_only_for_a_day(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let old = code::renew(&stage.ctx).await.unwrap().unwrap().shown();
    let entered = enters(&stage, &old.to_lowercase().replace('-', " ")).await.unwrap();
    assert!(installer(&stage.ctx, entered).await.unwrap().is_some());
    let kept: String = sqlx::query_scalar("select row_to_json(kept)::text from set_up_code kept")
        .fetch_one(&stage.owner)
        .await
        .unwrap();
    assert!(!kept.contains(&old) && !kept.contains(&old.replace('-', "")), "only its hash is kept: {kept}");

    let new = code::renew(&stage.ctx).await.unwrap().unwrap().shown();
    assert!(installer(&stage.ctx, entered).await.unwrap().is_none(), "what was begun with the old one has ended");
    assert!(invalid(enters(&stage, &old).await).of("code").is_some());
    let entered = enters(&stage, &new).await.unwrap();
    stage.advance(Duration::hours(24) + Duration::seconds(1));
    assert!(installer(&stage.ctx, entered).await.unwrap().is_none());
    invalid(enters(&stage, &new).await);
    let deeds: Vec<String> =
        sqlx::query_scalar("select deed from audit_entries order by number").fetch_all(&stage.owner).await.unwrap();
    assert_eq!(deeds, ["set_up_entered", "set_up_refused", "set_up_entered", "set_up_refused"]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_code_is_not_guessed_at_for_long(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let code = code::renew(&stage.ctx).await.unwrap().unwrap().shown();
    for guess in ["", "AAAAAA-AAAAAA-AAAAAA-AAAAAA", "\0", &code[..26], &format!("{code}A")] {
        invalid(enters(&stage, guess).await);
    }
    assert!(matches!(enters(&stage, &code).await, Err(Error::Refused(Refusal::TooManyTries { .. }))));
    assert!(code::enter(&stage.ctx, &code, &FROM, "192.0.2.2").await.is_ok(), "others may still try");
}

#[tokio::test]
async fn a_key_is_judged_by_what_answers() {
    let may_read = |company: &str| ok(&json!({ "id": company, "title": "A\u{202e}tlas" }));
    let nothing = ok(&json!({ "data": [], "page_info": { "end_cursor": null, "has_next_page": false } }));
    let page = wiremock::ResponseTemplate::new(200).set_body_string("<h1>Welcome</h1>");
    for (in_turn, judged) in [
        (vec![may_read("biz_Ex0001")], Ok(Some("Atlas".to_owned()))),
        (vec![may_read("biz_Other")], Err(KeyTrouble::OtherAccount("biz_Other".to_owned()))),
        (vec![status(401)], Err(KeyTrouble::Refused)),
        (vec![status(403), nothing], Ok(None)),
        (vec![status(403), status(404)], Err(KeyTrouble::NotAllowed(404))),
    ] {
        let (server, client) = scene().await;
        answers(&server, in_turn).await;
        assert_eq!(check_key(&client).await, judged);
    }
    for (answer, is_odd) in [(page, true), (status(503), false)] {
        let (server, client) = scene().await;
        answers(&server, [answer]).await;
        let trouble = check_key(&client).await.unwrap_err();
        assert_eq!(matches!(trouble, KeyTrouble::Odd(_)), is_odd, "{trouble}");
        assert_eq!(matches!(trouble, KeyTrouble::Unreachable(_)), !is_odd, "{trouble}");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn keys_are_asked_about_at_whop_before_they_are_stored_sealed(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (running, given) = whop().await;
    let by = let_in(&stage).await;
    let stores =
        async |key: &str, company: &str| store_keys(&stage.ctx, &by, &FROM, &given, typed(&given, key, company)).await;
    let refused = invalid(stores("apik_another_that_is_wrong", COMPANY).await);
    assert!(refused.of("api_key").unwrap().contains("refuses this key"), "{refused:?}");
    let refused = invalid(stores(KEY, "biz_Another").await);
    assert!(refused.of("company_id").unwrap().contains(COMPANY), "{refused:?}");
    assert_eq!(stage.count("select count(*) from provider_settings").await, 0);
    for (key, company, field) in
        [("", COMPANY, "api_key"), ("a key with spaces in it", COMPANY, "api_key"), (KEY, "prod_1", "company_id")]
    {
        assert!(Typed::parse(&given, key, company).err().unwrap().of(field).is_some(), "{key:?} {company:?}");
    }

    stores(KEY, COMPANY).await.unwrap();
    let known = keys(&stage.ctx, &given).await.unwrap();
    assert_eq!((known.api_key.unwrap().expose_secret(), known.company_id.as_deref()), (KEY, Some(COMPANY)));
    let is_clear = "select count(*) from provider_settings where position('apik_'::bytea in sealed_api_key) > 0";
    assert_eq!(stage.count(is_clear).await, 0);
    let noted: String =
        sqlx::query_scalar("select change::text from audit_entries where deed = 'provider_keys_stored'")
            .fetch_one(&stage.owner)
            .await
            .unwrap();
    assert!(noted.contains(COMPANY) && !noted.contains("apik_"), "{noted}");

    let environment = Given { api_key: Some(SecretString::from("apik_of_the_environment")), ..given.clone() };
    let wins = keys(&stage.ctx, &environment).await.unwrap();
    assert_eq!(wins.api_key.unwrap().expose_secret(), "apik_of_the_environment");
    let other = Given { company_id: Some("biz_Another".to_owned()), ..given.clone() };
    assert!(keys(&stage.ctx, &other).await.unwrap().api_key.is_none(), "a key of one company is none of another's");
    running.stop().await.unwrap();
    let away = invalid(stores(KEY, COMPANY).await);
    assert!(away.of("api_key").unwrap().contains("doesn’t answer"), "{away:?}");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn one_webhook_is_made_pinned_and_its_secret_kept_however_often_it_is_asked_for(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (running, given) = whop().await;
    let by = let_in(&stage).await;
    let makes = || create_webhook(&stage.ctx, &by, &FROM, &given);
    assert!(invalid(makes().await).of("webhook").unwrap().contains("first"));
    store_keys(&stage.ctx, &by, &FROM, &given, typed(&given, KEY, COMPANY)).await.unwrap();
    let (one, other) = tokio::join!(makes(), makes());
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    invalid(makes().await);
    let (url, secret, events, pin) = running.sandbox.read(|world| {
        let all: Vec<_> = world.endpoints.newest().collect();
        assert_eq!(all.len(), 1);
        (all[0].url.clone(), all[0].secret.clone(), all[0].events.clone(), all[0].api_version_date.clone())
    });
    assert_eq!((url.as_str(), pin.as_deref()), ("https://atlas.example/api/webhooks/whop", Some("2026-10-15-1")));
    assert_eq!(events, EVENTS);
    let known = keys(&stage.ctx, &given).await.unwrap();
    assert!(known.are_whole());
    let kept = known.webhook_secret.unwrap();
    assert_eq!(kept.expose_secret(), secret);
    assert!(WebhookSecrets::new(kept, None).is_ok());
    let stands = standing(&stage.ctx, &by, Some(&given)).await.unwrap();
    assert!(stands.is_ready() && stands.whop.unwrap().webhook.unwrap().troubles.is_empty());
    let in_use = store_keys(&stage.ctx, &by, &FROM, &given, typed(&given, KEY, COMPANY)).await;
    assert!(invalid(in_use).of("api_key").unwrap().contains("in use"));
    running.stop().await.unwrap();
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn of_two_who_would_be_the_first_admin_one_is_and_it_ends_there(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (running, given) = whop().await;
    let by = let_in(&stage).await;
    let early = make(&stage.ctx, &by, &FROM, Some(&given), new_admin("early@example.com")).await;
    assert!(invalid(early).of("admin").is_some(), "without keys nobody could add them any more");
    let makes = |email| make(&stage.ctx, &by, &FROM, None, new_admin(email));
    let (one, other) = tokio::join!(makes("ana@example.com"), makes("ben@example.com"));
    assert_ne!(one.is_ok(), other.is_ok(), "{one:?} {other:?}");
    assert!(matches!(one.and(other), Err(Error::NotFound)));
    assert_eq!(stage.count("select count(*) from user_profiles where role = 'admin' and name = 'Bea'").await, 1);
    assert_eq!(stage.count("select count(*) from set_up_code").await, 0);
    let entry: (String, String) = sqlx::query_as("select actor, part from audit_entries where deed = 'registered'")
        .fetch_one(&stage.owner)
        .await
        .unwrap();
    assert_eq!(entry, ("operator".to_owned(), "set-up page".to_owned()));
    assert!(code::renew(&stage.ctx).await.unwrap().is_none());
    assert!(matches!(enters(&stage, "any").await, Err(Error::NotFound)));
    assert!(matches!(create_webhook(&stage.ctx, &by, &FROM, &given).await, Err(Error::Invalid(_))));
    let late = store_keys(&stage.ctx, &by, &FROM, &given, typed(&given, KEY, COMPANY)).await;
    assert!(matches!(late, Err(Error::NotFound)), "a proof that was got before is worth nothing");
    assert_eq!(stage.count("select count(*) from provider_settings").await, 0);
    running.stop().await.unwrap();
}
