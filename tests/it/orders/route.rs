//! By which path people order: what is set holds at once, what was begun goes on, and no form gets around it.

use atlas::audit::{Origin, Reason};
use atlas::orders::answer::{Answer, Outcome, answer};
use atlas::orders::checkout::{Started, start};
use atlas::orders::request::{Note, submit};
use atlas::orders::{FormKey, page, route};
use atlas::people::SignedIn;
use atlas::people::apart::{set_daily_limit, set_payment_path};
use atlas::people::desk::{self, count_set_apart};
use atlas::people::roles::Support;
use atlas::plans::shelf::Shelf;
use atlas::settings::rollout::{Percent, set_default, set_rollout};
use atlas::settings::{history, read};
use atlas::{Error, Refusal, Result, ids};
use domain::{Credits, OrderId, OrderState, PersonId, Price, Provider};
use futures::future::join_all;
use sqlx::PgPool;
use time::Duration;

use crate::stage::boss::{Boss, admin};
use crate::stage::{OPERATOR, Stage, refusal};

fn why() -> Reason {
    Reason::parse("reason", "The first ten").unwrap()
}

async fn buys(stage: &Stage, buyer: &SignedIn, key: &FormKey) -> Result<Started> {
    start(&stage.ctx, buyer, stage.plan("starter").await, key.clone()).await
}

async fn asks(stage: &Stage, buyer: &SignedIn, key: &FormKey) -> Result<OrderId> {
    submit(&stage.ctx, buyer, stage.plan("starter").await, Note::parse("note", "").unwrap(), key.clone()).await
}

async fn sets_path(stage: &Stage, boss: &Boss, person: &SignedIn, path: Option<Provider>) -> SignedIn {
    set_payment_path(&stage.ctx, &boss.0, &Origin::NONE, person.id(), path, &why()).await.unwrap();
    stage.again(person.id()).await
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn on_the_manual_path_a_priced_plan_is_requested_and_what_was_begun_goes_on(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    let begun_with = FormKey::fresh();
    assert!(matches!(buys(&stage, &ana, &begun_with).await.unwrap(), Started::Checkout(_)));
    let begun = stage.order_of(&ana).await;
    assert_eq!(refusal(asks(&stage, &ana, &FormKey::fresh()).await), Refusal::PlanHasAPrice);

    set_default(&stage.ctx, &OPERATOR, Provider::Manual, &why()).await.unwrap();
    assert_eq!(refusal(buys(&stage, &ana, &FormKey::fresh()).await), Refusal::OrderedByRequest);
    assert_eq!(stage.count("select count(*) from credit_orders").await, 1, "nothing was written down");
    assert!(matches!(buys(&stage, &ana, &begun_with).await.unwrap(), Started::Checkout(_)), "begun is begun");
    let key = FormKey::fresh();
    let asked = asks(&stage, &ana, &key).await.unwrap();
    let shown = page::load(&stage.ctx.db, &ana, asked).await.unwrap();
    assert_eq!(
        (shown.state, shown.provider, shown.price),
        (OrderState::Requested, Provider::Manual, Price::Fixed(begun.price))
    );
    let agreed = Answer::Approve { credits: None };
    let answered = answer(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, &[asked], agreed, &why()).await.unwrap();
    assert_eq!(answered, [(asked, Outcome::Answered)]);
    stage.pays(&begun, "pay_1").await;
    assert_eq!(stage.posted(&ana).await, 10_000, "the request, and the checkout that was open");

    set_default(&stage.ctx, &OPERATOR, Provider::Whop, &why()).await.unwrap();
    assert_eq!(asks(&stage, &ana, &key).await.unwrap(), asked, "the same form is the same request");
    assert!(matches!(buys(&stage, &ana, &FormKey::fresh()).await.unwrap(), Started::Checkout(_)));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_rollout_decides_for_all_but_those_set_apart_and_says_who_changed_it(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    let path_of = async |person: &SignedIn| {
        let rules = read(&stage.ctx.db).await.unwrap().rules(&stage.ctx.providers);
        route::of(&stage.ctx.providers, rules, person)
    };
    assert_eq!(path_of(&ana).await, Provider::Whop, "as the environment says");
    set_rollout(&stage.ctx, &boss.0.by(&Origin::NONE), Percent::new(0), &why()).await.unwrap();
    assert_eq!(path_of(&ana).await, Provider::Manual);
    let kept = Shelf::default().look(&stage.ctx.db).await.unwrap().switches;
    assert_eq!(kept.rollout, Percent::new(0), "pages learn it with the plans");

    let ana = sets_path(&stage, &boss, &ana, Some(Provider::Whop)).await;
    assert!(matches!(buys(&stage, &ana, &FormKey::fresh()).await.unwrap(), Started::Checkout(_)));
    set_rollout(&stage.ctx, &OPERATOR, Percent::new(100), &why()).await.unwrap();
    let ana = sets_path(&stage, &boss, &ana, Some(Provider::Manual)).await;
    assert_eq!(refusal(buys(&stage, &ana, &FormKey::fresh()).await), Refusal::OrderedByRequest);
    let support = Support::prove(boss.0.person().clone()).unwrap();
    assert_eq!(count_set_apart(&stage.ctx.db, &support).await.unwrap(), 1);
    assert_eq!(desk::set_apart(&stage.ctx.db, &support).await.unwrap()[0].id, ana.id());
    let ana = sets_path(&stage, &boss, &ana, None).await;
    assert_eq!((path_of(&ana).await, count_set_apart(&stage.ctx.db, &support).await.unwrap()), (Provider::Whop, 0));

    set_rollout(&stage.ctx, &OPERATOR, None, &why()).await.unwrap();
    let told: Vec<_> = history::last(&stage.ctx.db, &boss.0).await.unwrap();
    let changes: Vec<_> = told.iter().map(|told| (told.who.as_deref(), told.change.to_string())).collect();
    assert_eq!(
        changes,
        [
            (None, r#"{"percent":{"to":null,"from":100}}"#.to_owned()),
            (None, r#"{"percent":{"to":100,"from":0}}"#.to_owned()),
            (Some(boss.0.person().email()), r#"{"percent":{"to":0,"from":null}}"#.to_owned()),
        ]
        .map(|(who, change)| (who, serde_json::from_str::<serde_json::Value>(&change).unwrap().to_string()))
    );
    let about_ana = "select count(*) from audit_entries where deed = 'payment_path_set' and why = 'The first ten'";
    assert_eq!(stage.count(about_ana).await, 3);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn nobody_buys_above_their_limit_however_many_forms_they_send_at_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, boss) = (stage.buyer("ana").await, admin(&stage, "boss").await);
    let limit = async |credits: Option<i64>| {
        let limit = credits.map(Credits::new);
        set_daily_limit(&stage.ctx, &boss.0, &Origin::NONE, ana.id(), limit, &why()).await.unwrap();
        stage.again(ana.id()).await
    };
    let ana_limited = limit(Some(10_000)).await;
    let keys: Vec<FormKey> = (0..6).map(|_| FormKey::fresh()).collect();
    let started = join_all(keys.iter().map(|key| buys(&stage, &ana_limited, key))).await;
    let refused = Refusal::DailyLimit { limit: Credits::new(10_000) };
    let (opened, others): (Vec<_>, Vec<_>) = started.into_iter().partition(Result::is_ok);
    assert_eq!(opened.len(), 2, "5,000 credits each");
    for other in others {
        assert_eq!(refusal(other), refused);
    }
    assert_eq!(stage.count("select count(*) from credit_orders").await, 2, "what was refused is not written down");
    let order = stage.order_of(&ana).await;
    stage.pays(&order, "pay_1").await;
    assert_eq!(refusal(buys(&stage, &ana_limited, &FormKey::fresh()).await), refused, "what was paid counts");
    stage.advance(Duration::hours(25));
    assert!(buys(&stage, &ana_limited, &FormKey::fresh()).await.is_ok(), "another day");
    let free = limit(None).await;
    for _ in 0..3 {
        assert!(buys(&stage, &free, &FormKey::fresh()).await.is_ok());
    }
    let noted =
        "select count(*) from audit_entries where deed = 'purchase_limit_set' and change ? 'credits_in_24_hours'";
    assert_eq!(stage.count(noted).await, 2);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn nobody_is_set_apart_who_is_not_there(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let gone = stage.buyer("gone").await.id();
    sqlx::query("update user_profiles set deleted_at = now(), email = null where id = $1")
        .bind(gone)
        .execute(&stage.owner)
        .await
        .unwrap();
    for nobody in [gone, PersonId::from_uuid(ids::fresh())] {
        let path = set_payment_path(&stage.ctx, &boss.0, &Origin::NONE, nobody, None, &why()).await;
        let limit = set_daily_limit(&stage.ctx, &boss.0, &Origin::NONE, nobody, None, &why()).await;
        assert!(matches!((path, limit), (Err(Error::NotFound), Err(Error::NotFound))));
    }
    assert_eq!(stage.count("select count(*) from audit_entries").await, 0);
}
