//! Putting plans on sale and off, arranging them, and their end.

use atlas::audit::{Origin, Reason};
use atlas::figures::sales::count_due;
use atlas::plans::arrange::{Way, shift};
use atlas::plans::catalogue::catalogue;
use atlas::plans::desk::{self, Standing};
use atlas::plans::retire::{delete, retire};
use atlas::plans::sale::{Sale, set};
use atlas::{Error, Refusal, ids};
use domain::PlanId;
use sqlx::PgPool;
use time::Duration;

use super::{TYPED, made};
use crate::stage::boss::{Boss, admin};
use crate::stage::{Stage, refusal};

fn because() -> Reason {
    Reason::parse("reason", "Season is over").unwrap()
}

async fn sells(stage: &Stage, boss: &Boss, plan: PlanId, sale: Sale) -> atlas::Result<()> {
    set(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, plan, sale, &because()).await
}

async fn slugs(stage: &Stage) -> Vec<String> {
    catalogue(&stage.ctx.db).await.unwrap().into_iter().map(|offer| offer.slug).collect()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_plan_goes_on_sale_and_off_with_a_reason(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let plan = made(&stage, &boss, &TYPED).await;
    for _ in 0..2 {
        sells(&stage, &boss, plan, Sale::On).await.unwrap();
        assert_eq!(slugs(&stage).await, ["starter", "pro", "enterprise", "mega"]);
    }
    sells(&stage, &boss, plan, Sale::Off).await.unwrap();
    assert_eq!(slugs(&stage).await, ["starter", "pro", "enterprise"]);
    let told: Vec<String> =
        sqlx::query_scalar("select deed || ' ' || why from audit_entries where deed like 'plan_%sale' order by number")
            .fetch_all(&stage.owner)
            .await
            .unwrap();
    assert_eq!(told, ["plan_put_on_sale Season is over", "plan_taken_off_sale Season is over"], "each change once");
    let unknown = PlanId::from_uuid(ids::fresh());
    assert!(matches!(sells(&stage, &boss, unknown, Sale::On).await, Err(Error::NotFound)));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn plans_change_places_and_the_ends_of_the_line_hold(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let moves = async |slug: &str, way| {
        let plan = stage.plan(slug).await;
        shift(&stage.ctx, &boss.0, &Origin::NONE, plan, way).await.unwrap();
        slugs(&stage).await
    };
    assert_eq!(moves("pro", Way::Up).await, ["pro", "starter", "enterprise"]);
    assert_eq!(moves("pro", Way::Up).await, ["pro", "starter", "enterprise"], "it is the first");
    assert_eq!(moves("starter", Way::Down).await, ["pro", "enterprise", "starter"]);
    assert_eq!(moves("starter", Way::Down).await, ["pro", "enterprise", "starter"], "it is the last");
    assert_eq!(stage.count("select count(*) from audit_entries where deed = 'plan_moved'").await, 2);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_plan_that_was_ordered_is_retired_and_one_that_was_not_is_deleted(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let starter = stage.plan("starter").await;
    let deletes = async |plan| delete(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, plan, &because()).await;
    let retires = async |plan| retire(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, plan, &because()).await;
    assert_eq!(refusal(deletes(starter).await), Refusal::PlanWasOrdered, "an open order is one, too");
    retires(starter).await.unwrap();
    assert_eq!(slugs(&stage).await, ["pro", "enterprise"]);
    assert_eq!(refusal(retires(starter).await), Refusal::PlanIsRetired);
    assert_eq!(refusal(sells(&stage, &boss, starter, Sale::On).await), Refusal::PlanIsRetired);
    stage.pays(&order, "pay_1").await;
    assert_eq!(stage.posted(&ana).await, 5_000, "what was ordered is honoured");
    let shown = desk::list(&stage.ctx.db, &boss.0).await.unwrap();
    let last = shown.last().unwrap();
    assert_eq!((last.id, last.standing, last.sold), (starter, Standing::Retired, 1));

    let pro = stage.plan("pro").await;
    deletes(pro).await.unwrap();
    assert_eq!(slugs(&stage).await, ["enterprise"]);
    assert!(matches!(desk::open(&stage.ctx.db, &boss.0, pro).await, Err(Error::NotFound)));
    assert!(matches!(deletes(pro).await, Err(Error::NotFound)));
    assert!(matches!(sells(&stage, &boss, pro, Sale::On).await, Err(Error::NotFound)));
    assert_eq!(
        stage
            .count(
                "select count(*) from audit_entries where deed in ('plan_retired', 'plan_deleted') and why is not null"
            )
            .await,
        2
    );
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_was_sold_is_counted_once_before_and_after_the_hourly_count(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let (ana, starter) = (stage.buyer("ana").await, stage.plan("starter").await);
    let sold = async || {
        let plan = desk::open(&stage.ctx.db, &boss.0, starter).await.unwrap();
        let [version] = desk::versions(&stage.ctx.db, &boss.0, starter).await.unwrap().try_into().unwrap();
        assert_eq!((plan.sold, plan.ordered), (version.sold, true));
        plan.sold
    };
    let counted = "select coalesce(sum(sold), 0)::bigint from figure_sales";
    let buys = async |payment: &str| stage.pays(&stage.starts_checkout(&ana, "starter").await, payment).await;
    buys("pay_1").await;
    count_due(&stage.ctx).await.unwrap();
    assert_eq!((sold().await, stage.count(counted).await), (1, 0), "it was sold a moment ago");
    stage.advance(Duration::minutes(59));
    count_due(&stage.ctx).await.unwrap();
    assert_eq!(stage.count(counted).await, 0, "once an hour");
    stage.advance(Duration::minutes(2));
    buys("pay_2").await;
    count_due(&stage.ctx).await.unwrap();
    assert_eq!((sold().await, stage.count(counted).await), (2, 1));
    stage.advance(Duration::hours(2));
    count_due(&stage.ctx).await.unwrap();
    assert_eq!((sold().await, stage.count(counted).await), (2, 2));
    let missing = "select count(*) from plan_versions where id not in (select plan_version_id from figure_sales)";
    assert_eq!(stage.count(missing).await, 0, "those that nobody bought, too");
    sqlx::query("delete from figure_sales where sold = 2").execute(&stage.owner).await.unwrap();
    assert_eq!(sold().await, 2, "as when it is new");
    count_due(&stage.ctx).await.unwrap();
    assert_eq!((sold().await, stage.count(counted).await), (2, 2), "a new one does not wait for the hour");
}
