//! An admin who looks at somebody's pages: who may, whose, for how long, and what of it is written down.

use atlas::audit::list::{Entry, Filter, after};
use atlas::audit::{Origin, Reason};
use atlas::people::export::{Form, export};
use atlas::people::roles::change::set_role;
use atlas::people::sessions::end_this;
use atlas::people::viewing::{VIEWING_LASTS, start, stop};
use atlas::people::{Role, SignedIn, Visitor};
use atlas::{Error, Refusal, Result};
use domain::PersonId;
use sqlx::PgPool;
use time::Duration;

use crate::stage::boss::{Boss, admin};
use crate::stage::{OPERATOR, Stage, promo, refusal};

const WAITS_FOR_A_LOCK: &str =
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

async fn begins_session(stage: &Stage, person: &SignedIn) -> [u8; 32] {
    let session: [u8; 32] = rand::random();
    sqlx::query("insert into sessions (id_hash, person_id, data, expires_at) values ($1, $2, '{}', 'infinity')")
        .bind(&session[..])
        .bind(person.id())
        .execute(&stage.ctx.db)
        .await
        .unwrap();
    session
}

async fn views(stage: &Stage, boss: &Boss, session: [u8; 32], whose: PersonId) -> Result<()> {
    let why = Reason::parse("reason", "They wrote that credits are missing").unwrap();
    start(&stage.ctx, &boss.0, &boss.1, session, whose, &Origin::NONE, &why).await
}

async fn visitor(stage: &Stage, boss: &Boss, session: [u8; 32]) -> Visitor {
    Visitor::of(&stage.ctx, boss.0.person().id(), session).await.unwrap()
}

async fn is_over(stage: &Stage, boss: &Boss, session: [u8; 32], whose: PersonId) -> bool {
    matches!(visitor(stage, boss, session).await, Visitor::DoneViewing(seen) if seen == whose)
}

async fn entries(stage: &Stage) -> Vec<Entry> {
    after(&stage.ctx.db, &Filter::default(), 0, 100).await.unwrap()
}

async fn deeds(stage: &Stage) -> Vec<String> {
    entries(stage).await.into_iter().map(|entry| entry.deed).collect()
}

/// An admin of a stage where nobody needs a second factor, and a session of theirs.
async fn scene(pool: PgPool) -> (Stage, SignedIn, Boss, [u8; 32]) {
    let mut stage = Stage::new(pool).await;
    stage.ctx.staff_need_second_factor = false;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    let session = begins_session(&stage, boss.0.person()).await;
    (stage, ana, boss, session)
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_admin_sees_what_a_buyer_sees_until_they_stop(pool: PgPool) {
    let (stage, ana, boss, session) = scene(pool).await;
    stage.grants(&promo(&ana, 500)).await.unwrap();
    views(&stage, &boss, session, ana.id()).await.unwrap();

    let visitor_now = visitor(&stage, &boss, session).await;
    assert!(visitor_now.person().is_none() && visitor_now.anybody().is_none(), "nobody is signed in");
    let Visitor::Viewing(viewing) = visitor_now else { panic!("{visitor_now:?}") };
    assert_eq!((viewing.owner().id(), viewing.owner().available().get()), (ana.id(), 500));
    assert_eq!(viewing.until(), stage.ctx.now() + VIEWING_LASTS);
    let other = begins_session(&stage, boss.0.person()).await;
    assert!(matches!(visitor(&stage, &boss, other).await, Visitor::Person(_)), "in this session alone");

    stop(&stage.ctx, session, &Origin::NONE).await.unwrap();
    stop(&stage.ctx, session, &Origin::NONE).await.unwrap();
    let Visitor::Person(person) = visitor(&stage, &boss, session).await else { panic!("not back") };
    assert_eq!(person.id(), boss.0.person().id());
    let [started, ended] = entries(&stage).await.try_into().unwrap();
    assert_eq!((started.deed.as_str(), ended.deed.as_str()), ("viewing_started", "viewing_ended"));
    for entry in [&started, &ended] {
        assert_eq!(entry.actor_id, Some(boss.0.person().id()));
        assert_eq!((entry.about.as_str(), entry.about_id.as_str()), ("person", ana.id().to_string().as_str()));
    }
    assert_eq!(started.why.as_deref(), Some("They wrote that credits are missing"));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn it_ends_after_a_quarter_of_an_hour_and_waits_for_a_word(pool: PgPool) {
    let (stage, ana, boss, session) = scene(pool).await;
    views(&stage, &boss, session, ana.id()).await.unwrap();
    stage.advance(VIEWING_LASTS - Duration::seconds(1));
    assert!(matches!(visitor(&stage, &boss, session).await, Visitor::Viewing(_)));
    stage.advance(Duration::seconds(1));
    assert!(is_over(&stage, &boss, session, ana.id()).await, "neither theirs nor the admin's own");
    assert!(matches!(views(&stage, &boss, session, ana.id()).await, Err(Error::NotFound)), "not prolonged");
    stop(&stage.ctx, session, &Origin::NONE).await.unwrap();
    assert!(matches!(visitor(&stage, &boss, session).await, Visitor::Person(_)));
    views(&stage, &boss, session, ana.id()).await.unwrap();
    assert_eq!(deeds(&stage).await, ["viewing_started", "viewing_ended", "viewing_started"]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn nobody_looks_at_staff_at_themselves_or_at_nobody(pool: PgPool) {
    let (stage, ana, boss, session) = scene(pool).await;
    let (other, ben) = (admin(&stage, "other").await, stage.buyer("ben").await);
    assert_eq!(refusal(views(&stage, &boss, session, boss.0.person().id()).await), Refusal::OwnPages);
    assert_eq!(refusal(views(&stage, &boss, session, other.0.person().id()).await), Refusal::StaffPages);
    assert!(set_role(&stage.ctx, &OPERATOR, "ben@example.com", Role::Support, "a test").await.unwrap());
    assert_eq!(refusal(views(&stage, &boss, session, ben.id()).await), Refusal::StaffPages);
    let unknown = PersonId::from_uuid(atlas::ids::fresh());
    assert!(matches!(views(&stage, &boss, session, unknown).await, Err(Error::NotFound)));
    let of_another = begins_session(&stage, other.0.person()).await;
    assert!(matches!(views(&stage, &boss, of_another, ana.id()).await, Err(Error::NotFound)), "in one's own session");
    assert_eq!(stage.count("select count(*) from sessions where viewing_id is not null").await, 0);
    assert_eq!(deeds(&stage).await, ["role_changed"]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn it_is_over_when_either_is_another_by_then(pool: PgPool) {
    let (stage, ana, boss, session) = scene(pool).await;
    views(&stage, &boss, session, ana.id()).await.unwrap();
    for (change, back) in [
        // Behind the program's back, which would end the session.
        ("role = 'finance' where email = 'boss@example.com'", "role = 'admin' where email = 'boss@example.com'"),
        ("role = 'support' where email = 'ana@example.com'", "role = 'buyer' where email = 'ana@example.com'"),
        ("deleted_at = now() where email = 'ana@example.com'", "deleted_at = null where email = 'ana@example.com'"),
    ] {
        let set = async |what: &str| {
            let sql = format!("update user_profiles set {what}");
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&stage.owner).await.unwrap();
        };
        set(change).await;
        assert!(is_over(&stage, &boss, session, ana.id()).await, "{change}");
        set(back).await;
        assert!(matches!(visitor(&stage, &boss, session).await, Visitor::Viewing(_)), "{back}");
    }
    let strict = atlas::Context { staff_need_second_factor: true, ..stage.ctx.clone() };
    let visitor = Visitor::of(&strict, boss.0.person().id(), session).await.unwrap();
    assert!(matches!(visitor, Visitor::DoneViewing(_)), "who has to set up a second factor first: {visitor:?}");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_role_taken_meanwhile_and_a_person_gone_meanwhile_are_noticed(pool: PgPool) {
    let (stage, ana, boss, session) = scene(pool).await;
    for meanwhile in [
        "update user_profiles set deleted_at = now() where email = 'ana@example.com'",
        "with demoted as (update user_profiles set role = 'buyer' where email = 'boss@example.com' returning id)
        delete from sessions where person_id = (select id from demoted)",
    ] {
        let mut tx = stage.owner.begin().await.unwrap();
        sqlx::query(meanwhile).execute(&mut *tx).await.unwrap();
        let commits_once_it_waits = async {
            stage.until(WAITS_FOR_A_LOCK, 1).await;
            tx.commit().await.unwrap();
        };
        let (viewed, ()) = futures::join!(views(&stage, &boss, session, ana.id()), commits_once_it_waits);
        assert!(matches!(viewed, Err(Error::NotFound)), "{viewed:?} after {meanwhile}");
        sqlx::query("update user_profiles set deleted_at = null").execute(&stage.owner).await.unwrap();
    }
    assert_eq!(deeds(&stage).await, Vec::<String>::new());
}

/// Entries of the database's own about a viewing that ended with its session.
const ENDED: &str = "select count(*) from audit_entries e join user_profiles p on p.id::text = e.about_id
    where e.deed = 'viewing_ended' and p.email = 'ana@example.com' and e.why = 'The session is over.' and length(e.session) = 8
        and e.actor_id = (select id from user_profiles where email = 'boss@example.com')";

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn signing_out_and_losing_the_role_end_it_with_the_session(pool: PgPool) {
    let (stage, ana, boss, session) = scene(pool).await;
    views(&stage, &boss, session, ana.id()).await.unwrap();
    end_this(&stage.ctx, session, &Origin::NONE).await.unwrap();
    assert_eq!(deeds(&stage).await, ["viewing_started", "viewing_ended", "signed_out"]);
    let session = begins_session(&stage, boss.0.person()).await;
    views(&stage, &boss, session, ana.id()).await.unwrap();
    assert!(set_role(&stage.ctx, &OPERATOR, "boss@example.com", Role::Support, "a test").await.unwrap());
    assert_eq!(stage.count("select count(*) from sessions where viewing_id is not null").await, 0);
    assert_eq!(stage.count(ENDED).await, 2, "each once, whoever ended the session");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_cannot_be_written_down_shows_nothing(pool: PgPool) {
    let (stage, ana, boss, session) = scene(pool).await;
    sqlx::query("revoke execute on function audit_record from atlas_app").execute(&stage.owner).await.unwrap();
    assert!(views(&stage, &boss, session, ana.id()).await.is_err());
    assert!(matches!(visitor(&stage, &boss, session).await, Visitor::Person(_)));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn whose_pages_were_viewed_reads_that_in_their_export_and_not_why(pool: PgPool) {
    let (stage, ana, boss, session) = scene(pool).await;
    views(&stage, &boss, session, ana.id()).await.unwrap();
    stop(&stage.ctx, session, &Origin::NONE).await.unwrap();
    let all = export(&stage.ctx, &ana, Form::Json, &Origin::NONE).await.unwrap();
    let told: Vec<&str> = all.audit.as_array().unwrap().iter().map(|entry| entry["deed"].as_str().unwrap()).collect();
    assert_eq!(told, ["viewing_started", "viewing_ended"]);
    let json = serde_json::to_string(&all).unwrap();
    assert!(!json.contains("missing") && !json.contains(&boss.0.person().id().to_string()), "{json}");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_table_of_sessions_refuses_half_a_note_and_oneself(pool: PgPool) {
    let (stage, ana, boss, session) = scene(pool).await;
    let note = async |whose: Option<PersonId>, until: Option<&str>| {
        let sql = "update sessions set viewing_id = $2, viewing_until = $3::timestamptz where id_hash = $1";
        let done = sqlx::query(sql).bind(&session[..]).bind(whose).bind(until).execute(&stage.ctx.db).await;
        done.err().and_then(|error| error.as_database_error()?.constraint().map(ToOwned::to_owned))
    };
    assert_eq!(note(Some(ana.id()), None).await.as_deref(), Some("sessions_viewing"));
    assert_eq!(note(None, Some("infinity")).await.as_deref(), Some("sessions_viewing"));
    assert_eq!(note(Some(boss.0.person().id()), Some("infinity")).await.as_deref(), Some("sessions_viewing_other"));
    assert_eq!(note(Some(ana.id()), Some("infinity")).await, None);
}
