//! Orders with an open checkout, written down a little before they are paid, as the form does it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::types::Uuid;

use super::world::{Order, World};

const CHUNK: usize = 500;
const TRIES: usize = 300;

/// Buyers with their wallets, and the plan that everybody orders.
pub async fn set_up(owner: &PgPool, world: &World) -> Result<()> {
    sqlx::query(
        "with plan as (
            insert into plans (id, slug) values (gen_random_uuid(), 'storm') returning id
        )
        insert into plan_versions (id, plan_id, version, name, credits, price_minor, currency)
        select gen_random_uuid(), id, 1, 'Storm', 1, 1, 'usd' from plan",
    )
    .execute(owner)
    .await?;
    sqlx::query(
        "with people as (
            insert into user_profiles (id, email, password_hash)
            select id, 'storm' || n || '@buyer.example', '' from unnest($1::uuid[]) with ordinality as b (id, n)
            returning id
        )
        insert into credit_accounts (kind, owner_id) select 'wallet', id from people",
    )
    .bind(&world.buyers)
    .execute(owner)
    .await?;
    Ok(())
}

/// Writes orders down, ahead of their payments.
pub struct Desk {
    pool: PgPool,
    written: usize,
}

impl Desk {
    /// Past the application, but through the proxy before the database: it follows a failover.
    pub fn new(database: std::net::SocketAddr) -> Self {
        let options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(database.port())
            .username(super::cluster::OWNER)
            .database("atlas")
            .ssl_mode(PgSslMode::Disable);
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(5));
        Self { pool: pool.connect_lazy_with(options), written: 0 }
    }

    /// Its way to the database, for others who follow a failover.
    pub fn into_pool(self) -> PgPool {
        self.pool
    }

    /// Has all orders up to this one written down, and some more.
    pub async fn see_to(&mut self, orders: &[Order], place: usize) -> Result<()> {
        while self.written < orders.len() && self.written < place + CHUNK / 2 {
            let chunk = &orders[self.written..orders.len().min(self.written + CHUNK)];
            let mut tries = 0;
            while let Err(error) = Box::pin(write(&self.pool, chunk, self.written)).await {
                tries += 1;
                if tries > TRIES {
                    return Err(error).context("orders can't be written down");
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            self.written += chunk.len();
        }
        Ok(())
    }
}

async fn write(pool: &PgPool, orders: &[Order], first: usize) -> Result<()> {
    let ids: Vec<Uuid> = orders.iter().map(|order| order.id).collect();
    let buyers: Vec<Uuid> = orders.iter().map(|order| order.buyer).collect();
    let credits: Vec<i64> = orders.iter().map(|order| order.credits).collect();
    let bonus: Vec<i64> = orders.iter().map(|order| order.bonus).collect();
    let prices: Vec<i64> = orders.iter().map(|order| order.price_minor).collect();
    let currencies: Vec<&str> = orders.iter().map(|order| order.currency).collect();
    let checkouts: Vec<&str> = orders.iter().map(|order| order.checkout.as_str()).collect();
    let plans: Vec<&str> = orders.iter().map(|order| order.plan.as_str()).collect();
    sqlx::query(
        "insert into credit_orders (id, buyer_id, key, plan_version_id, plan_name, credits, bonus_credits, price_minor, currency,
            provider, state, checkout_id, checkout_url, provider_plan_id, opened_at)
        select o.id, o.buyer, 'storm-order-' || ($8 + n), version.id, version.name, o.credits, o.bonus, o.price, o.currency, 'whop',
            'opened', o.checkout, 'http://127.0.0.1/', o.plan, now()
        from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $9::bigint[])
            with ordinality as o (id, buyer, credits, price, currency, checkout, plan, bonus, n),
            plans join plan_versions version on version.plan_id = plans.id
        where plans.slug = 'storm'
        on conflict (id) do nothing",
    )
    .bind(ids)
    .bind(buyers)
    .bind(credits)
    .bind(prices)
    .bind(currencies)
    .bind(checkouts)
    .bind(plans)
    .bind(i64::try_from(first)?)
    .bind(bonus)
    .execute(pool)
    .await?;
    Ok(())
}
