//! The database: reached, new enough, migrated, with the rights that it should have and no others, at our time.

use std::time::Duration;

use atlas::clock::Clock;
use sqlx::{Connection as _, PgConnection, PgPool};

use super::check::Check;
use crate::cluster::{self, WhenRunning};
use crate::config::Config;
use crate::database::Database;
use crate::database::checks::{self, Standing};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const VERSION_MIN: i32 = 15;
const CLOCKS_APART_NOTED: time::Duration = time::Duration::seconds(1);

/// The way to the database, or why there is none.
pub enum Reached {
    No(Vec<Check>),
    Yes { checks: Vec<Check>, pool: PgPool, database: Box<Database> },
}

/// Migrates nothing and makes nothing. A private cluster that rests is started, and stopped again by whoever closes it.
pub async fn reach(config: &Config) -> Reached {
    const SUBJECT: &str = "Database";
    if config.database_url().is_none() && !cluster::is_made(&config.data_dir) {
        return Reached::No(vec![not_made(config)]);
    }
    let mend = if config.database_url().is_some() {
        "Start the server that DATABASE_URL names, or mend DATABASE_URL."
    } else {
        "Look into postgres/log in the data folder; docs/operate.md, 11, knows the usual reasons."
    };
    let unreachable = |error: String| Reached::No(vec![Check::bad(SUBJECT, error, mend)]);
    let database = match Database::reach(config, WhenRunning::Join).await {
        Ok(database) => database,
        Err(error) => return unreachable(format!("{error:#}")),
    };
    let answered = match connect(&database).await {
        Ok(mut connection) => asked(&mut connection).await.map_err(|error| error.to_string()),
        Err(error) => Err(error),
    };
    match answered {
        Ok(Answered { version, applied }) => {
            let mut checks = vec![of_age(&version)];
            let schema = migrated(&applied);
            let is_current = schema.verdict == super::check::Verdict::Good;
            checks.push(schema);
            if !is_current {
                database.close().await;
                return Reached::No(checks);
            }
            let pool = database.unchecked_pool();
            checks.extend(rights(&pool, config.standing()).await);
            Reached::Yes { checks, pool, database: Box::new(database) }
        }
        Err(error) => {
            database.close().await;
            unreachable(format!("it does not answer: {error}"))
        }
    }
}

fn not_made(config: &Config) -> Check {
    match cluster::programs(config.pg_bin.as_deref()) {
        Ok(major) => Check::warning(
            "Database",
            format!("there is none yet; PostgreSQL {major} is here to make one"),
            "Start atlas serve: it makes a private one in the data folder. Or set DATABASE_URL to one of yours.",
        ),
        Err(error) => Check::bad(
            "Database",
            format!("{error:#}"),
            "Install PostgreSQL 15 or newer, or set DATABASE_URL to a server.",
        ),
    }
}

async fn connect(database: &Database) -> Result<PgConnection, String> {
    match tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(database.login())).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs())),
    }
}

struct Answered {
    version: String,
    /// None: it was never migrated.
    applied: Vec<i64>,
}

async fn asked(connection: &mut PgConnection) -> Result<Answered, sqlx::Error> {
    let version: String = sqlx::query_scalar("show server_version").fetch_one(&mut *connection).await?;
    let was_migrated: bool =
        sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null").fetch_one(&mut *connection).await?;
    if !was_migrated {
        return Ok(Answered { version, applied: Vec::new() });
    }
    let applied = sqlx::query_scalar("select version from _sqlx_migrations where success order by version")
        .fetch_all(connection)
        .await?;
    Ok(Answered { version, applied })
}

fn of_age(version: &str) -> Check {
    const SUBJECT: &str = "Database";
    let major = version.split(['.', ' ']).next().and_then(|major| major.parse::<i32>().ok()).unwrap_or(0);
    if major >= VERSION_MIN {
        Check::good(SUBJECT, format!("PostgreSQL {version} answers"))
    } else {
        Check::bad(
            SUBJECT,
            format!("PostgreSQL {version} is too old"),
            format!("Move to PostgreSQL {VERSION_MIN} or newer: docs/operate.md, 9."),
        )
    }
}

fn migrated(applied: &[i64]) -> Check {
    const SUBJECT: &str = "Schema";
    let known: Vec<i64> = atlas::MIGRATOR.iter().map(|migration| migration.version).collect();
    let waiting = known.iter().filter(|version| !applied.contains(version)).count();
    let unknown = applied.iter().filter(|version| !known.contains(version)).count();
    match (waiting, unknown) {
        (0, 0) => Check::good(SUBJECT, format!("all {} migrations are applied", known.len())),
        (0, unknown) => Check::bad(
            SUBJECT,
            format!("{unknown} migrations in it are newer than this program"),
            "Run the newest program that this database has seen.",
        ),
        (waiting, _) => Check::bad(
            SUBJECT,
            format!("{waiting} of {} migrations are not applied", known.len()),
            "Run atlas migrate; atlas serve does the same when it starts.",
        ),
    }
}

async fn rights(pool: &PgPool, standing: Standing) -> Vec<Check> {
    let ours = Clock::system();
    let (rights, login, durability, clocks) = futures::join!(
        checks::refuse_too_many_rights(pool),
        checks::mighty_login(pool),
        checks::weak_settings(pool),
        checks::clocks_apart(pool, &ours),
    );
    vec![role(rights, login, standing), durable(durability, standing), clock(clocks)]
}

fn role(rights: anyhow::Result<()>, login: Result<Option<String>, sqlx::Error>, standing: Standing) -> Check {
    const SUBJECT: &str = "Database role";
    match (rights, login) {
        (Err(error), _) => Check::bad(
            SUBJECT,
            format!("{error:#}"),
            "Take back from atlas_app what the migrations did not give it; docs/operate.md, 2.",
        ),
        (Ok(()), Ok(Some(login))) if standing == Standing::Public => Check::warning(
            SUBJECT,
            format!("{login} serves and owns the schema: an injected statement could become the owner"),
            "Give migrations a login of their own: DATABASE_OWNER_URL; docs/operate.md, 2.",
        ),
        (Ok(()), _) => Check::good(SUBJECT, "it may read the ledger and call its functions, and no more"),
    }
}

fn durable(weak: Result<String, sqlx::Error>, standing: Standing) -> Check {
    const SUBJECT: &str = "Durability";
    let mend = "Turn them on in postgresql.conf; checksums with pg_checksums --enable while the server is stopped.";
    match weak {
        Ok(weak) if weak.is_empty() => Check::good(SUBJECT, "what is committed survives a crash"),
        Ok(weak) if standing == Standing::Public => {
            Check::bad(SUBJECT, format!("a crash may lose orders: {weak}"), mend)
        }
        Ok(weak) => Check::warning(SUBJECT, format!("a crash may lose orders: {weak}"), mend),
        Err(error) => Check::bad(SUBJECT, format!("it does not answer: {error}"), mend),
    }
}

fn clock(apart: Result<time::Duration, sqlx::Error>) -> Check {
    const SUBJECT: &str = "Clock";
    let mend = "Let both machines follow a time server (systemd-timesyncd, chrony).";
    match apart {
        Ok(apart) if apart > checks::CLOCKS_APART_MAX => {
            Check::bad(SUBJECT, format!("ours and the database’s are {} s apart", apart.whole_seconds()), mend)
        }
        Ok(apart) if apart > CLOCKS_APART_NOTED => {
            Check::warning(SUBJECT, format!("ours and the database’s are {} s apart", apart.whole_seconds()), mend)
        }
        Ok(_) => Check::good(SUBJECT, "ours and the database’s agree"),
        Err(error) => Check::bad(SUBJECT, format!("the database’s can’t be read: {error}"), mend),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;

    #[test]
    fn old_servers_half_done_schemas_and_wrong_clocks_are_said() {
        assert_eq!(of_age("14.9 (Debian 14.9-1)").verdict, Verdict::Bad);
        assert_eq!(of_age("17.2").verdict, Verdict::Good);
        let all: Vec<i64> = atlas::MIGRATOR.iter().map(|migration| migration.version).collect();
        assert_eq!(migrated(&all).verdict, Verdict::Good);
        assert_eq!(migrated(&all[1..]).found, format!("1 of {} migrations are not applied", all.len()));
        assert_eq!(migrated(&[&all[..], &[i64::MAX]].concat()).verdict, Verdict::Bad);
        for (seconds, verdict) in [(0, Verdict::Good), (2, Verdict::Warning), (61, Verdict::Bad)] {
            assert_eq!(clock(Ok(time::Duration::seconds(seconds))).verdict, verdict, "{seconds}");
        }
    }

    #[test]
    fn what_is_weak_matters_where_people_pay() {
        let weak = || Ok("fsync = off".to_owned());
        assert_eq!(durable(weak(), Standing::Public).verdict, Verdict::Bad);
        assert_eq!(durable(weak(), Standing::Private).verdict, Verdict::Warning);
        let mighty = || Ok(Some("postgres".to_owned()));
        assert_eq!(role(Ok(()), mighty(), Standing::Public).verdict, Verdict::Warning);
        assert_eq!(role(Ok(()), mighty(), Standing::Private).verdict, Verdict::Good);
        assert_eq!(role(Err(anyhow::anyhow!("too much")), mighty(), Standing::Private).verdict, Verdict::Bad);
    }
}
