//! The audit: written with what it tells of or not at all, never changed, and every change of it is found.

use std::net::{IpAddr, Ipv4Addr};

use atlas::api_keys::Scope;
use atlas::api_keys::create::{NewApiKey, create};
use atlas::api_keys::revoke::revoke;
use atlas::audit::list::{Entry, Filter, after, newest};
use atlas::audit::verify::{Verified, still_has, verify};
use atlas::audit::{About, By, Change, Origin, What, Who, export, record};
use atlas::limits::{Limit, take};
use atlas::people::roles::change::set_role;
use atlas::people::sessions::{end, end_others, end_this};
use atlas::people::sign_in::{Knock, sign_in};
use atlas::people::{Role, SignedIn};
use atlas::{Error, Refusal};
use domain::PersonId;
use futures::future::join_all;
use secrecy::SecretString;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool};
use time::Duration;

use crate::people::HASHING;
use crate::stage::{OPERATOR, Stage, refusal};

async fn entries(stage: &Stage) -> Vec<Entry> {
    after(&stage.ctx.db, &Filter::default(), 0, 1_000).await.unwrap()
}

async fn deeds(stage: &Stage) -> Vec<String> {
    entries(stage).await.into_iter().map(|entry| entry.deed).collect()
}

/// An entry of each kind of actor.
async fn some(stage: &Stage, count: usize) {
    let ana = stage.buyer("ana").await;
    for place in 0..count {
        let who = [Who::Nobody, Who::Person(ana.id()), Who::Operator("test"), Who::System("test")][place % 4];
        let by = By { who, origin: &Origin::NONE };
        let mut db = stage.ctx.db.acquire().await.unwrap();
        record(&mut db, &by.did(What::Confirmed, About::Person(ana.id()))).await.unwrap();
    }
}

/// The SQLSTATE with which the statement is refused.
async fn refused(db: &PgPool, sql: &str) -> String {
    let Err(error) = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(db).await else {
        panic!("it was done: {sql}");
    };
    error.as_database_error().unwrap().code().unwrap().into_owned()
}

/// As somebody would who owns the database and means harm.
async fn tampers(stage: &Stage, sql: &str) {
    let whole =
        format!("alter table audit_entries disable trigger all; {sql}; alter table audit_entries enable trigger all");
    sqlx::raw_sql(AssertSqlSafe(whole)).execute(&stage.owner).await.unwrap();
}

async fn begins_session(stage: &Stage, person: &SignedIn, id: u8) -> [u8; 32] {
    let hash = [id; 32];
    sqlx::query(
        "insert into sessions (id_hash, person_id, data, expires_at) values ($1, $2, '{}', now() + interval '1 day')",
    )
    .bind(&hash[..])
    .bind(person.id())
    .execute(&stage.ctx.db)
    .await
    .unwrap();
    hash
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_entry_says_who_what_about_whom_from_where_and_why(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let origin = Origin {
        session: Some([0xc4; 32]),
        address: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 77))),
        request: Some("0199-request".to_owned()),
    };
    let by = By { who: Who::Person(ana.id()), origin: &origin };
    assert!(set_role(&stage.ctx, &by, "ben@example.com", Role::Finance, "keeps the books").await.unwrap());
    let [entry] = entries(&stage).await.try_into().unwrap();
    assert_eq!((entry.actor.as_str(), entry.actor_id, entry.part), ("person", Some(ana.id()), None));
    assert_eq!((entry.deed.as_str(), entry.about.as_str()), ("role_changed", "person"));
    assert_eq!(entry.about_id, ben.id().to_string());
    assert_eq!(entry.change, json!({ "role": { "from": "buyer", "to": "finance" }, "sessions_ended": 0 }));
    assert_eq!(entry.why.as_deref(), Some("keeps the books"));
    assert_eq!(entry.session.as_deref(), Some("c4c4c4c4"));
    assert_eq!(entry.network.as_deref(), Some("192.0.2.0/24"));
    assert_eq!(entry.request.as_deref(), Some("0199-request"));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_cannot_be_written_down_does_not_happen(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let here = begins_session(&stage, &ana, 1).await;
    begins_session(&stage, &ana, 2).await;
    sqlx::query("revoke execute on function audit_record from atlas_app").execute(&stage.owner).await.unwrap();
    let new = NewApiKey::parse("Shop", "shop", vec![Scope::Spend]).unwrap();
    assert!(create(&stage.ctx, &OPERATOR, &new).await.is_err());
    assert!(set_role(&stage.ctx, &OPERATOR, "ana@example.com", Role::Admin, "a test").await.is_err());
    assert!(end_others(&stage.ctx, &ana, here, &Origin::NONE).await.is_err());
    assert!(end_this(&stage.ctx, here, &Origin::NONE).await.is_err());
    assert_eq!(stage.count("select count(*) from api_keys").await, 0);
    assert_eq!(stage.count("select count(*) from user_profiles where role = 'admin'").await, 0);
    assert_eq!(stage.count("select count(*) from sessions").await, 2);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_change_that_is_taken_back_leaves_no_entry(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let mut tx = stage.ctx.db.begin().await.unwrap();
    record(&mut tx, &OPERATOR.did(What::KeyCreated, About::Thing { kind: "test", id: "1" })).await.unwrap();
    tx.rollback().await.unwrap();
    some(&stage, 2).await;
    assert_eq!(entries(&stage).await.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 2], "and no gap");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_role_is_not_changed_without_a_reason(pool: PgPool) {
    let stage = Stage::new(pool).await;
    stage.buyer("ana").await;
    assert!(set_role(&stage.ctx, &OPERATOR, "ana@example.com", Role::Admin, "").await.is_err());
    assert_eq!(stage.count("select count(*) from user_profiles where role = 'admin'").await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn nobody_edits_the_audit_neither_the_application_nor_the_owner(pool: PgPool) {
    let stage = Stage::new(pool).await;
    some(&stage, 3).await;
    for sql in [
        "update audit_entries set why = 'because'",
        "delete from audit_entries where number = 3",
        "truncate audit_entries",
        "insert into audit_entries select * from audit_entries",
        "select * from audit_keys",
        "select audit_digest(audit_entries) from audit_entries",
        "alter table audit_entries disable trigger all",
    ] {
        assert_eq!(refused(&stage.ctx.db, sql).await, "42501", "{sql}");
    }
    for sql in ["update audit_entries set why = 'because'", "delete from audit_entries", "truncate audit_entries"] {
        assert_eq!(refused(&stage.owner, sql).await, "42501", "{sql}");
    }
    assert_eq!(entries(&stage).await.len(), 3);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn every_break_of_the_chain_is_found(pool: PgPool) {
    let stage = Stage::new(pool).await;
    assert_eq!(verify(&stage.ctx.db).await.unwrap(), Verified::default());
    some(&stage, 9).await;
    let whole = verify(&stage.ctx.db).await.unwrap();
    let noted = whole.hash.clone().unwrap();
    assert_eq!((whole.entries, whole.broken.as_slice()), (9, &[][..]));

    tampers(&stage, "update audit_entries set network = '198.51.100.0/24' where number = 2").await;
    assert_eq!(verify(&stage.ctx.db).await.unwrap().broken, [2], "an entry that says something else");
    tampers(&stage, "update audit_entries set at = at - interval '1 second' where number = 4").await;
    assert_eq!(verify(&stage.ctx.db).await.unwrap().broken, [2, 4], "or at another time");
    // Whoever knows how to make a hash has to go on to the end.
    tampers(&stage, "update audit_entries set hash = audit_digest(audit_entries) where number = 4").await;
    assert_eq!(verify(&stage.ctx.db).await.unwrap().broken, [2, 5]);
    tampers(&stage, "delete from audit_entries where number = 7").await;
    assert_eq!(verify(&stage.ctx.db).await.unwrap().broken, [2, 5, 8], "an entry that is gone");
    tampers(&stage, "delete from audit_entries where number = 1").await;
    assert_eq!(verify(&stage.ctx.db).await.unwrap().broken, [2, 5, 8]);

    assert!(still_has(&stage.ctx.db, 9, &noted).await.unwrap());
    tampers(&stage, "delete from audit_entries where number = 9").await;
    assert!(!still_has(&stage.ctx.db, 9, &noted).await.unwrap(), "the end cut off is told by a hash kept elsewhere");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn many_who_write_at_once_make_one_chain(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let by = By { who: Who::Person(ana.id()), origin: &Origin::NONE };
    let write = async |place: i64| {
        let mut tx = stage.ctx.db.begin().await.unwrap();
        let change = Change::none().noted("place", place);
        record(&mut tx, &by.did(What::Confirmed, About::Person(ana.id())).with(change)).await.unwrap();
        tx.commit().await.unwrap();
    };
    join_all((0..40).map(write)).await;
    let numbers: Vec<i64> = entries(&stage).await.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    assert_eq!(verify(&stage.ctx.db).await.unwrap().broken, [0; 0]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t47_a_refused_sign_in_is_noted_alike_whether_there_is_such_an_account(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    stage.buyer("ana").await;
    let knock = |last| Knock {
        address: IpAddr::V4(Ipv4Addr::new(198, 51, 100, last)),
        device: None,
        request: Some("request".to_owned()),
    };
    // The stage's people have no password, so make this one's unlike anything.
    sqlx::query("update user_profiles set password_hash = '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21l$3cYgYkBUWpLfwLgKSSpXMMQaYlsQBrWQvU4AGvyHs0o'")
        .execute(&stage.owner)
        .await
        .unwrap();
    for (last, typed) in [(1, "Ana@example.com "), (2, "nobody@example.com"), (3, "ana@example.com")] {
        let refused = sign_in(&stage.ctx, typed, SecretString::from("wrong"), &knock(last)).await;
        assert_eq!(refusal(refused), Refusal::WrongCredentials);
    }
    let [known, unknown, again] = entries(&stage).await.try_into().unwrap();
    for entry in [&known, &unknown] {
        assert_eq!(
            (entry.actor.as_str(), entry.deed.as_str(), entry.about.as_str()),
            ("nobody", "sign_in_refused", "address")
        );
        assert_eq!((entry.actor_id, &entry.change), (None, &json!({})));
        assert_eq!(entry.network.as_deref(), Some("198.51.100.0/24"));
        assert!(entry.about_id.len() == 24 && entry.about_id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    assert_ne!(known.about_id, unknown.about_id);
    assert_eq!(known.about_id, again.about_id, "the same address, however it is typed");
    let of_ana = Filter { address: Some("ana@example.com".to_owned()), ..Filter::default() };
    assert_eq!(newest(&stage.ctx.db, &of_ana, 10).await.unwrap(), [again, known]);
    let written: String = sqlx::query_scalar("select string_agg(audit_entries::text, ' ') from audit_entries")
        .fetch_one(&stage.owner)
        .await
        .unwrap();
    assert!(!written.contains("example.com"), "{written}");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_limit_that_refuses_is_noted_once_in_a_while(pool: PgPool) {
    const ONE: Limit = Limit::new("one_by_address", 1, Duration::minutes(1));
    let stage = Stage::new(pool).await;
    for _ in 0..20 {
        let _ = take(&stage.ctx, &ONE, "192.0.2.1").await;
    }
    let _ = take(&stage.ctx, &ONE, "192.0.2.2").await;
    let _ = take(&stage.ctx, &ONE, "192.0.2.2").await;
    assert_eq!(deeds(&stage).await, ["limit_hit", "limit_hit"], "one for each who was refused");
    stage.advance(Duration::minutes(11));
    for _ in 0..20 {
        let _ = take(&stage.ctx, &ONE, "192.0.2.1").await;
    }
    let [first, other, later] = entries(&stage).await.try_into().unwrap();
    assert_eq!(first.change, json!({ "limit": "one_by_address" }));
    assert_eq!(first.about_id, later.about_id);
    assert_ne!(first.about_id, other.about_id);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn keys_roles_and_ended_sessions_are_written_down(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let new = NewApiKey::parse("Shop", "shop", vec![Scope::Spend]).unwrap();
    let key = create(&stage.ctx, &OPERATOR, &new).await.unwrap();
    revoke(&stage.ctx, &OPERATOR, key.id).await.unwrap();
    revoke(&stage.ctx, &OPERATOR, key.id).await.unwrap();
    let here = begins_session(&stage, &ana, 1).await;
    begins_session(&stage, &ana, 2).await;
    begins_session(&stage, &ana, 3).await;
    let name = sqlx::query_scalar("select public_id from sessions where id_hash = $1")
        .bind(&[2_u8; 32][..])
        .fetch_one(&stage.owner)
        .await
        .unwrap();
    end(&stage.ctx, &ana, name, &Origin::NONE).await.unwrap();
    assert!(matches!(end(&stage.ctx, &ana, name, &Origin::NONE).await, Err(Error::NotFound)));
    assert_eq!(end_others(&stage.ctx, &ana, here, &Origin::NONE).await.unwrap(), 1);
    end_this(&stage.ctx, here, &Origin::NONE).await.unwrap();
    end_this(&stage.ctx, here, &Origin::NONE).await.unwrap();
    assert!(!set_role(&stage.ctx, &OPERATOR, "nobody@example.com", Role::Admin, "a test").await.unwrap());
    assert_eq!(deeds(&stage).await, ["key_created", "key_revoked", "session_ended", "sessions_ended", "signed_out"]);
    let of = |person: PersonId| Filter { person: Some(person), ..Filter::default() };
    assert_eq!(newest(&stage.ctx.db, &of(ana.id()), 10).await.unwrap().len(), 3);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_spreadsheet_runs_nothing_of_an_export(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let deed = OPERATOR.did(What::RoleChanged, About::Thing { kind: "test", id: "+1+cmd|' /C calc'!A0" });
    let mut db = stage.ctx.db.acquire().await.unwrap();
    record(&mut db, &deed.because("=HYPERLINK(\"http://evil.example\")")).await.unwrap();
    let row = export::row(&entries(&stage).await[0]);
    assert!(row.contains(r#","'=HYPERLINK(""http://evil.example"")","#), "{row}");
    assert!(row.contains(r#","'+1+cmd|"#), "{row}");
    assert_eq!(row.matches("\",\"").count() + 1, export::HEADER.trim_end().split(',').count());
}
