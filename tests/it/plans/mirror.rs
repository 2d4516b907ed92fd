//! Plans and their counterparts at Whop.

mod scene;

use atlas::audit::{Origin, Reason};
use atlas::jobs::kinds::CheckPlans;
use atlas::plans::adopt::{WhopPlanId, adopt};
use atlas::plans::desk;
use atlas::plans::retire::{delete, retire};
use atlas::plans::sale::Sale;
use atlas::plans::terms::Typed;
use atlas::plans::{drift, mirror};
use atlas::{Error, Refusal, jobs};
use domain::{MirrorState, PlanId};
use sqlx::PgPool;

use self::scene::{KEY, Scene};
use super::{TYPED, made};
use crate::stage::boss::Boss;
use crate::stage::refusal;

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_plan_is_made_changed_and_archived_at_whop_and_nobody_strolls_in_there(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let plan = made(&scene.stage, &scene.boss, &TYPED).await;
    scene.works().await;
    assert!(scene.at_whop().is_empty(), "what is not on sale is not made there");
    scene.sells(plan, Sale::On).await;
    assert_eq!(scene.mirrored(plan).await.state, MirrorState::Waiting, "saved here, not there yet");
    scene.works().await;
    assert_eq!(
        (scene.at_whop(), scene.products()),
        (vec!["Mega 60.00 usd hidden".to_owned()], vec!["Mega hidden".to_owned()])
    );
    let mirror = scene.mirrored(plan).await;
    assert_eq!((mirror.state, mirror.version, mirror.note), (MirrorState::InStep, Some(1), None));
    assert!(mirror.plan_id.unwrap().starts_with("plan_") && mirror.product_id.unwrap().starts_with("prod_"));

    let name = "A name that is much longer than Whop’s titles";
    scene.edits(plan, &Typed { name, price: "61.50", ..TYPED }).await;
    scene.works().await;
    assert_eq!(scene.at_whop(), ["A name that is much longer th… 61.50 usd hidden"]);
    assert_eq!(scene.products(), [format!("{name} hidden")]);
    assert_eq!((scene.mirrored(plan).await.state, scene.mirrored(plan).await.version), (MirrorState::InStep, Some(2)));

    scene.sells(plan, Sale::Off).await;
    scene.works().await;
    assert_eq!(scene.at_whop(), ["A name that is much longer th… 61.50 usd archived"]);
    scene.sells(plan, Sale::On).await;
    scene.works().await;
    assert_eq!(scene.at_whop(), ["A name that is much longer th… 61.50 usd hidden"]);
    let reason = Reason::parse("reason", "Over").unwrap();
    let Boss(admin, fresh) = &scene.boss;
    delete(&scene.stage.ctx, admin, fresh, &Origin::NONE, plan, &reason).await.unwrap();
    scene.works().await;
    assert_eq!(scene.at_whop(), ["A name that is much longer th… 61.50 usd archived"], "deleted here, archived there");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn while_whop_is_down_it_is_saved_here_and_mirrored_later_once(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.fails(Some(503), false);
    let plan = scene.on_sale().await;
    let mirror = scene.mirrored(plan).await;
    assert_eq!(mirror.state, MirrorState::Waiting);
    assert!(mirror.note.unwrap().contains("does not answer"), "and the page says so");
    assert_eq!(scene.stage.count("select count(*) from graphile_worker.jobs").await, 1, "it is tried again");

    // Whop makes them, and its answer is lost, again and again.
    scene.fails(Some(500), true);
    for _ in 0..4 {
        scene.works().await;
    }
    // Meanwhile the plan became another; what was begun is finished first.
    scene.edits(plan, &Typed { price: "70", ..TYPED }).await;
    scene.works().await;
    scene.fails(None, false);
    scene.works().await;
    assert_eq!(scene.at_whop(), ["Mega 70.00 usd hidden"], "one, however often it was asked for");
    assert_eq!(scene.products(), ["Mega hidden"]);
    assert_eq!((scene.mirrored(plan).await.state, scene.mirrored(plan).await.note), (MirrorState::InStep, None));
    assert_eq!(scene.stage.count("select count(*) from graphile_worker.jobs").await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn without_whop_plans_are_sold_all_the_same_and_wait(pool: PgPool) {
    let mut scene = Scene::new(pool).await;
    let with_whop = std::mem::take(&mut scene.stage.ctx.providers);
    let plan = scene.on_sale().await;
    let mirror = scene.mirrored(plan).await;
    assert_eq!(mirror.state, MirrorState::Waiting);
    assert!(mirror.note.unwrap().contains("not set up"));
    let Boss(admin, _) = &scene.boss;
    assert_eq!(refusal(drift::compare(&scene.stage.ctx, admin, plan).await), Refusal::NoPlanMirror);
    scene.stage.ctx.providers = with_whop;
    let mut tx = scene.stage.ctx.db.begin().await.unwrap();
    jobs::enqueue(&mut tx, &CheckPlans {}).await.unwrap();
    tx.commit().await.unwrap();
    // The look puts the job down, and the job does it.
    scene.works().await;
    scene.works().await;
    assert_eq!(scene.mirrored(plan).await.state, MirrorState::InStep, "the hourly look takes it along");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_was_changed_at_whop_is_found_shown_and_repaired(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let plan = scene.on_sale().await;
    let id = scene.mirrored(plan).await.plan_id.unwrap();
    let Boss(admin, _) = &scene.boss;
    let ctx = &scene.stage.ctx;
    drift::compare(ctx, admin, plan).await.unwrap();
    assert_eq!(scene.mirrored(plan).await.state, MirrorState::InStep, "nothing is found where nothing was changed");
    scene.whop.sandbox.change(|world| {
        let there = world.plans.edit(&id).unwrap();
        there.terms.title = Some("Cheaper!".to_owned());
        there.terms.initial_price.minor = 4_200;
        there.terms.visibility = "archived".to_owned();
    });
    drift::compare(ctx, admin, plan).await.unwrap();
    let mirror = scene.mirrored(plan).await;
    assert_eq!(mirror.state, MirrorState::Drifted);
    assert_eq!(
        mirror.note.as_deref(),
        Some(
            "Its title is “Mega” here and “Cheaper!” at Whop. Its price is $60.00 USD here and $42.00 USD at Whop. \
             It is on sale here and archived at Whop."
        )
    );
    mirror::repair(ctx, admin, &Origin::NONE, plan).await.unwrap();
    scene.works().await;
    assert_eq!(
        (scene.at_whop(), scene.mirrored(plan).await.state),
        (vec!["Mega 60.00 usd hidden".to_owned()], MirrorState::InStep)
    );

    scene.whop.sandbox.change(|world| world.plans.edit(&id).unwrap().terms.visibility = "visible".to_owned());
    drift::compare(ctx, admin, plan).await.unwrap();
    assert!(scene.mirrored(plan).await.note.unwrap().contains("past this shop"), "money would come without an order");

    // Taken away there: a new one is made in its place.
    scene.whop.sandbox.change(|world| world.plans.edit(&id).unwrap().deleted = true);
    drift::compare(ctx, admin, plan).await.unwrap();
    assert!(scene.mirrored(plan).await.note.unwrap().contains("no such plan"));
    mirror::repair(ctx, admin, &Origin::NONE, plan).await.unwrap();
    scene.works().await;
    assert_eq!(scene.at_whop(), ["Mega 60.00 usd hidden"]);
    assert_ne!(scene.mirrored(plan).await.plan_id.unwrap(), id);

    scene.fails(Some(503), false);
    assert_eq!(refusal(drift::compare(ctx, admin, plan).await), Refusal::WhopUnavailable);
    assert_eq!(scene.stage.count("select count(*) from audit_entries where deed = 'plan_repaired'").await, 2);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_whop_refuses_is_shown_and_sent_again_by_hand(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.fails(Some(403), false);
    let plan = scene.on_sale().await;
    let mirror = scene.mirrored(plan).await;
    assert_eq!(mirror.state, MirrorState::Failed);
    let note = mirror.note.unwrap();
    assert!(note.contains("403") && !note.contains(KEY), "{note}");
    assert_eq!(scene.stage.count("select count(*) from graphile_worker.jobs").await, 0, "trying again would not help");
    scene.fails(None, false);
    mirror::repair(&scene.stage.ctx, &scene.boss.0, &Origin::NONE, plan).await.unwrap();
    scene.works().await;
    assert_eq!(scene.mirrored(plan).await.state, MirrorState::InStep);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn another_currency_is_another_plan_and_none_by_agreement_is_there(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let plan = scene.on_sale().await;
    scene.edits(plan, &Typed { price: "55", currency: "eur", ..TYPED }).await;
    scene.works().await;
    assert_eq!(scene.at_whop(), ["Mega 60.00 usd archived", "Mega 55.00 eur hidden"]);
    assert_eq!(scene.mirrored(plan).await.state, MirrorState::InStep);
    scene.edits(plan, &Typed { sold: "agreement", price: "", ..TYPED }).await;
    scene.works().await;
    assert_eq!(scene.at_whop(), ["Mega 60.00 usd archived", "Mega 55.00 eur archived"]);
    let reason = Reason::parse("reason", "Over").unwrap();
    let Boss(admin, fresh) = &scene.boss;
    retire(&scene.stage.ctx, admin, fresh, &Origin::NONE, plan, &reason).await.unwrap();
    scene.works().await;
    assert_eq!(scene.mirrored(plan).await.state, MirrorState::InStep);

    let asked = made(&scene.stage, &scene.boss, &Typed { sold: "agreement", price: "", ..TYPED }).await;
    scene.sells(asked, Sale::On).await;
    scene.works().await;
    assert!(desk::open(&scene.stage.ctx.db, &scene.boss.0, asked).await.unwrap().mirror.is_none());
    assert_eq!(scene.at_whop().len(), 2);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_plan_that_exists_at_whop_is_adopted_if_it_costs_the_same(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let other = scene.on_sale().await;
    let theirs = scene.mirrored(other).await.plan_id.unwrap();
    let (ctx, Boss(admin, _)) = (&scene.stage.ctx, &scene.boss);
    let adopts = async |plan: PlanId, id: &str| {
        adopt(ctx, admin, &Origin::NONE, plan, "whop_plan", &WhopPlanId::parse("whop_plan", id).unwrap()).await
    };
    let said = |outcome: atlas::Result<()>| match outcome {
        Err(Error::Invalid(errors)) => errors.of("whop_plan").unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    let plan = made(&scene.stage, &scene.boss, &TYPED).await;
    assert!(said(adopts(plan, "plan_unknown").await).contains("no plan"));
    assert!(said(adopts(plan, &theirs).await).contains("Another plan"));
    let dear = made(&scene.stage, &scene.boss, &Typed { price: "99", ..TYPED }).await;
    assert!(said(adopts(dear, &theirs).await).contains("costs $60.00 USD, and this one $99.00 USD"));
    let yen = made(&scene.stage, &scene.boss, &Typed { price: "60", currency: "jpy", ..TYPED }).await;
    assert!(said(adopts(yen, &theirs).await).contains("JPY"));
    assert_eq!(refusal(adopts(other, &theirs).await), Refusal::PlanIsMirrored);
    for odd in ["", "prod_1", "plan_", "plan_1/../x", "plan_é"] {
        assert!(WhopPlanId::parse("whop_plan", odd).is_err(), "{odd}");
    }

    let free = scene.whop.sandbox.change(|world| {
        let mut copy = world.plans.get(&theirs).unwrap().clone();
        copy.id = "plan_fromBefore".to_owned();
        copy.terms.product_id = None;
        copy.terms.title = Some("Old name".to_owned());
        world.plans.put(copy.clone());
        copy.id
    });
    adopts(plan, &free).await.unwrap();
    let mirror = scene.mirrored(plan).await;
    assert_eq!(
        (mirror.state, mirror.plan_id.as_deref(), mirror.product_id),
        (MirrorState::Drifted, Some(free.as_str()), None)
    );
    assert_eq!(refusal(adopts(plan, &free).await), Refusal::PlanIsMirrored);
    scene.sells(plan, Sale::On).await;
    scene.works().await;
    assert_eq!(scene.at_whop(), ["Mega 60.00 usd hidden", "Mega 60.00 usd hidden"], "it is renamed, none is made");
    assert_eq!(scene.mirrored(plan).await.state, MirrorState::InStep);
}
