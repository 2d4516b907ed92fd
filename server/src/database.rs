//! The way to Postgres: the operator's or our private one, migrated by its owner, then used through pools whose
//! connections have the least rights.

pub mod checks;
mod migrate;

use std::str::FromStr as _;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use atlas::clock::Clock;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};

use self::checks::Standing;
use self::migrate::Patience;
use crate::cluster::{Cluster, WhenRunning};
use crate::config::Config;

const WEB_CONNECTIONS_MAX: u32 = 8;
/// One for each lane of deliveries, and one to replace what a failover broke.
const WEBHOOK_CONNECTIONS_MAX: u32 = 4;
/// One for each lane of spends, and one to replace what a failover broke.
const SPEND_CONNECTIONS_MAX: u32 = atlas::spends::LANES + 1;
const WORK_CONNECTIONS_MAX: u32 = 4;
/// For a few admins at a time.
const LOOK_CONNECTIONS_MAX: u32 = 2;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// After a failover, connections to the old server are gone within this time.
const CONNECTION_LIFETIME: Duration = Duration::from_mins(10);
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

/// For pages that somebody looks at who may change nothing: the database refuses whatever would.
const READ_ONLY: [(&str, &str); 1] = [("default_transaction_read_only", "on")];

/// A database with the current schema.
pub struct Database {
    /// Migrates.
    owner: PgConnectOptions,
    /// Serves. The same where an operator gave only one.
    app: PgConnectOptions,
    cluster: Option<Cluster>,
}

/// Apart, so that a flood on one door leaves the others their connections.
#[derive(Clone)]
pub struct Pools {
    pub web: PgPool,
    pub webhook: PgPool,
    pub spend: PgPool,
    pub work: PgPool,
    /// Changes nothing.
    pub look: PgPool,
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

    /// Reaches it as it is.
    pub async fn reach(config: &Config, when_running: WhenRunning) -> Result<Self> {
        if let Some(url) = config.database_url() {
            // The parser's own words may hold parts of the address, the password among them.
            let Ok(app) = PgConnectOptions::from_str(url) else { bail!("DATABASE_URL can't be read") };
            let owner = match config.database_owner_url() {
                Some(url) => PgConnectOptions::from_str(url).ok().context("DATABASE_OWNER_URL can't be read")?,
                None => app.clone(),
            };
            return Ok(Self { owner, app, cluster: None });
        }
        let cluster = Cluster::open(&config.data_dir, config.pg_bin.as_deref(), when_running).await?;
        let owner = cluster.owner_options();
        // Nobody else reaches its socket, so the application needs no password to be the application.
        let app = owner.clone().username(atlas::APP_ROLE);
        Ok(Self { owner, app, cluster: Some(cluster) })
    }

    async fn migrate(&self) -> Result<()> {
        let mut owner = migrate::migrate(&self.owner, &atlas::MIGRATOR, Patience::FOR_OTHERS).await?;
        self.let_the_application_in(&mut owner).await.context("letting the application into the database")?;
        owner.close().await.context("closing a connection")
    }

    /// A test's, which is migrated.
    #[cfg(test)]
    pub fn of(pool: &PgPool) -> Self {
        let options = (*pool.connect_options()).clone();
        Self { owner: options.clone(), app: options, cluster: None }
    }

    /// Who logs in to serve takes the application's role, or is it.
    async fn let_the_application_in(&self, owner: &mut PgConnection) -> Result<(), sqlx::Error> {
        let login = self.app.get_username();
        if login == atlas::APP_ROLE {
            if self.cluster.is_some() {
                sqlx::query("alter role atlas_app login").execute(owner).await?;
            }
            return Ok(());
        }
        // A name can't be bound where a role stands in a statement: the database writes it there itself.
        sqlx::query("select set_config('atlas.login', $1, false)").bind(login).execute(&mut *owner).await?;
        let let_in = "do $$ begin
                if not pg_has_role(current_setting('atlas.login'), 'atlas_app', 'member') then
                    execute format('grant atlas_app to %I', current_setting('atlas.login'));
                end if;
            end $$";
        sqlx::query(let_in).execute(owner).await?;
        Ok(())
    }

    /// Pools whose rights were looked at: the ledger is out of their reach.
    pub async fn pools(&self, standing: Standing) -> Result<Pools> {
        let pools = Pools {
            web: self.pool("web", WEB_CONNECTIONS_MAX, &[]),
            webhook: self.pool("webhook", WEBHOOK_CONNECTIONS_MAX, &BY_INDEX),
            spend: self.pool("spend", SPEND_CONNECTIONS_MAX, &BY_INDEX),
            work: self.pool("work", WORK_CONNECTIONS_MAX, &[]),
            look: self.pool("look", LOOK_CONNECTIONS_MAX, &READ_ONLY),
        };
        checks::refuse_too_many_rights(&pools.web).await?;
        checks::mention_a_mighty_login(&pools.web, standing).await?;
        checks::refuse_weak_durability(&pools.web, standing).await?;
        checks::refuse_another_time(&pools.web, &Clock::system()).await?;
        Ok(pools)
    }

    /// For a command: one small pool with the application's rights.
    pub async fn command_pool(&self) -> Result<PgPool> {
        let pool = self.pool("command", 2, &[]);
        checks::refuse_too_many_rights(&pool).await?;
        Ok(pool)
    }

    /// For whoever looks at a database that may not be as it should.
    pub fn unchecked_pool(&self) -> PgPool {
        self.pool("doctor", 4, &[])
    }

    /// Who logs in to serve.
    pub const fn login(&self) -> &PgConnectOptions {
        &self.app
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
        let options = self.app.clone().application_name(&name).options(SESSION).options(planning.iter().copied());
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
        futures::join!(
            self.web.close(),
            self.webhook.close(),
            self.spend.close(),
            self.work.close(),
            self.look.close()
        );
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[sqlx::test(migrator = "atlas::MIGRATOR")]
    async fn the_application_cannot_write_the_ledger(pool: PgPool) {
        let pools = Database::of(&pool).pools(Standing::Private).await.unwrap();
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
    async fn what_only_looks_cannot_write_at_all(pool: PgPool) {
        let pools = Database::of(&pool).pools(Standing::Private).await.unwrap();
        for statement in [
            "delete from sessions",
            "select credits_open_wallet(gen_random_uuid())",
            "select audit_record('nobody', null, null, null, null, null, 'confirmed', 'door', '/', '{}', null)",
            "select from user_profiles for update",
        ] {
            let error = sqlx::query(statement).execute(&pools.look).await.unwrap_err();
            assert_eq!(error.as_database_error().unwrap().code().unwrap(), "25006", "{statement}");
        }
        pools.close().await;
    }

    #[sqlx::test(migrator = "atlas::MIGRATOR")]
    async fn connections_wait_for_nothing_for_long(pool: PgPool) {
        let pools = Database::of(&pool).pools(Standing::Private).await.unwrap();
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
