//! Bringing the schema up to date while others use it (T72). A migration that wants a table to itself waits behind whoever reads
//! it just now, and everybody who comes later waits behind the migration. So it waits for a moment only, lets them pass, and
//! comes again.

use std::time::Duration;

use anyhow::{Context as _, Result};
use sqlx::Connection as _;
use sqlx::PgConnection;
use sqlx::error::DatabaseError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;

/// How long a migration is waited for, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    pub lock_timeout: Duration,
    pub pause: Duration,
    pub tries: u32,
}

impl Patience {
    /// Nobody waits longer than two seconds behind a migration; after a minute and a half an operator has to know.
    pub const FOR_OTHERS: Self =
        Self { lock_timeout: Duration::from_secs(2), pause: Duration::from_secs(1), tries: 30 };
}

/// Runs what has not run yet, each in a transaction of its own. Gives back the connection that it did that with.
pub async fn migrate(owner: &PgConnectOptions, migrator: &Migrator, patience: Patience) -> Result<PgConnection> {
    let timeout = format!("{}ms", patience.lock_timeout.as_millis());
    let owner = owner.clone().options([("lock_timeout", timeout)]);
    let mut tries = 0;
    loop {
        let mut connection = PgConnection::connect_with(&owner).await.context("connecting to the database")?;
        tries += 1;
        match migrator.run(&mut connection).await {
            Ok(()) => return Ok(connection),
            Err(error) if was_in_the_way(&error) && tries < patience.tries => {
                tracing::warn!(tries, "migration.waits: others use what it wants for itself");
                connection.close().await.context("closing a connection")?;
                tokio::time::sleep(patience.pause).await;
            }
            Err(error) => return Err(error).context("migrating the database"),
        }
    }
}

/// Whether it waited for a lock as long as it may (PostgreSQL, Appendix A: `lock_not_available`).
fn was_in_the_way(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else { return false };
    error.as_database_error().and_then(DatabaseError::code).is_some_and(|code| code == "55P03")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use sqlx::PgPool;
    use sqlx::migrate::{Migration, MigrationType};

    use super::*;

    const SHORT: Patience =
        Patience { lock_timeout: Duration::from_millis(50), pause: Duration::from_millis(20), tries: 500 };

    fn widening() -> Migrator {
        let sql = sqlx::SqlStr::from_static("alter table wide add column more integer");
        Migrator::with_migrations(vec![Migration::new(1, "widen".into(), MigrationType::Simple, sql, false)])
    }

    #[sqlx::test(migrations = false)]
    async fn t72_a_migration_that_has_to_wait_lets_everybody_pass(pool: PgPool) {
        sqlx::query("create table wide (a integer)").execute(&pool).await.unwrap();
        // A report that takes its time.
        let mut report = pool.begin().await.unwrap();
        sqlx::query("select count(*) from wide").execute(&mut *report).await.unwrap();
        let options = (*pool.connect_options()).clone();
        let migrator = widening();
        let others = async {
            let waits = "select exists (select from pg_locks where relation = 'wide'::regclass and not granted)";
            while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&pool).await.unwrap() {
                tokio::task::yield_now().await;
            }
            for _ in 0..20 {
                let passes = sqlx::query("insert into wide (a) values (1)").execute(&pool);
                tokio::time::timeout(Duration::from_secs(5), passes).await.unwrap().unwrap();
            }
            let narrow = "select count(*) = 1 from pg_attribute where attrelid = 'wide'::regclass and attnum > 0";
            assert!(sqlx::query_scalar::<_, bool>(narrow).fetch_one(&pool).await.unwrap(), "the report goes on");
            report.rollback().await.unwrap();
        };
        let (migrated, ()) = tokio::join!(migrate(&options, &migrator, SHORT), others);
        migrated.unwrap();
        let widened: i64 =
            sqlx::query_scalar("select count(*) from wide where more is null").fetch_one(&pool).await.unwrap();
        assert_eq!(widened, 20);
    }

    #[sqlx::test(migrations = false)]
    async fn t72_a_migration_that_never_gets_its_turn_changes_nothing_and_says_so(pool: PgPool) {
        sqlx::query("create table wide (a integer)").execute(&pool).await.unwrap();
        let mut report = pool.begin().await.unwrap();
        sqlx::query("select count(*) from wide").execute(&mut *report).await.unwrap();
        let options = (*pool.connect_options()).clone();
        let patience = Patience { tries: 2, ..SHORT };
        let refused = migrate(&options, &widening(), patience).await.unwrap_err();
        assert!(format!("{refused:#}").contains("lock timeout"), "{refused:#}");
        report.rollback().await.unwrap();
        // Patiently: the lock of the one that gave up goes with its connection.
        migrate(&options, &widening(), SHORT).await.unwrap();
    }
}
