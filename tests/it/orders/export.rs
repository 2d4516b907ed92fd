//! Orders as those who look after them sort them, and take them along.

use atlas::audit::Origin;
use atlas::audit::list::{Filter, newest};
use atlas::orders::desk::{self, Search, Sort, Wanted};
use atlas::orders::export::{begin, piece};
use atlas::people::roles::{Finance, Support};
use domain::{OrderState, PlanId, Provider, Role};
use sqlx::PgPool;
use time::Duration;

use crate::stage::Stage;
use crate::stage::boss::admin;

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn orders_are_chosen_by_provider_and_days_and_sorted_both_ways(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let support = Support::prove(boss.0.person().clone()).unwrap();
    let ana = stage.buyer("ana").await;
    let first = stage.starts_checkout(&ana, "starter").await.id;
    stage.advance(Duration::days(2));
    let last = stage.starts_checkout(&ana, "pro").await.id;
    let today = stage.ctx.now().date();
    let finds = async |wanted: Wanted| {
        let page = desk::page(&stage.ctx.db, &support, &wanted, None).await.unwrap();
        page.orders.into_iter().map(|order| order.id).collect::<Vec<_>>()
    };
    assert_eq!(finds(Wanted::default()).await, [last, first]);
    assert_eq!(finds(Wanted { sort: Sort::Oldest, ..Wanted::default() }).await, [first, last]);
    assert_eq!(finds(Wanted { from: Some(today), ..Wanted::default() }).await, [last]);
    assert_eq!(finds(Wanted { to: today.previous_day(), ..Wanted::default() }).await, [first]);
    assert_eq!(
        finds(Wanted { to: Some(today), ..Wanted::default() }).await,
        [last, first],
        "the last day is part of it"
    );
    let at = |provider| Wanted { provider: Some(provider), ..Wanted::default() };
    assert_eq!((finds(at(Provider::Manual)).await, finds(at(Provider::Whop)).await.len()), (vec![], 2));
    let opened = Wanted {
        state: Some(OrderState::Opened),
        sort: Sort::Oldest,
        search: Search::parse("ana"),
        ..Wanted::default()
    };
    assert_eq!(finds(opened).await, [first, last]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn orders_are_chosen_by_plan_and_sorted_by_when_they_were_settled(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let support = Support::prove(boss.0.person().clone()).unwrap();
    let ana = stage.buyer("ana").await;
    let early = stage.starts_checkout(&ana, "starter").await;
    let late = stage.starts_checkout(&ana, "pro").await;
    let never = stage.starts_checkout(&ana, "pro").await.id;
    stage.advance(Duration::days(1));
    stage.pays(&late, "pay_late").await;
    stage.advance(Duration::days(1));
    stage.pays(&early, "pay_early").await;
    let (early, late) = (early.id, late.id);
    let finds = async |wanted: Wanted| {
        let page = desk::page(&stage.ctx.db, &support, &wanted, None).await.unwrap();
        page.orders.into_iter().map(|order| order.id).collect::<Vec<_>>()
    };
    let sorted = |sort| Wanted { sort, ..Wanted::default() };
    assert_eq!(finds(sorted(Sort::LastSettled)).await, [early, late], "what is not settled is left out");
    assert_eq!(finds(sorted(Sort::FirstSettled)).await, [late, early]);
    let pro = Wanted { plan: Some(stage.plan("pro").await), ..Wanted::default() };
    assert_eq!(finds(pro.clone()).await, [never, late]);
    assert_eq!(finds(Wanted { sort: Sort::FirstSettled, ..pro.clone() }).await, [late]);
    assert_eq!(finds(Wanted { search: Search::parse("ana"), ..pro.clone() }).await, [never, late]);
    assert_eq!(finds(Wanted { state: Some(OrderState::Opened), ..pro.clone() }).await, [never]);
    assert_eq!(finds(Wanted { provider: Some(Provider::Manual), ..pro }).await, []);
    // The days are those by which it is sorted.
    let today = Some(stage.ctx.now().date());
    assert_eq!(finds(Wanted { from: today, ..sorted(Sort::LastSettled) }).await, [early]);
    assert_eq!(finds(Wanted { from: today, ..Wanted::default() }).await, []);
    let nothing = Wanted { plan: Some(PlanId::from_uuid(atlas::ids::fresh())), ..Wanted::default() };
    assert_eq!(finds(nothing).await, []);
}

/// Several orders were settled in the same instant, as a batch does it.
#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn each_settled_order_stands_on_one_page_though_many_were_settled_at_once(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let support = Support::prove(boss.0.person().clone()).unwrap();
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    sqlx::query(
        "insert into credit_orders (id, buyer_id, key, plan_version_id, plan_name, credits, price_minor, currency, provider, state,
            answer_reason, settled_at)
        select gen_random_uuid(), buyer_id, 'another ' || n, plan_version_id, plan_name, credits, price_minor, currency,
            case when n % 3 = 0 then 'manual' else provider end, case when n % 3 = 0 then 'rejected' else state end,
            case when n % 3 = 0 then 'No' end, settled_at + make_interval(mins => n % 2)
        from credit_orders cross join generate_series(1, 160) n",
    )
    .execute(&stage.owner)
    .await
    .unwrap();
    for plan in [None, Some(stage.plan("starter").await)] {
        for sort in [Sort::LastSettled, Sort::FirstSettled, Sort::Newest] {
            let wanted = Wanted { plan, sort, ..Wanted::default() };
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = desk::page(&stage.ctx.db, &support, &wanted, after).await.unwrap();
                assert!(page.orders.len() <= desk::PAGE_ORDERS);
                seen.extend(page.orders.iter().map(|order| (order.settled_at, order.id)));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let mut sorted = seen.clone();
            sorted.sort_unstable();
            match sort {
                Sort::FirstSettled => assert_eq!(seen, sorted),
                Sort::LastSettled => assert!(seen.iter().eq(sorted.iter().rev()), "{seen:?}"),
                Sort::Newest | Sort::Oldest => {}
            }
            sorted.dedup();
            assert_eq!((seen.len(), sorted.len()), (161, 161), "{sort:?}");
        }
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_file_of_orders_is_whole_disarmed_and_written_down_first(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    let finance = Finance::prove(boss.0.person().clone()).unwrap();
    let ana = stage.buyer("ana").await;
    stage.starts_checkout(&ana, "starter").await;
    sqlx::query(
        "insert into credit_orders (id, buyer_id, key, plan_version_id, plan_name, credits, price_minor, currency, provider, state)
        select gen_random_uuid(), buyer_id, 'another ' || n, plan_version_id, '=1+1', credits, price_minor, currency, provider, state
        from credit_orders cross join generate_series(1, 2300) n",
    )
    .execute(&stage.owner)
    .await
    .unwrap();
    let wanted = Wanted { provider: Some(Provider::Whop), ..Wanted::default() };
    let origin = Origin::NONE;
    begin(&stage.ctx, &finance, &origin, &wanted).await.unwrap();
    let filter = Filter { deed: Some("data_exported".to_owned()), ..Filter::default() };
    let entries = newest(&stage.ctx.db, &filter, 10).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].actor_id, entries[0].about.as_str()), (Some(finance.person().id()), "orders"));
    assert_eq!(entries[0].change["provider"], "whop");
    assert_eq!(entries[0].change["by"], "made");

    let (mut text, mut after, mut pieces) = (String::new(), None, 0);
    loop {
        let (part, next) = piece(&stage.ctx.db, &finance, &wanted, after).await.unwrap();
        assert!(part.lines().count() <= 1_000, "a piece is of one size, however many orders there are");
        text.push_str(&part);
        (after, pieces) = (next, pieces + 1);
        if after.is_none() {
            break;
        }
    }
    let lines: std::collections::BTreeSet<&str> = text.lines().collect();
    assert_eq!((lines.len(), text.lines().count(), pieces), (2_301, 2_301, 3));
    assert_eq!(text.matches("\"'=1+1\"").count(), 2_300);
    assert!(Finance::prove(ana).is_err());
    let sql = "update user_profiles set role = 'support'";
    sqlx::query(sql).execute(&stage.owner).await.unwrap();
    let helper = stage.again(finance.person().id()).await;
    assert_eq!((helper.role(), Finance::prove(helper).is_err()), (Role::Support, true), "support takes nothing along");
}
