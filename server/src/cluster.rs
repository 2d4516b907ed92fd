//! The private Postgres: made on first start under the data folder, found again after a crash, stopped with the
//! program. It listens on a Unix socket that nobody else can reach, and on no port.

mod account;
mod binaries;
mod folder;
mod postmaster;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Connection as _, PgConnection};

use account::Account;
use binaries::Binaries;
use folder::{Folder, Lock};

/// The cluster's superuser: it owns the schema and migrates. The application works under another role.
const OWNER: &str = "atlas";
const DATABASE: &str = "atlas";
const READY_TIMEOUT: Duration = Duration::from_mins(1);

/// A running cluster. Whoever holds the lock on its folder stops it; others are guests.
pub struct Cluster {
    folder: Folder,
    /// Ours to stop, as long as this is held.
    keeper: Option<(Lock, Binaries, Account)>,
}

/// What to do when another program of ours already runs the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenRunning {
    /// A command: use it, and leave it running.
    Join,
    /// A server: one is enough.
    Refuse,
}

/// Whether one was made under `data_dir`. Changes nothing.
pub fn is_made(data_dir: &Path) -> bool {
    data_dir.join("postgres/data").exists()
}

/// The major version of the PostgreSQL that would make a new one.
pub fn programs(pg_bin: Option<&Path>) -> Result<String> {
    Binaries::find(pg_bin, None).map(|binaries| binaries.major)
}

impl Cluster {
    /// Starts the cluster under `data_dir`, or finds it running.
    pub async fn open(data_dir: &Path, pg_bin: Option<&Path>, when_running: WhenRunning) -> Result<Self> {
        let folder = Folder::prepare(data_dir)?;
        let Some(lock) = folder.lock()? else {
            if when_running == WhenRunning::Refuse {
                bail!(
                    "another Atlas{} already runs on {}; stop it first, or set ATLAS_DATA_DIR to another folder",
                    folder.holder().map(|pid| format!(" (process {pid})")).unwrap_or_default(),
                    data_dir.display()
                );
            }
            let cluster = Self { folder, keeper: None };
            cluster.wait_until_ready().await?;
            return Ok(cluster);
        };
        let account = Account::for_folder(&folder)?;
        let binaries = Binaries::find(pg_bin, folder.made_by_version()?.as_deref())?;
        folder.hand_over(&account)?;
        if !folder.is_made() {
            tracing::info!(folder = %folder.data().display(), "making a private PostgreSQL {}", binaries.major);
            make(&folder, &binaries, &account).await?;
        }
        if postmaster::is_running(&folder)? {
            tracing::info!("found the private PostgreSQL still running after an earlier stop");
        } else {
            postmaster::start(&folder, &binaries, &account).await?;
        }
        let cluster = Self { folder, keeper: Some((lock, binaries, account)) };
        cluster.wait_until_ready().await?;
        cluster.create_database().await?;
        Ok(cluster)
    }

    /// How its owner connects.
    pub fn owner_options(&self) -> PgConnectOptions {
        self.options(DATABASE)
    }

    /// Stops it, unless it is someone else's to stop.
    pub async fn stop(self) -> Result<()> {
        let Some((lock, binaries, account)) = self.keeper else { return Ok(()) };
        let stopped = postmaster::stop(&self.folder, &binaries, &account).await;
        drop(lock);
        stopped
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(postmaster::socket_folder(&self.folder).unwrap_or_else(|| self.folder.socket()))
            .port(folder::PORT)
            .username(OWNER)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
    }

    async fn wait_until_ready(&self) -> Result<()> {
        let began = tokio::time::Instant::now();
        loop {
            let error = match PgConnection::connect_with(&self.options("postgres")).await {
                Ok(connection) => return connection.close().await.context("closing a connection"),
                Err(error) => error,
            };
            if began.elapsed() > READY_TIMEOUT {
                return Err(error).context("the private PostgreSQL does not answer");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn create_database(&self) -> Result<()> {
        let mut connection = PgConnection::connect_with(&self.options("postgres")).await?;
        let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = 'atlas')")
            .fetch_one(&mut connection)
            .await?;
        if !exists {
            sqlx::query("create database atlas").execute(&mut connection).await.context("creating the database")?;
        }
        connection.close().await.context("closing a connection")
    }
}

/// Makes the cluster beside its place and renames it there when it is whole: what has the final name is complete.
async fn make(folder: &Folder, binaries: &Binaries, account: &Account) -> Result<()> {
    folder.clear_half_made()?;
    // Sorting by bytes, which in UTF-8 is by code point: no upgrade of the system's collations can break an index.
    let locale = if cfg!(target_os = "linux") { "C.UTF-8" } else { "C" };
    let output = account
        .command(&binaries.initdb())
        .arg("--pgdata")
        .arg(folder.half_made())
        .args(["--username", OWNER, "--encoding", "UTF8", "--locale", locale, "--lc-collate", "C", "--data-checksums"])
        .args(["--auth-local", "trust", "--auth-host", "reject", "--no-instructions"])
        .output()
        .await
        .context("running initdb")?;
    if !output.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    folder.finish_making()
}
