//! The way to Postgres: the operator's or our private one, migrated by its owner, then used through pools whose
//! connections have the least rights.

use std::str::FromStr as _;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use atlas::clock::Clock;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};
use time::OffsetDateTime;

use crate::cluster::{Cluster, WhenRunning};
use crate::config::Config;

const WEB_CONNECTIONS_MAX: u32 = 8;
/// One for each lane of deliveries, and one to replace what a failover broke.
const WEBHOOK_CONNECTIONS_MAX: u32 = 4;
/// One for each lane of spends, and one to replace what a failover broke.
const SPEND_CONNECTIONS_MAX: u32 = atlas::spends::LANES + 1;
const WORK_CONNECTIONS_MAX: u32 = 4;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// After a failover, connections to the old server are gone within this time.
const CONNECTION_LIFETIME: Duration = Duration::from_mins(10);
/// Webhooks are taken for stale after five minutes; a good part of that must not be lost to a wrong clock.
const CLOCKS_APART_MAX: time::Duration = time::Duration::minutes(1);
/// A connection that rested longer is tried before it is used. Each is tried when it is put back as well, so a shorter
/// rest needs no further round trip.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// What every connection of the application is told when it opens.
const SESSION: [(&str, &str); 4] = [
    ("role", atlas::APP_ROLE),
    ("statement_timeout", "5s"),
    ("lock_timeout", "2s"),
    ("idle_in_transaction_session_timeout", "10s"),
];

/// For pools that run the same few statements all day, each over an array of keys: planned once, by index. The planner's
/// own choice depends on how large it believes the tables to be, and a table that was small when it last looked is read
/// from end to end until it looks again.
const BY_INDEX: [(&str, &str); 6] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];

/// A database with the current schema.
pub struct Database {
    owner: PgConnectOptions,
    cluster: Option<Cluster>,
}

/// Apart, so that a flood on one door leaves the others their connections.
#[derive(Clone)]
pub struct Pools {
    pub web: PgPool,
    pub webhook: PgPool,
    pub spend: PgPool,
    pub work: PgPool,
}

impl Database {
    /// Reaches the database and brings its schema up to date.
    pub async fn open(config: &Config, when_running: WhenRunning) -> Result<Self> {
        let database = Self::reach(config, when_running).await?;
        if let Err(error) = database.migrate().await {
            database.close().await;
            return Err(error);
        }
        Ok(database)
    }

    async fn reach(config: &Config, when_running: WhenRunning) -> Result<Self> {
        if let Some(url) = config.database_url() {
            // The parser's own words may hold parts of the address, the password among them.
            let Ok(owner) = PgConnectOptions::from_str(url) else { bail!("DATABASE_URL can't be read") };
            return Ok(Self { owner, cluster: None });
        }
        let cluster = Cluster::open(&config.data_dir, config.pg_bin.as_deref(), when_running).await?;
        Ok(Self { owner: cluster.owner_options(), cluster: Some(cluster) })
    }

    async fn migrate(&self) -> Result<()> {
        let mut owner = PgConnection::connect_with(&self.owner).await.context("connecting to the database")?;
        atlas::MIGRATOR.run(&mut owner).await.context("migrating the database")?;
        // An owner that is no superuser may take the application's role only as its member.
        let member: bool =
            sqlx::query_scalar("select pg_has_role(current_user, 'atlas_app', 'member')").fetch_one(&mut owner).await?;
        if !member {
            sqlx::query("grant atlas_app to current_user").execute(&mut owner).await?;
        }
        owner.close().await.context("closing a connection")
    }

    /// A test's, which is migrated.
    #[cfg(test)]
    pub fn of(pool: &PgPool) -> Self {
        Self { owner: (*pool.connect_options()).clone(), cluster: None }
    }

    /// Pools whose rights were looked at: the ledger is out of their reach.
    pub async fn pools(&self) -> Result<Pools> {
        let pools = Pools {
            web: self.pool("web", WEB_CONNECTIONS_MAX, &[]),
            webhook: self.pool("webhook", WEBHOOK_CONNECTIONS_MAX, &BY_INDEX),
            spend: self.pool("spend", SPEND_CONNECTIONS_MAX, &BY_INDEX),
            work: self.pool("work", WORK_CONNECTIONS_MAX, &[]),
        };
        refuse_too_many_rights(&pools.web).await?;
        warn_of_weak_durability(&pools.web).await?;
        refuse_another_time(&pools.web).await?;
        Ok(pools)
    }

    /// For a command: one small pool with the application's rights.
    pub async fn command_pool(&self) -> Result<PgPool> {
        let pool = self.pool("command", 2, &[]);
        refuse_too_many_rights(&pool).await?;
        Ok(pool)
    }

    /// Stops the private cluster if it is ours to stop. Close the pools first.
    pub async fn close(self) {
        if let Some(cluster) = self.cluster
            && let Err(error) = cluster.stop().await
        {
            tracing::error!("{error:#}");
        }
    }

    fn pool(&self, name: &str, connections_max: u32, planning: &[(&str, &str)]) -> PgPool {
        let name = format!("atlas {name}");
        let options = self.owner.clone().application_name(&name).options(SESSION).options(planning.iter().copied());
        PgPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .max_lifetime(CONNECTION_LIFETIME)
            .test_before_acquire(false)
            .before_acquire(|connection, resting| {
                Box::pin(async move {
                    if resting.idle_for > TRUSTED_FOR {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options)
    }
}

impl Pools {
    pub async fn close(&self) {
        futures::join!(self.web.close(), self.webhook.close(), self.spend.close(), self.work.close());
    }
}

/// Credits move only through the kernel's functions. A role that could write the ledger itself must not serve.
async fn refuse_too_many_rights(pool: &PgPool) -> Result<()> {
    let (role, may_write): (String, bool) = sqlx::query_as(
        "select current_user::text, bool_or(has_table_privilege(name, 'insert, delete, truncate')
            or has_any_column_privilege(name, 'insert, update'))
         from unnest(array['credit_accounts', 'credit_transactions', 'credit_lots', 'credit_entries', 'credit_holds',
            'credit_hold_lots', 'ledger_seals']) as name",
    )
    .fetch_one(pool)
    .await
    .context("connecting to the database as atlas_app")?;
    if may_write || role != atlas::APP_ROLE {
        bail!("the database role {role} may write the ledger directly; Atlas only runs as {}", atlas::APP_ROLE);
    }
    Ok(())
}

/// With these off, a crash of the machine may lose payments that were already answered for.
async fn warn_of_weak_durability(pool: &PgPool) -> Result<()> {
    let weak: Vec<String> = sqlx::query_scalar(
        "select name from pg_settings
         where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums') and setting = 'off'",
    )
    .fetch_all(pool)
    .await?;
    if !weak.is_empty() {
        tracing::warn!("the database may lose paid orders in a crash: {} off", weak.join(", "));
    }
    Ok(())
}

/// Ages and expiries are judged here and there; with clocks apart they would contradict each other (T66).
async fn refuse_another_time(pool: &PgPool) -> Result<()> {
    let theirs: OffsetDateTime = sqlx::query_scalar("select clock_timestamp()").fetch_one(pool).await?;
    let apart = (Clock::system().now() - theirs).abs();
    if apart > CLOCKS_APART_MAX {
        bail!("this machine's clock and the database's are {} s apart; set them right first", apart.whole_seconds());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[sqlx::test(migrator = "atlas::MIGRATOR")]
    async fn the_application_cannot_write_the_ledger(pool: PgPool) {
        let pools = Database::of(&pool).pools().await.unwrap();
        for statement in [
            "update credit_entries set amount = 1",
            "delete from credit_transactions",
            "insert into credit_accounts (code) values ('mine')",
        ] {
            let error = sqlx::query(statement).execute(&pools.web).await.unwrap_err();
            assert_eq!(error.as_database_error().unwrap().code().unwrap(), "42501", "{statement}");
        }
        pools.close().await;
    }

    #[sqlx::test(migrator = "atlas::MIGRATOR")]
    async fn a_role_with_too_many_rights_is_refused(pool: PgPool) {
        let said = refuse_too_many_rights(&pool).await.unwrap_err().to_string();
        assert!(said.contains("may write the ledger directly"), "{said}");
    }

    #[sqlx::test(migrator = "atlas::MIGRATOR")]
    async fn one_column_too_many_is_noticed(pool: PgPool) {
        sqlx::query("grant update (amount) on credit_entries to atlas_app").execute(&pool).await.unwrap();
        assert!(Database::of(&pool).pools().await.is_err());
    }

    #[sqlx::test(migrator = "atlas::MIGRATOR")]
    async fn connections_wait_for_nothing_for_long(pool: PgPool) {
        let pools = Database::of(&pool).pools().await.unwrap();
        let shown: (String, String, String) = sqlx::query_as(
            "select current_setting('statement_timeout'), current_setting('lock_timeout'),
                current_setting('idle_in_transaction_session_timeout')",
        )
        .fetch_one(&pools.webhook)
        .await
        .unwrap();
        assert_eq!(shown, ("5s".into(), "2s".into(), "10s".into()));
        pools.close().await;
    }
}
