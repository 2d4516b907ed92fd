//! What those do and see who look after Atlas: people, events, the audit.

use atlas::audit::list::{Filter, before};
use atlas::audit::{Origin, Reason};
use atlas::events::replay::replay;
use atlas::events::{Received, desk as inbox, resolve};
use atlas::orders::list;
use atlas::people::desk;
use atlas::people::roles::Support;
use atlas::people::roles::change::set_role_of;
use atlas::people::sessions::of_others::{self, Which};
use atlas::{Error, Refusal};
use domain::{Credits, EventId, PaymentState, PersonId, Role};
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use crate::stage::boss::{Boss, admin};
use crate::stage::{Stage, promo, refusal, reservation, usage};

fn support(boss: &Boss) -> Support {
    Support::prove(boss.0.person().clone()).unwrap()
}

fn reason(text: &str) -> Reason {
    Reason::parse("reason", text).unwrap()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn people_are_found_by_what_their_address_begins_with_and_by_id(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    sqlx::query("update user_profiles set claimed_email = 'anabel@example.com' where id = $1")
        .bind(ben.id())
        .execute(&stage.owner)
        .await
        .unwrap();
    let finds = async |text: &str| {
        let found = desk::search(&stage.ctx.db, &support(&boss), text).await.unwrap();
        found.into_iter().map(|found| found.id).collect::<Vec<PersonId>>()
    };
    assert_eq!(finds("").await, [ben.id(), ana.id(), boss.0.person().id()], "newest first");
    assert_eq!(finds(" ANA@").await, [ana.id()]);
    assert_eq!(finds("ana").await, [ben.id(), ana.id()], "also by what they claim");
    assert_eq!(finds(&ana.id().to_string()).await, [ana.id()]);
    for nobody in ["nobody", "%", "_", "ana' or true --", "ana\0", "0190aaaa-0000-7000-8000-000000000001"] {
        assert_eq!(finds(nobody).await, [], "{nobody}");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_profile_says_what_is_left_and_in_which_order_it_is_spent(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    stage.grants(&promo(&ana, 30)).await.unwrap();
    stage.spends(&usage(&ana, 10)).await.unwrap();
    let profile = desk::profile(&stage.ctx.db, &support(&boss), ana.id()).await.unwrap();
    assert_eq!(profile.balance.posted, Credits::new(5_020));
    let lots: Vec<_> = profile.lots.iter().map(|lot| (lot.remaining.get(), lot.order)).collect();
    assert_eq!(lots, [(20, None), (5_000, Some(order.id))], "what was given goes first");
    assert!(desk::holds(&stage.ctx.db, &support(&boss), ana.id()).await.unwrap().is_empty());
    stage.reserves(&reservation(&ana, 7)).await.unwrap();
    let held: Vec<_> = desk::holds(&stage.ctx.db, &support(&boss), ana.id()).await.unwrap();
    assert_eq!(held.iter().map(|hold| hold.credits.get()).collect::<Vec<_>>(), [7]);
    let nobody = PersonId::from_uuid(atlas::ids::fresh());
    assert!(matches!(desk::profile(&stage.ctx.db, &support(&boss), nobody).await, Err(Error::NotFound)));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_admin_changes_the_role_of_others_and_says_why(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let Boss(boss, fresh) = admin(&stage, "boss").await;
    let ana = stage.buyer("ana").await;
    let gives = async |person: PersonId, role| {
        set_role_of(&stage.ctx, &boss, &fresh, &Origin::NONE, person, role, &reason("She joins the team")).await
    };
    gives(ana.id(), Role::Support).await.unwrap();
    assert_eq!(stage.again(ana.id()).await.role(), Role::Support);
    let filter = Filter { deed: Some("role_changed".to_owned()), ..Filter::default() };
    let [entry] = before(&stage.ctx.db, &filter, i64::MAX, 10).await.unwrap().try_into().unwrap();
    assert_eq!((entry.actor_id, entry.why.as_deref()), (Some(boss.person().id()), Some("She joins the team")));
    assert_eq!(before(&stage.ctx.db, &filter, entry.number, 10).await.unwrap(), [], "nothing is older");

    assert_eq!(refusal(gives(boss.person().id(), Role::Buyer).await), Refusal::OwnRole, "nobody locks themselves out");
    let nobody = PersonId::from_uuid(atlas::ids::fresh());
    assert!(matches!(gives(nobody, Role::Admin).await, Err(Error::NotFound)));
    sqlx::query("update user_profiles set deleted_at = now() where id = $1")
        .bind(ana.id())
        .execute(&stage.owner)
        .await
        .unwrap();
    assert!(matches!(gives(ana.id(), Role::Admin).await, Err(Error::NotFound)), "who has left gets no rights");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn somebodys_sessions_are_listed_and_ended_with_a_reason(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let now = stage.ctx.now();
    for (person, n, seen, address) in [
        (&ana, "1", now - Duration::minutes(9), "192.0.2.77"),
        (&ana, "2", now - Duration::minutes(1), "2001:db8:1:2::9"),
        (&ana, "3", now - Duration::hours(25), "nonsense"),
        (&ben, "4", now, "192.0.2.78"),
    ] {
        sqlx::query(
            "insert into sessions (id_hash, person_id, data, created_at, seen_at, expires_at) values (sha256(convert_to($1, 'UTF8')), $2,
                jsonb_build_object('agent', 'Browser ' || $1, 'began', jsonb_build_object('origin', jsonb_build_object('address', $4))),
                $3, $3, 'infinity')",
        )
        .bind(n)
        .bind(person.id())
        .bind(seen)
        .bind(address)
        .execute(&stage.owner)
        .await
        .unwrap();
    }
    let listed =
        async |person: PersonId| of_others::list(&stage.ctx, &support(&boss), person, Role::Buyer).await.unwrap();
    let seen = listed(ana.id()).await;
    let said: Vec<_> = seen.iter().map(|one| (one.agent.as_deref().unwrap(), one.network.as_deref())).collect();
    assert_eq!(
        said,
        [("Browser 2", Some("2001:db8:1::/48")), ("Browser 1", Some("192.0.2.0/24"))],
        "what was idle for too long is over, and nobody's whole address is shown"
    );
    let ends = async |person: PersonId, which| {
        of_others::end(&stage.ctx, &boss.0, &Origin::NONE, person, which, &reason("A stolen laptop")).await
    };
    let bens = listed(ben.id()).await[0].id;
    assert!(matches!(ends(ana.id(), Which::One(bens)).await, Err(Error::NotFound)), "it is somebody else's");
    assert_eq!(stage.count("select count(*) from audit_entries where deed like 'session%'").await, 0);
    assert_eq!(ends(ana.id(), Which::One(seen[0].id)).await.unwrap(), 1);
    assert!(matches!(ends(ana.id(), Which::One(seen[0].id)).await, Err(Error::NotFound)));
    assert_eq!(listed(ana.id()).await, seen[1..]);
    assert_eq!(ends(ana.id(), Which::All).await.unwrap(), 2, "the idle one, too");
    assert_eq!((listed(ana.id()).await, listed(ben.id()).await.len()), (vec![], 1));
    for deed in ["session_ended", "sessions_ended"] {
        let filter = Filter { deed: Some(deed.to_owned()), ..Filter::default() };
        let [entry] = before(&stage.ctx.db, &filter, i64::MAX, 10).await.unwrap().try_into().unwrap();
        assert_eq!((entry.actor_id, entry.why.as_deref()), (Some(boss.0.person().id()), Some("A stolen laptop")));
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn open_orders_are_those_that_nothing_has_become_of_yet(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let ana = stage.buyer("ana").await;
    let paid = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&paid, "pay_1").await;
    let opened = stage.starts_checkout(&ana, "pro").await.id;
    stage.starts_checkout(&stage.buyer("ben").await, "pro").await;
    let open = list::open_of_buyer(&stage.ctx.db, &support(&boss), ana.id()).await.unwrap();
    assert_eq!(open.iter().map(|order| order.id).collect::<Vec<_>>(), [opened]);
}

/// An event in quarantine: its payment names an order that nobody knows yet.
async fn misfit(stage: &Stage, support: &Support) -> EventId {
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let mut facts = order.facts("pay_1", PaymentState::Succeeded);
    facts.account = Some("biz_other".to_owned());
    let received = stage.delivers(&stage.payment_webhook("evt_1", &facts)).await.unwrap();
    assert_eq!(received, Received::Quarantined("foreign_account"));
    inbox::page(&stage.ctx.db, support, Some("quarantined"), None).await.unwrap().events[0].id
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_event_is_put_away_once_with_a_reason_and_moves_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let event = misfit(&stage, &support(&boss)).await;
    let dismiss =
        async || resolve::dismiss(&stage.ctx, &boss.0, &Origin::NONE, event, &reason("A test of theirs")).await;
    assert_eq!(inbox::to_look_at(&stage.ctx.db, &support(&boss)).await.unwrap(), 1);
    dismiss().await.unwrap();
    assert_eq!(refusal(dismiss().await), Refusal::EventIsSettled);
    let whole = inbox::open(&stage.ctx.db, &support(&boss), event).await.unwrap();
    assert_eq!((whole.listed.state.as_str(), whole.listed.reason.as_deref()), ("ignored", Some("dismissed")));
    assert!(!whole.body.is_empty(), "what was signed stays");
    assert_eq!(whole.signed_at.map(OffsetDateTime::unix_timestamp), Some(stage.ctx.now().unix_timestamp()));
    assert_eq!(inbox::to_look_at(&stage.ctx.db, &support(&boss)).await.unwrap(), 0);
    assert_eq!(stage.count("select count(*) from credit_transactions").await, 0);
    assert_eq!(
        stage
            .count("select count(*) from audit_entries where deed = 'event_dismissed' and why = 'A test of theirs'")
            .await,
        1
    );
    let unknown = EventId::from_uuid(atlas::ids::fresh());
    let put_away = resolve::dismiss(&stage.ctx, &boss.0, &Origin::NONE, unknown, &reason("x")).await;
    assert!(matches!(put_away, Err(Error::NotFound)));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn applying_an_event_again_is_written_down_and_what_is_forgotten_cannot_be(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let event = misfit(&stage, &support(&boss)).await;
    let again = async || resolve::replay_by(&stage.ctx, &boss.0, &Origin::NONE, event).await;
    assert_eq!(again().await.unwrap(), Received::Quarantined("foreign_account"), "its cause is not mended");
    assert_eq!(stage.count("select count(*) from audit_entries where deed = 'event_replayed'").await, 1);
    sqlx::query("update provider_events set body = ''").execute(&stage.owner).await.unwrap();
    assert_eq!(refusal(again().await), Refusal::EventIsForgotten);
    assert_eq!(refusal(replay(&stage.ctx, event).await), Refusal::EventIsForgotten, "nor by a command");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_cannot_be_written_down_is_not_applied_again(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let event = misfit(&stage, &support(&boss)).await;
    sqlx::query("revoke execute on function audit_record from atlas_app").execute(&stage.owner).await.unwrap();
    assert!(matches!(
        resolve::replay_by(&stage.ctx, &boss.0, &Origin::NONE, event).await,
        Err(Error::Broken(_) | Error::Unavailable(_))
    ));
    assert_eq!(
        stage.count("select sum(attempts) from provider_events").await,
        1,
        "not tried again, for nobody would know"
    );
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_inbox_is_read_a_page_at_a_time_and_each_event_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    sqlx::query(
        "insert into provider_events (id, provider, event_id, kind, state, body, body_hash, secret, decided_at)
        select ('0190aaaa-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'whop', 'evt_' || n, 'payment.pending', 'ignored', '{}',
            sha256('{}'), 'current', now()
        from generate_series(1, 120) n",
    )
    .execute(&stage.owner)
    .await
    .unwrap();
    let (mut seen, mut from) = (Vec::new(), None);
    loop {
        let page = inbox::page(&stage.ctx.db, &support(&boss), Some("ignored"), from).await.unwrap();
        seen.extend(page.events.iter().map(|event| event.id));
        let Some(older) = page.older else { break };
        from = Some(older);
    }
    assert_eq!(seen.len(), 120);
    assert!(seen.is_sorted_by(|one, next| one.to_string() > next.to_string()), "newest first, each once");
    assert!(inbox::page(&stage.ctx.db, &support(&boss), Some("parked"), None).await.unwrap().events.is_empty());
}
