//! Buyers who have to hold a membership: what counts, what is asked, and what stays as it was.

use atlas::events::{Content, MembershipFacts, Received};
use atlas::memberships::check::{GOOD_FOR, check, look};
use atlas::memberships::licence::{LicenceKey, bind};
use atlas::memberships::{Rule, Standing};
use atlas::orders::FormKey;
use atlas::orders::checkout;
use atlas::orders::request::{Note, submit};
use atlas::people::SignedIn;
use atlas::providers::whop::oauth::{Oauth, OauthSettings};
use atlas::{Context, Error, Refusal, ids};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use crate::scripted::{ACCOUNT, Fault};
use crate::stage::{Stage, promo, refusal, usage};

const ISSUER: &str = "https://whop.example";

/// A stage where buying takes a membership of `prod_gate`.
async fn gated(pool: PgPool) -> Stage {
    let mut stage = Stage::new(pool).await;
    stage.ctx.membership_rule = Rule::parse("prod_gate").unwrap();
    let settings = OauthSettings {
        oauth_url: format!("{ISSUER}/oauth"),
        client_id: "app_1".to_owned(),
        client_secret: None,
        redirect_uri: String::new(),
    };
    stage.ctx.whop_oauth = Some(Oauth::new(settings).unwrap());
    stage
}

/// Somebody who signs in as `subject` at Whop.
async fn linked(stage: &Stage, name: &str, subject: &str) -> SignedIn {
    let person = stage.buyer(name).await;
    sqlx::query("insert into identities (id, person_id, issuer, subject, linked_at) values ($1, $2, $3, $4, now())")
        .bind(ids::fresh())
        .bind(person.id())
        .bind(ISSUER)
        .bind(subject)
        .execute(&stage.owner)
        .await
        .unwrap();
    person
}

fn said(id: &str, subject: &str, status: &str, at: OffsetDateTime) -> MembershipFacts {
    let gives_access = match status {
        "active" | "trialing" | "past_due" | "completed" => Some(true),
        "canceled" | "expired" => Some(false),
        _ => None,
    };
    MembershipFacts {
        membership_id: id.to_owned(),
        account: Some(ACCOUNT.to_owned()),
        subject: Some(subject.to_owned()),
        product_id: Some("prod_gate".to_owned()),
        plan_id: Some("plan_1".to_owned()),
        status: status.to_owned(),
        gives_access,
        said_at: at,
    }
}

async fn told(stage: &Stage, facts: &MembershipFacts) -> Received {
    let webhook =
        stage.webhook(&format!("msg_{}", ids::fresh()), "membership.updated", Content::Membership(facts.clone()));
    stage.delivers(&webhook).await.unwrap()
}

async fn buys(stage: &Stage, person: &SignedIn) -> atlas::Result<checkout::Started> {
    checkout::start(&stage.ctx, person, stage.plan("starter").await, FormKey::fresh()).await
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn buying_takes_a_membership_and_what_was_bought_stays(pool: PgPool) {
    let stage = gated(pool).await;
    let ana = linked(&stage, "ana", "user_ana").await;
    stage.grants(&promo(&ana, 10)).await.unwrap();
    assert_eq!(refusal(buys(&stage, &ana).await), Refusal::MembershipRequired);

    let now = stage.ctx.now();
    assert_eq!(told(&stage, &said("mem_1", "user_ana", "active", now)).await, Received::Applied);
    assert!(buys(&stage, &ana).await.is_ok(), "at once, without asking again");
    assert_eq!(stage.provider.asked_memberships(), 1);

    told(&stage, &said("mem_1", "user_ana", "canceled", now + Duration::seconds(1))).await;
    assert_eq!(refusal(buys(&stage, &ana).await), Refusal::MembershipEnded);
    assert_eq!(look(&stage.ctx, &ana).await.unwrap(), Standing::Ended);
    stage.spends(&usage(&ana, 4)).await.unwrap();
    assert_eq!(stage.posted(&ana).await, 6, "spending goes on");
    assert_eq!(stage.count("select count(*) from credit_orders").await, 1, "nothing was written down for the others");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_plan_can_be_left_open_to_anybody(pool: PgPool) {
    let mut stage = gated(pool).await;
    stage.ctx.membership_rule = stage.ctx.membership_rule.map(|rule| rule.except("starter"));
    let ana = stage.buyer("ana").await;
    assert!(buys(&stage, &ana).await.is_ok());
    assert_eq!(stage.provider.asked_memberships(), 0, "nobody is asked about what nobody needs");
    let (pro, enterprise) = (stage.plan("pro").await, stage.plan("enterprise").await);
    let bought = checkout::start(&stage.ctx, &ana, pro, FormKey::fresh()).await;
    assert_eq!(refusal(bought), Refusal::MembershipRequired);
    let asked = submit(&stage.ctx, &ana, enterprise, Note::parse("note", "").unwrap(), FormKey::fresh()).await;
    assert_eq!(refusal(asked), Refusal::MembershipRequired);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_order_that_is_under_way_goes_on(pool: PgPool) {
    let stage = gated(pool).await;
    let ana = linked(&stage, "ana", "user_ana").await;
    told(&stage, &said("mem_1", "user_ana", "active", stage.ctx.now())).await;
    let order = stage.starts_checkout(&ana, "starter").await;
    told(&stage, &said("mem_1", "user_ana", "expired", stage.ctx.now() + Duration::seconds(1))).await;
    stage.pays(&order, "pay_1").await;
    assert_eq!(stage.posted(&ana).await, 5_000, "who has paid gets what they paid for");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn only_memberships_of_ours_and_of_what_is_asked_for_count(pool: PgPool) {
    let stage = gated(pool).await;
    let ana = linked(&stage, "ana", "user_ana").await;
    let now = stage.ctx.now();
    let foreign =
        MembershipFacts { account: Some("biz_theirs".to_owned()), ..said("mem_1", "user_ana", "active", now) };
    assert_eq!(told(&stage, &foreign).await, Received::Quarantined("foreign_account"));
    let nameless = MembershipFacts { account: None, ..said("mem_2", "user_ana", "active", now) };
    assert_eq!(told(&stage, &nameless).await, Received::Quarantined("foreign_account"));
    let other =
        MembershipFacts { product_id: Some("prod_other".to_owned()), ..said("mem_3", "user_ana", "active", now) };
    assert_eq!(told(&stage, &other).await, Received::Applied);
    told(&stage, &said("mem_4", "user_ben", "active", now)).await;
    assert_eq!(check(&stage.ctx, &ana).await.unwrap(), Standing::None);
    assert_eq!(stage.count("select count(*) from memberships where id in ('mem_1', 'mem_2')").await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_old_is_asked_for_once_however_many_want_to_know(pool: PgPool) {
    let stage = gated(pool).await;
    let ana = linked(&stage, "ana", "user_ana").await;
    let now = stage.ctx.now();
    stage.provider.has_membership("KEY", said("mem_1", "user_ana", "active", now));
    for round in 1..=2 {
        let checks = futures::future::join_all((0..20).map(|_| check(&stage.ctx, &ana))).await;
        assert!(checks.into_iter().all(|standing| standing.unwrap() == Standing::Holds));
        assert_eq!(stage.provider.asked_memberships(), round);
        stage.advance(GOOD_FOR);
    }
    // The webhook that would have told was lost.
    stage.provider.has_membership("KEY", said("mem_1", "user_ana", "expired", now));
    assert_eq!(check(&stage.ctx, &ana).await.unwrap(), Standing::Ended);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn when_nothing_can_be_learned_nothing_is_sold(pool: PgPool) {
    let stage = gated(pool).await;
    let ana = linked(&stage, "ana", "user_ana").await;
    told(&stage, &said("mem_1", "user_ana", "active", stage.ctx.now())).await;
    for fault in [Fault::Unreachable, Fault::Unreadable, Fault::Misconfigured] {
        stage.provider.fails(fault);
        assert_eq!(refusal(buys(&stage, &ana).await), Refusal::MembershipUnknown, "{fault:?}");
        assert_eq!(look(&stage.ctx, &ana).await.unwrap(), Standing::Holds, "pages show what is known");
    }
    stage.provider.recovers();
    stage.provider.has_membership("KEY", said("mem_1", "user_ana", "active", stage.ctx.now()));
    assert!(buys(&stage, &ana).await.is_ok(), "and asked again at once");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_licence_key_is_bound_once(pool: PgPool) {
    let stage = gated(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let owner = linked(&stage, "owner", "user_owner").await;
    let now = stage.ctx.now();
    stage.provider.has_membership("A1-B2", said("mem_1", "user_nobody", "active", now));
    stage.provider.has_membership("C3-D4", said("mem_2", "user_owner", "active", now));
    let other =
        MembershipFacts { product_id: Some("prod_other".to_owned()), ..said("mem_3", "user_nobody", "active", now) };
    stage.provider.has_membership("E5-F6", other);
    let key = |text: &str| LicenceKey::parse("licence", text).unwrap();

    for wrong in ["unknown", "E5-F6"] {
        assert!(matches!(bind(&stage.ctx, &ana, key(wrong)).await, Err(Error::Invalid(_))), "{wrong}");
    }
    bind(&stage.ctx, &ana, key("A1-B2")).await.unwrap();
    bind(&stage.ctx, &ana, key(" A1-B2 ")).await.unwrap();
    assert_eq!(refusal(bind(&stage.ctx, &ben, key("A1-B2")).await), Refusal::LicenceTaken);
    assert_eq!(refusal(bind(&stage.ctx, &ben, key("C3-D4")).await), Refusal::LicenceTaken, "its owner signs in here");
    for (person, standing) in [(&ana, Standing::Holds), (&ben, Standing::None), (&owner, Standing::Holds)] {
        assert_eq!(check(&stage.ctx, person).await.unwrap(), standing);
    }
    let stored: String = sqlx::query_scalar("select coalesce(string_agg(m::text, ''), '') from memberships m")
        .fetch_one(&stage.owner)
        .await
        .unwrap();
    assert!(!stored.contains("A1-B2"), "the key itself is not kept");
}

#[test]
fn ids_and_addresses_are_no_licence_keys() {
    for odd in ["", " ", "mem_1", "a b", "../payments", "a/b", "ä", &"A".repeat(201)] {
        assert!(LicenceKey::parse("licence", odd).is_err(), "{odd:?}");
    }
}

/// The end of any sequence of news is that of the newest that says yes or no.
fn expected(news: &[(u8, &'static str)]) -> bool {
    let mut in_time = news.to_vec();
    in_time.sort_by_key(|(at, status)| (*at, matches!(*status, "canceled" | "expired")));
    in_time.iter().rev().find(|(_, status)| *status != "drafted").is_some_and(|(_, status)| *status == "active")
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn older_news_never_overwrites_newer(pool: PgPool) {
    let stage = gated(pool).await;
    let begin = stage.ctx.now();
    let words = prop::sample::select(vec!["active", "canceled", "expired"]);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let stories = prop::collection::vec((0_u8..4, words), 1..6);
    for number in 0..40 {
        let news = stories.new_tree(&mut runner).unwrap().current();
        let id = format!("mem_{number}");
        for (at, status) in &news {
            let facts = said(&id, "user_ana", status, begin + Duration::seconds(i64::from(*at)));
            assert_eq!(told(&stage, &facts).await, Received::Applied);
        }
        let access: bool = sqlx::query_scalar("select gives_access from memberships where id = $1")
            .bind(&id)
            .fetch_one(&stage.owner)
            .await
            .unwrap();
        assert_eq!(access, expected(&news), "{news:?}");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_word_that_is_neither_yes_nor_no_keeps_what_was(pool: PgPool) {
    let stage = gated(pool).await;
    let ana = linked(&stage, "ana", "user_ana").await;
    let now = stage.ctx.now();
    for (seconds, status, standing) in [
        (0, "unresolved", Standing::Ended),
        (1, "active", Standing::Holds),
        (2, "unresolved", Standing::Holds),
        (3, "a word of tomorrow", Standing::Holds),
        (4, "canceled", Standing::Ended),
        (5, "unresolved", Standing::Ended),
    ] {
        told(&stage, &said("mem_1", "user_ana", status, now + Duration::seconds(seconds))).await;
        assert_eq!(look(&stage.ctx, &ana).await.unwrap(), standing, "{status}");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn without_a_rule_nobody_is_asked_for_anything(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let ctx: &Context = &stage.ctx;
    assert_eq!(check(ctx, &ana).await.unwrap(), Standing::NotRequired);
    assert!(buys(&stage, &ana).await.is_ok());
    assert_eq!(stage.provider.asked_memberships(), 0);
}
