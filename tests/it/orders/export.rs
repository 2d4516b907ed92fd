//! Orders as those who look after them sort them, and take them along.

use atlas::audit::Origin;
use atlas::audit::list::{Filter, newest};
use atlas::orders::desk::{self, Search, Sort, Wanted};
use atlas::orders::export::{begin, piece};
use atlas::people::roles::{Finance, Support};
use domain::{OrderState, Provider, Role};
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
