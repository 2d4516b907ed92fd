//! Leaving: what is forgotten, what stays booked, and what happens to money that comes later.

use std::collections::BTreeSet;

use atlas::audit::Origin;
use atlas::audit::list::{Filter, after};
use atlas::events::forget::forget_old;
use atlas::people::email;
use atlas::people::erase::{Farewell, erase, farewell, note_late_payments};
use atlas::people::export::{Export, Form, export};
use atlas::people::password::NewPassword;
use atlas::people::register::{Email, register_as};
use atlas::people::roles::change::set_role;
use atlas::people::{Role, SignedIn};
use atlas::{Error, Refusal, Result};
use domain::{Credits, OrderState, RefundState};
use sqlx::PgPool;
use time::Duration;

use crate::people::HASHING;
use crate::stage::boss::confirms;
use crate::stage::{OPERATOR, Stage, promo, refund, refusal, usage};

const GOOD: &str = "correct horse battery";

/// Somebody with a password, who has bought and spent.
async fn ana(stage: &Stage) -> SignedIn {
    let email = Email::parse("email", "ana@example.com").unwrap();
    let password = NewPassword::parse("password", GOOD).unwrap();
    let ana = register_as(&stage.ctx, &OPERATOR, email, password, Role::Buyer).await.unwrap();
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    stage.spends(&usage(&ana, 25)).await.unwrap();
    stage.again(ana.id()).await
}

/// A Whop account with what it granted, a second factor, a browser that is known, a licence, and what is under way.
async fn has_every_way_in(stage: &Stage, person: &SignedIn) {
    for statement in [
        "insert into identities (id, person_id, issuer, subject, label, linked_at)
            values (gen_random_uuid(), $1, 'https://whop.test', 'user_lovelace', 'Ana Lovelace', now())",
        "insert into identity_grants (id, identity_id, sealed_access, access_ends_at, granted_at)
            select gen_random_uuid(), id, decode(repeat('00', 40), 'hex'), now(), now() from identities where person_id = $1",
        "insert into second_factors (person_id, sealed_secret, on_since) values ($1, decode(repeat('00', 40), 'hex'), now())",
        "insert into recovery_codes (person_id, code_hash) values ($1, sha256('code'))",
        "insert into known_devices (token_hash, person_id, seen_at) values (sha256('device'), $1, now())",
        "insert into memberships (provider, id, status, gives_access, said_at, person_id)
            values ('whop', 'mem_1', 'active', true, now(), $1)",
        "insert into membership_asks (person_id) values ($1)",
        "insert into legacy_transactions (legacy_id, person_id, amount, kind, description)
            values ('t1', $1, 5, 'bonus', 'For Ana Lovelace, Analytical Lane')",
        "insert into oauth_attempts (handle_hash, purpose, person_id, session_hash, return_to, expires_at)
            values (sha256('handle'), 'link', $1, sha256('session'), '/', now())",
        "insert into mail_links (mail_id, token_hash, purpose, person_id, address, created_at, expires_at)
            select id, sha256('token'), 'confirm_email', $1, 'ana@example.org', now(), now() from mails where person_id = $1",
    ] {
        sqlx::query(statement).bind(person.id()).execute(&stage.owner).await.unwrap();
    }
}

async fn leaves(stage: &Stage, person: &SignedIn, credits: i64) -> Result<()> {
    erase(&stage.ctx, &confirms(stage, person).await, Credits::new(credits), &Origin::NONE).await
}

/// Every row of every table, as text, but for those named.
async fn everything(stage: &Stage, but: &[&str]) -> String {
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public' order by 1")
            .fetch_all(&stage.owner)
            .await
            .unwrap();
    let mut all = String::new();
    for table in tables.iter().filter(|table| !but.contains(&table.as_str())) {
        let sql = format!("select coalesce(string_agg(t::text, ' '), '') from {table} t");
        let rows: String = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&stage.owner).await.unwrap();
        all.push_str(&rows);
    }
    all
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_leaves_is_forgotten_and_the_books_stay(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = ana(&stage).await;
    atlas::people::account::rename(
        &stage.ctx,
        &ana,
        atlas::people::account::Name::parse("name", "Ana Lovelace").unwrap(),
    )
    .await
    .unwrap();
    let open = stage.starts_checkout(&ana, "starter").await;
    let note = atlas::orders::request::Note::parse("note", "Bill me at Analytical Lane").unwrap();
    let plan = stage.plan("enterprise").await;
    let asked =
        atlas::orders::request::submit(&stage.ctx, &ana, plan, note, atlas::orders::FormKey::fresh()).await.unwrap();
    let also_fresh = confirms(&stage, &ana).await;
    email::change(&stage.ctx, &also_fresh, Email::parse("email", "ana@example.org").unwrap(), &Origin::NONE)
        .await
        .unwrap();
    has_every_way_in(&stage, &ana).await;
    let left = ana.balance().posted.get();
    assert_eq!(
        farewell(&stage.ctx, &ana).await.unwrap(),
        Farewell { credits: Credits::new(left), orders_ending: 2, orders_staying: 0 }
    );
    leaves(&stage, &ana, left).await.unwrap();

    let kept = everything(&stage, &["provider_events"]).await;
    for gone in ["ana@example.com", "ana@example.org", "Lovelace", "Analytical Lane"] {
        assert!(!kept.contains(gone), "{gone}");
    }
    assert_eq!(stage.posted(&ana).await, 0);
    stage.audits_clean().await;
    let states: Vec<(domain::OrderId, OrderState)> =
        sqlx::query_as("select id, state from credit_orders order by id").fetch_all(&stage.owner).await.unwrap();
    assert!(states.contains(&(open.id, OrderState::Expired)), "{states:?}");
    assert!(states.contains(&(asked, OrderState::Rejected)), "{states:?}");
    assert_eq!(states.iter().filter(|(_, state)| *state == OrderState::Paid).count(), 1);
    assert_eq!(stage.count("select count(*) from credit_transactions").await, 3, "bought, spent, expired");
    let left_over: Vec<String> = sqlx::query_scalar(
        "select 'identities' from identities union select 'known_devices' from known_devices
        union select 'mail_links' from mail_links union select 'membership_asks' from membership_asks
        union select 'oauth_attempts' from oauth_attempts union select 'recovery_codes' from recovery_codes
        union select 'second_factors' from second_factors union select 'sessions' from sessions",
    )
    .fetch_all(&stage.owner)
    .await
    .unwrap();
    assert_eq!(left_over, Vec::<String>::new());
    assert_eq!(
        stage.count("select count(*) from identity_grants where ended_at is null").await,
        0,
        "given back by a job"
    );
    assert_eq!(stage.count("select count(*) from memberships where person_id is not null").await, 0);
    assert_eq!(stage.count("select count(*) from audit_entries where deed = 'account_deleted'").await, 1);
    let again = Email::parse("email", "ana@example.com").unwrap();
    let password = NewPassword::parse("password", GOOD).unwrap();
    let newcomer = register_as(&stage.ctx, &OPERATOR, again, password, Role::Buyer).await.unwrap();
    assert_ne!(newcomer.id(), ana.id(), "who comes back is somebody new");
    assert!(matches!(erase(&stage.ctx, &also_fresh, Credits::ZERO, &Origin::NONE).await, Err(Error::NotFound)), "once");
    assert!(atlas::people::load(&stage.ctx.db, ana.id()).await.unwrap().is_none(), "no session of theirs is anybody's");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn nobody_leaves_without_knowing_what_is_lost(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = ana(&stage).await;
    let left = ana.balance().posted.get();
    stage.grants(&promo(&ana, 7)).await.unwrap();
    assert_eq!(refusal(leaves(&stage, &ana, left).await), Refusal::CreditsHaveMoved);
    assert_eq!(stage.posted(&ana).await, left + 7, "nothing was lost");
    assert!(set_role(&stage.ctx, &OPERATOR, "ana@example.com", Role::Support, "a test").await.unwrap());
    let staff = stage.again(ana.id()).await;
    assert_eq!(refusal(leaves(&stage, &staff, left + 7).await), Refusal::StaffStays);
    assert_eq!(stage.count("select count(*) from user_profiles where deleted_at is not null").await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn money_that_comes_after_somebody_left_is_booked_noted_once_and_can_be_refunded(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = ana(&stage).await;
    let late = stage.starts_checkout(&ana, "starter").await;
    leaves(&stage, &ana, ana.balance().posted.get()).await.unwrap();
    assert_eq!(note_late_payments(&stage.ctx).await.unwrap(), 0, "what came before is no matter");

    stage.advance(Duration::minutes(5));
    stage.pays(&late, "pay_late").await;
    assert!(stage.posted(&ana).await > 0, "in the wallet that stays");
    assert_eq!(note_late_payments(&stage.ctx).await.unwrap(), 1);
    assert_eq!(note_late_payments(&stage.ctx).await.unwrap(), 0, "once");
    let filter = Filter { deed: Some("late_payment".to_owned()), ..Filter::default() };
    let [entry] = after(&stage.ctx.db, &filter, 0, 10).await.unwrap().try_into().unwrap();
    assert_eq!((entry.about.as_str(), entry.about_id), ("order", late.id.to_string()));

    let refunded = refund("rf_1", "pay_late", late.price.minor, RefundState::Succeeded);
    stage.delivers(&stage.refund_webhook("evt_refund", &refunded)).await.unwrap();
    assert_eq!(stage.posted(&ana).await, 0);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_refund_of_what_was_bought_before_leaving_still_takes_back(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = ana(&stage).await;
    leaves(&stage, &ana, ana.balance().posted.get()).await.unwrap();
    let price: i64 = sqlx::query_scalar("select amount_minor from payments").fetch_one(&stage.owner).await.unwrap();
    let refunded = refund("rf_1", "pay_1", price, RefundState::Succeeded);
    stage.delivers(&stage.refund_webhook("evt_refund", &refunded)).await.unwrap();
    let balance = stage.balance(&ana).await;
    assert_eq!(balance.posted, Credits::ZERO);
    assert!(balance.debt > Credits::ZERO, "what was spent or expired is owed, by nobody");
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn every_table_that_names_a_person_is_decided_upon(pool: PgPool) {
    // Kept: books and what explains them, by an id alone. Emptied: whatever says who it was.
    let kept = [
        "audit_entries",
        "credit_accounts",
        "credit_deeds",
        "credit_orders",
        "legacy_people",
        "legacy_transactions",
        "plan_versions",
        "refund_requests",
    ];
    let emptied = [
        "identities",
        "known_devices",
        "mail_links",
        "mails",
        "membership_asks",
        "memberships",
        "notes",
        "oauth_attempts",
        "second_factors",
        "sessions",
        "sign_in_attempts",
    ];
    let stage = Stage::new(pool).await;
    let referring: BTreeSet<String> = sqlx::query_scalar::<_, String>(
        "select distinct conrelid::regclass::text from pg_constraint
        where contype = 'f' and confrelid = 'user_profiles'::regclass",
    )
    .fetch_all(&stage.owner)
    .await
    .unwrap()
    .into_iter()
    .collect();
    let decided: BTreeSet<String> = kept.iter().chain(&emptied).map(ToString::to_string).collect();
    assert_eq!(referring, decided, "src/people/erase.rs has to know each");
}

fn words(part: &serde_json::Value) -> usize {
    part.as_array().unwrap().len()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_export_holds_all_that_is_kept_about_one_person_and_nothing_of_others(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = ana(&stage).await;
    let ben = stage.buyer("ben").await;
    let bens = stage.starts_checkout(&ben, "starter").await;
    stage.pays(&bens, "pay_ben").await;
    atlas::people::account::rename(&stage.ctx, &ana, atlas::people::account::Name::parse("name", "=1+1").unwrap())
        .await
        .unwrap();
    let all: Export = export(&stage.ctx, &ana, Form::Json, &Origin::NONE).await.unwrap();
    assert_eq!(all.profile[0]["email"], "ana@example.com");
    assert_eq!((words(&all.orders), words(&all.payments), words(&all.statement)), (1, 1, 2));
    assert_eq!(words(&all.mails), 1, "the receipt");
    assert_eq!(all.audit[0]["deed"], "registered");
    let json = serde_json::to_string(&all).unwrap();
    for foreign in ["ben@example.com", "pay_ben", &ben.id().to_string(), "argon2", &bens.id.to_string()] {
        assert!(!json.contains(foreign), "{foreign}");
    }
    let csv = export(&stage.ctx, &ana, Form::Csv, &Origin::NONE).await.unwrap().csv();
    assert!(csv.starts_with("part,row,field,value\r\n"));
    assert!(csv.contains("\"profile\",\"1\",\"name\",\"'=1+1\"\r\n"), "{csv}");
    assert!(csv.contains("\"statement\",\"2\",\"description\",\"Used\"\r\n"), "{csv}");
    for _ in 0..3 {
        export(&stage.ctx, &ana, Form::Json, &Origin::NONE).await.unwrap();
    }
    assert!(matches!(refusal(export(&stage.ctx, &ana, Form::Json, &Origin::NONE).await), Refusal::TooManyTries { .. }));
    assert_eq!(stage.count("select count(*) from audit_entries where deed = 'data_exported'").await, 5);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn webhooks_are_forgotten_after_13_months_and_still_known_again(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    let webhook = stage.payment_webhook("evt_2", &order.facts("pay_1", domain::PaymentState::Succeeded));
    stage.delivers(&webhook).await.unwrap();
    sqlx::query("update provider_events set received_at = now() - interval '14 months' where event_id = 'evt_2'")
        .execute(&stage.owner)
        .await
        .unwrap();
    assert_eq!(forget_old(&stage.ctx).await.unwrap(), 1);
    assert_eq!(forget_old(&stage.ctx).await.unwrap(), 0);
    assert_eq!(stage.count("select count(*) from provider_events where body = ''").await, 1);
    assert_eq!(stage.count("select count(*) from provider_events where body <> ''").await, 1);
    assert_eq!(stage.delivers(&webhook).await.unwrap(), atlas::events::Received::Duplicate);
}
