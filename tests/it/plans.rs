//! What is for sale, and how admins look after it.

pub mod currencies;
mod edit;
mod ends;
mod mirror;

use atlas::audit::Origin;
use atlas::orders::FormKey;
use atlas::plans::catalogue::{catalogue, find};
use atlas::plans::defaults::add_missing;
use atlas::plans::terms::Typed;
use atlas::plans::{Terms, create};
use atlas::{Refusal, Result};
use domain::{Credits, Money, PlanId, Price};
use sqlx::PgPool;

use crate::stage::boss::{Boss, admin};
use crate::stage::{Stage, refusal};

/// Terms that nothing is wrong with.
pub const TYPED: Typed<'static> = Typed {
    name: "Mega",
    description: "For a lot of work.",
    credits: "50,000",
    sold: "once",
    price: "60",
    currency: "usd",
    other_prices: &[],
    expires_after_days: "",
    bonus_credits: "",
    bonus_expires_after_days: "",
    visibility: "listed",
};

pub fn terms(typed: &Typed<'_>) -> Terms {
    Terms::parse(typed).unwrap()
}

pub async fn made(stage: &Stage, boss: &Boss, typed: &Typed<'_>) -> PlanId {
    made_with(stage, boss, typed, &FormKey::fresh()).await.unwrap()
}

async fn made_with(stage: &Stage, boss: &Boss, typed: &Typed<'_>, key: &FormKey) -> Result<PlanId> {
    create::create(&stage.ctx, &boss.0, &Origin::NONE, &terms(typed), key).await
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_form_for_a_plan_sent_twice_makes_one(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (boss, other_boss) = (admin(&stage, "boss").await, admin(&stage, "other").await);
    let key = FormKey::fresh();
    let both = tokio::join!(made_with(&stage, &boss, &TYPED, &key), made_with(&stage, &boss, &TYPED, &key));
    let plan = both.0.unwrap();
    assert_eq!(both.1.unwrap(), plan);
    // The same name from another form is another plan; other terms, or another admin, are not this form.
    assert_ne!(made(&stage, &boss, &TYPED).await, plan);
    let dearer = Typed { price: "61", ..TYPED };
    assert_eq!(refusal(made_with(&stage, &boss, &dearer, &key).await), Refusal::FormUsedBefore);
    assert_eq!(refusal(made_with(&stage, &other_boss, &TYPED, &key).await), Refusal::FormUsedBefore);
    let plans = "select count(*) from plans where slug like 'mega%'";
    assert_eq!(sqlx::query_scalar::<_, i64>(plans).fetch_one(&stage.ctx.db).await.unwrap(), 2);
    let deeds = "select count(*) from audit_entries where deed = 'plan_created'";
    assert_eq!(sqlx::query_scalar::<_, i64>(deeds).fetch_one(&stage.ctx.db).await.unwrap(), 2);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_default_plans_are_added_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    assert_eq!(add_missing(&stage.ctx).await.unwrap(), 0, "the stage has added them");
    let offers = catalogue(&stage.ctx.db).await.unwrap();
    let shown: Vec<_> = offers.iter().map(|offer| (offer.name.as_str(), offer.credits, offer.price)).collect();
    assert_eq!(
        shown,
        [
            ("Starter", Credits::new(5_000), Price::Fixed(Money::usd(750))),
            ("Pro", Credits::new(25_000), Price::Fixed(Money::usd(3_250))),
            ("Enterprise", Credits::new(100_000), Price::ByAgreement),
        ]
    );
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_plan_off_sale_is_not_shown_and_comes_back_unchanged(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let db = &stage.ctx.db;
    let pro = stage.plan("pro").await;
    let before = find(db, pro).await.unwrap();
    assert!(before.is_some());
    stage.sells("pro", false).await;
    assert_eq!((find(db, pro).await.unwrap(), catalogue(db).await.unwrap().len()), (None, 2));
    assert_eq!(add_missing(&stage.ctx).await.unwrap(), 0, "what was taken off sale is not put back");
    stage.sells("pro", true).await;
    assert_eq!(find(db, pro).await.unwrap(), before);
}
