//! What is for sale.

use atlas::Error;
use atlas::plans::catalogue::{OnSale, catalogue, find, set_on_sale};
use atlas::plans::defaults::add_missing;
use domain::{Credits, Money, PlanId, Price};
use sqlx::PgPool;

use crate::stage::Stage;

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
    set_on_sale(db, pro, OnSale::No).await.unwrap();
    assert_eq!((find(db, pro).await.unwrap(), catalogue(db).await.unwrap().len()), (None, 2));
    assert_eq!(add_missing(&stage.ctx).await.unwrap(), 0, "what was taken off sale is not put back");
    set_on_sale(db, pro, OnSale::Yes).await.unwrap();
    assert_eq!(find(db, pro).await.unwrap(), before);
    let unknown = PlanId::from_uuid(atlas::ids::fresh());
    assert!(matches!(set_on_sale(db, unknown, OnSale::No).await, Err(Error::NotFound)));
}
