//! What has to be in the database before something is measured: a buyer with a past, and orders that wait for money.

use anyhow::Result;
use domain::{OrderId, PersonId};
use sqlx::PgPool;

/// The demo's buyer.
pub const BUYER: &str = "buyer@example.com";
pub const PASSWORD: &str = "buyer-demo-password";
/// Movements in the buyer's wallet, four hours between two of them: fifty days.
pub const LINES: i32 = 300;

/// An order with an open checkout, each of another buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub number: i64,
}

/// Gives the buyer grants and spends, through the ledger's own functions, and puts them back in time.
pub async fn live_through(owner: &PgPool) -> Result<()> {
    let mut tx = owner.begin().await?;
    sqlx::query(
        "select case when n % 10 = 1
            then (select balance_after from credits_grant(gen_random_uuid(), 'bench', 'grant ' || n, person.id, 5000,
                'promo', 'promo', 1::smallint, null, null, null, null, null, null, 'bench', 'Given, for the ' || n || 'th'))
            else (select balance_after from credits_spend(gen_random_uuid(), 'bench', 'spend ' || n, person.id,
                37 * n % 400 + 1, 'consumed:app', 'bench', 'Used for job ' || n))
        end from generate_series(1, $2) n, user_profiles person where person.email = $1 order by n",
    )
    .bind(BUYER)
    .bind(LINES)
    .execute(&mut *tx)
    .await?;
    // The ledger refuses any change; its owner may look away for a moment.
    sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await?;
    sqlx::query(
        "update credit_transactions t set created_at = t.created_at - make_interval(hours => 4 * numbered.age)
        from (select id, row_number() over (order by last_seq desc)::int as age from credit_transactions
            where scope = 'bench') numbered
        where numbered.id = t.id",
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    sqlx::query("analyze").execute(owner).await?;
    Ok(())
}

/// Adds `count` orders for the plan "Starter", each of a buyer of its own.
pub async fn orders(owner: &PgPool, count: i64) -> Result<Vec<Order>> {
    let first: i64 = sqlx::query_scalar("select count(*) + 1 from credit_orders").fetch_one(owner).await?;
    // As the program makes them, one after another in their index.
    let fresh = || (0..count).map(|_| atlas::ids::fresh()).collect::<Vec<_>>();
    let mut tx = owner.begin().await?;
    sqlx::query(
        "with numbers as (
            select $1 + place - 1 as n, id, buyer
            from unnest($2::uuid[], $3::uuid[]) with ordinality as fresh (id, buyer, place)
        ), people as (
            insert into user_profiles (id, email, password_hash) select buyer, n || '@payer.example', '' from numbers
            returning id
        ), wallets as (
            insert into credit_accounts (kind, owner_id) select 'wallet', id from people
        )
        insert into credit_orders (id, buyer_id, key, plan_version_id, plan_name, credits, price_minor, currency, provider,
            state, checkout_id, checkout_url, opened_at)
        select numbers.id, buyer, 'bench-key-' || n, version.id, version.name, version.credits, version.price_minor,
            version.currency, 'whop', 'opened', 'ch_Bench' || n, 'http://127.0.0.1/', now()
        from numbers, plans join plan_versions version on version.plan_id = plans.id where plans.slug = 'starter'",
    )
    .bind(first)
    .bind(fresh())
    .bind(fresh())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    sqlx::query("analyze").execute(owner).await?;
    let rows: Vec<(OrderId, i64)> = sqlx::query_as(
        "select id, substr(checkout_id, 9)::bigint from credit_orders where checkout_id like 'ch\\_Bench%' order by 2 desc limit $1",
    )
    .bind(count)
    .fetch_all(owner)
    .await?;
    Ok(rows.into_iter().map(|(id, number)| Order { id, number }).collect())
}

/// How many of the orders were granted, and how many grants there are for them.
pub async fn granted(owner: &PgPool, orders: &[Order]) -> Result<(i64, i64)> {
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
    Ok(sqlx::query_as(
        "select count(distinct order_id), count(*) from credit_transactions where kind = 'grant' and order_id = any($1)",
    )
    .bind(ids)
    .fetch_one(owner)
    .await?)
}

/// Credits that nobody spends within a measurement.
const PLENTY: i64 = 1_000_000_000;

/// Adds people with a full wallet each, through the ledger's own function.
pub async fn wallets(owner: &PgPool, count: i64) -> Result<Vec<PersonId>> {
    let mut tx = owner.begin().await?;
    let first: i64 = sqlx::query_scalar("select count(*) + 1 from user_profiles").fetch_one(&mut *tx).await?;
    let people: Vec<PersonId> = sqlx::query_scalar(
        "with people as (
            insert into user_profiles (id, email, password_hash)
            select gen_random_uuid(), n || '@spender.example', '' from generate_series($1, $1 + $2 - 1) n returning id
        )
        insert into credit_accounts (kind, owner_id) select 'wallet', id from people returning owner_id",
    )
    .bind(first)
    .bind(count)
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query(
        "select count(*) from unnest($1::uuid[]) as owner (id), lateral credits_grant(gen_random_uuid(), 'bench',
            'plenty ' || owner.id, owner.id, $2, 'promo', 'promo', 1::smallint, null, null, null, null, null, null, 'bench',
            'Given to be spent')",
    )
    .bind(&people)
    .bind(PLENTY)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    sqlx::query("analyze").execute(owner).await?;
    Ok(people)
}

/// How many spends there are, and what they took in all.
pub async fn spent(owner: &PgPool) -> Result<(i64, i64)> {
    Ok(sqlx::query_as("select count(*), coalesce(-sum(net), 0)::bigint from credit_transactions where kind = 'spend'")
        .fetch_one(owner)
        .await?)
}

/// Adds orders of one person, in the way of [`orders`].
pub async fn orders_of(owner: &PgPool, email: &str, count: i64) -> Result<Vec<Order>> {
    let orders = orders(owner, count).await?;
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
    sqlx::query(
        "update credit_orders set buyer_id = (select id from user_profiles where email = $1) where id = any($2)",
    )
    .bind(email)
    .bind(ids)
    .execute(owner)
    .await?;
    Ok(orders)
}

/// What a person has.
pub async fn balance(owner: &PgPool, email: &str) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "select posted from credit_accounts wallet join user_profiles person on person.id = wallet.owner_id
        where person.email = $1",
    )
    .bind(email)
    .fetch_one(owner)
    .await?)
}
