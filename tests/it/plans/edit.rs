//! Making plans, and changing their terms.

use atlas::audit::{Origin, Reason};
use atlas::orders::FormKey;
use atlas::orders::answer::{Answer, answer};
use atlas::orders::checkout::start;
use atlas::orders::request::{Note, submit};
use atlas::plans::catalogue::{catalogue, find};
use atlas::plans::desk::{self, Standing};
use atlas::plans::revise::{Edit, Revised, revise};
use atlas::plans::terms::Typed;
use atlas::{Refusal, Result};
use domain::{Credits, Money, OrderState, PlanId, Price};
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use super::{TYPED, made, terms};
use crate::stage::boss::{Boss, admin};
use crate::stage::{Stage, refusal};

async fn edits(stage: &Stage, boss: &Boss, plan: PlanId, revision: i32, typed: &Typed<'_>) -> Result<Revised> {
    let edit = Edit { plan, revision, terms: terms(typed) };
    let reason = Reason::parse("reason", "New prices").unwrap();
    revise(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, &edit, &reason).await
}

const STARTER: Typed<'static> = Typed { name: "Starter", credits: "6000", price: "8.25", ..TYPED };

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_new_plan_is_last_in_line_off_sale_and_in_the_audit(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let plan = made(&stage, &boss, &TYPED).await;
    assert!(find(&stage.ctx.db, plan).await.unwrap().is_none(), "nobody can buy it yet");
    let plans = desk::list(&stage.ctx.db, &boss.0).await.unwrap();
    let last = plans.last().unwrap();
    assert_eq!((last.id, last.slug.as_str(), last.standing, last.revision), (plan, "mega", Standing::OffSale, 1));
    assert_eq!((last.terms.clone(), last.sold, last.ordered), (terms(&TYPED), 0, false));
    assert!(last.mirror.is_none(), "and Whop hears nothing of it yet");
    let second = made(&stage, &boss, &TYPED).await;
    let slug = desk::open(&stage.ctx.db, &boss.0, second).await.unwrap().slug;
    assert!(slug.starts_with("mega-"), "the same name again: {slug}");
    let noted: String = sqlx::query_scalar(
        "select change->>'credits' from audit_entries where deed = 'plan_created' order by number limit 1",
    )
    .fetch_one(&stage.owner)
    .await
    .unwrap();
    assert_eq!(noted, "50000");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_edit_never_changes_what_was_sold(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let ana = stage.buyer("ana").await;
    let old = stage.starts_checkout(&ana, "starter").await;
    let plan = stage.plan("starter").await;
    assert_eq!(edits(&stage, &boss, plan, 1, &STARTER).await.unwrap(), Revised::Saved(2));

    stage.pays(&old, "pay_1").await;
    let page = stage.page(&ana, &old).await;
    assert_eq!((page.state, page.credits.get(), page.price), (OrderState::Paid, 5_000, Price::Fixed(Money::usd(750))));
    assert_eq!(stage.posted(&ana).await, 5_000);
    start(&stage.ctx, &ana, plan, FormKey::fresh()).await.unwrap();
    let sold = stage.provider.requests().pop().unwrap();
    assert_eq!((sold.title.as_str(), sold.price), ("Starter: 6,000 credits", Money::usd(825)));

    let versions = desk::versions(&stage.ctx.db, &boss.0, plan).await.unwrap();
    let told: Vec<_> =
        versions.iter().map(|version| (version.number, version.terms.credits.get(), version.sold)).collect();
    assert_eq!(told, [(2, 6_000, 0), (1, 5_000, 1)]);
    assert_eq!(versions[0].by.as_deref(), Some("boss@example.com"));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn of_two_who_edit_one_version_the_second_is_refused(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (boss, other) = (admin(&stage, "boss").await, admin(&stage, "other").await);
    let plan = stage.plan("starter").await;
    let cheap = Typed { price: "5", ..STARTER };
    let both = futures::join!(edits(&stage, &boss, plan, 1, &STARTER), edits(&stage, &other, plan, 1, &cheap));
    let refused = match both {
        (Ok(Revised::Saved(2)), second) => second,
        (first, Ok(Revised::Saved(2))) => first,
        neither => panic!("{neither:?}"),
    };
    assert_eq!(refusal(refused), Refusal::PlanChangedMeanwhile);
    assert_eq!(stage.count("select count(*) from plan_versions where version = 2").await, 1);
    assert_eq!(stage.count("select count(*) from audit_entries where deed = 'plan_revised'").await, 1);
    for unknown in [0, 3, -1] {
        assert_eq!(refusal(edits(&stage, &boss, plan, unknown, &cheap).await), Refusal::PlanChangedMeanwhile);
    }
    assert_eq!(edits(&stage, &boss, plan, 2, &Typed { price: "4", ..STARTER }).await.unwrap(), Revised::Saved(3));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn saving_what_stands_already_makes_no_version(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let plan = made(&stage, &boss, &TYPED).await;
    assert_eq!(edits(&stage, &boss, plan, 1, &TYPED).await.unwrap(), Revised::Unchanged);
    assert_eq!(desk::open(&stage.ctx.db, &boss.0, plan).await.unwrap().revision, 1);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_unlisted_plan_is_sold_to_who_has_the_link_and_shown_to_nobody_else(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let ana = stage.buyer("ana").await;
    let plan = stage.plan("starter").await;
    edits(&stage, &boss, plan, 1, &Typed { visibility: "unlisted", ..STARTER }).await.unwrap();
    assert!(catalogue(&stage.ctx.db).await.unwrap().iter().all(|offer| offer.plan != plan));
    let offer = find(&stage.ctx.db, plan).await.unwrap().unwrap();
    assert_eq!(offer.credits, Credits::new(6_000));
    start(&stage.ctx, &ana, plan, FormKey::fresh()).await.unwrap();
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn credits_end_as_their_order_was_told_counted_from_their_arrival(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let ana = stage.buyer("ana").await;
    let before = stage.starts_checkout(&ana, "starter").await;
    let plan = stage.plan("starter").await;
    edits(&stage, &boss, plan, 1, &Typed { expires_after_days: "30", ..STARTER }).await.unwrap();
    let told = stage.starts_checkout(&ana, "starter").await;
    edits(&stage, &boss, plan, 2, &Typed { expires_after_days: "7", ..STARTER }).await.unwrap();
    let asked = stage.plan("enterprise").await;
    let by_agreement = Typed { sold: "agreement", price: "", expires_after_days: "90", ..TYPED };
    edits(&stage, &boss, asked, 1, &by_agreement).await.unwrap();
    let note = Note::parse("note", "").unwrap();
    let request = submit(&stage.ctx, &ana, asked, note, FormKey::fresh()).await.unwrap();

    stage.pays(&before, "pay_1").await;
    stage.advance(Duration::hours(5));
    let arrived = stage.ctx.now();
    stage.pays(&told, "pay_2").await;
    let (yes, reason) = (Answer::Approve { credits: None }, Reason::parse("reason", "Agreed").unwrap());
    answer(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, &[request], yes, &reason).await.unwrap();
    let ends: Vec<Option<OffsetDateTime>> =
        sqlx::query_scalar("select expires_at from credit_lots order by id").fetch_all(&stage.owner).await.unwrap();
    let in_days = |days| Some(arrived + Duration::days(days));
    assert_eq!(ends.len(), 3);
    for (end, wanted) in ends.into_iter().zip([None, in_days(30), in_days(90)]) {
        let apart = end.zip(wanted).map_or(Duration::ZERO, |(end, wanted)| (end - wanted).abs());
        assert!(end.is_some() == wanted.is_some() && apart < Duration::SECOND, "{end:?} and not {wanted:?}");
    }
    stage.audits_clean().await;
}
