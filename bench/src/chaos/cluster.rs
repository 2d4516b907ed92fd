//! The database of the storm: a primary and a synchronous standby, with data checksums, on Unix sockets in a temporary
//! folder. It can be restarted in the middle of its work, killed, failed over and made whole again.

mod node;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{Connection as _, PgConnection};

use self::node::{Account, Node};

/// The superuser, and the database.
pub const OWNER: &str = "atlas";
/// As `synchronous_standby_names` has it.
const STANDBY: &str = "s1";
const WAIT_MAX: Duration = Duration::from_secs(90);

pub struct Cluster {
    folder: PathBuf,
    account: Account,
    nodes: [Node; 2],
    /// Which of the two takes writes.
    primary: usize,
    /// Whether commits wait for the standby's disk.
    is_synchronous: bool,
}

impl Cluster {
    /// Makes both and waits until they are in step. `folder` has to be short: a socket's path may have 107 bytes.
    pub async fn make(folder: &Path, is_synchronous: bool) -> Result<Self> {
        let account = Account::find(folder)?;
        let nodes = ["a", "b"].map(|name| Node::new(folder, name));
        let cluster = Self { folder: folder.to_owned(), account, nodes, primary: 0, is_synchronous };
        cluster.nodes[0].initdb(&cluster.account).await?;
        cluster.nodes[0].start(&cluster.account).await?;
        cluster.wait_for_primary().await?;
        sqlx::query("create database atlas").execute(&mut cluster.connect("postgres").await?).await?;
        cluster.add_standby().await?;
        Ok(cluster)
    }

    /// The socket of the one that takes writes.
    pub fn primary_socket(&self) -> PathBuf {
        self.nodes[self.primary].socket()
    }

    /// A pool of its superuser, past every proxy.
    pub fn owner(&self) -> PgPool {
        PgPoolOptions::new()
            .max_connections(3)
            .acquire_timeout(Duration::from_secs(5))
            .connect_lazy_with(self.options("atlas"))
    }

    /// As a crash of the server would: no checkpoint, recovery at start.
    pub async fn restart_immediately(&self) -> Result<()> {
        self.nodes[self.primary].restart_immediately(&self.account).await
    }

    /// Ends every connection of the application.
    pub async fn terminate_all(&self) -> Result<i64> {
        let mut owner = self.connect("postgres").await?;
        Ok(sqlx::query_scalar(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity
            where backend_type = 'client backend' and pid <> pg_backend_pid() and datname = 'atlas'",
        )
        .fetch_one(&mut owner)
        .await?)
    }

    /// Keeps the standby from hearing more.
    pub async fn deafen_standby(&self) -> Result<()> {
        let options = self.options("postgres").socket(self.nodes[1 - self.primary].run());
        let mut standby = PgConnection::connect_with(&options).await?;
        sqlx::query("alter system set primary_conninfo = ''").execute(&mut standby).await?;
        sqlx::query("select pg_reload_conf()").execute(&mut standby).await?;
        Ok(())
    }

    /// The primary dies, all its processes with it; the standby takes over. Call [`Self::heal`] afterwards: until then
    /// there is no second copy, and commits do not wait for one.
    pub async fn fail_over(&mut self) -> Result<()> {
        self.nodes[self.primary].kill().await?;
        self.primary = 1 - self.primary;
        self.nodes[self.primary].promote(&self.account).await?;
        self.wait_for_standby_at_commit(false).await?;
        self.wait_for_primary().await
    }

    /// Makes the dead one anew, as the standby.
    pub async fn heal(&self) -> Result<()> {
        self.nodes[1 - self.primary].clear()?;
        self.add_standby().await
    }

    async fn add_standby(&self) -> Result<()> {
        let (primary, standby) = (&self.nodes[self.primary], &self.nodes[1 - self.primary]);
        standby.copy_from(primary, STANDBY, &self.account).await?;
        standby.start(&self.account).await?;
        self.wait_for_standby_at_commit(self.is_synchronous).await?;
        self.wait_until_in_step().await
    }

    /// With `wait`, a commit is answered only when the standby has it on its disk, too.
    async fn wait_for_standby_at_commit(&self, wait: bool) -> Result<()> {
        let mut owner = self.connect("postgres").await?;
        let alter = if wait {
            "alter system set synchronous_standby_names = 's1'"
        } else {
            "alter system set synchronous_standby_names = ''"
        };
        sqlx::query(alter).execute(&mut owner).await?;
        sqlx::query("select pg_reload_conf()").execute(&mut owner).await?;
        Ok(())
    }

    /// Until the standby has everything that was committed so far, and is waited for if it should be.
    pub async fn wait_until_in_step(&self) -> Result<()> {
        let began = Instant::now();
        loop {
            if let Ok(true) = self.is_in_step().await {
                return Ok(());
            }
            if began.elapsed() > WAIT_MAX {
                bail!("the standby does not catch up; see {}", self.folder.display());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn is_in_step(&self) -> Result<bool> {
        let mut owner = self.connect("postgres").await?;
        let state: Option<(bool, bool)> = sqlx::query_as(
            "select state = 'streaming' and coalesce(flush_lsn >= pg_current_wal_flush_lsn() - 65536, false),
                sync_state = 'sync'
            from pg_stat_replication where application_name = $1",
        )
        .bind(STANDBY)
        .fetch_optional(&mut owner)
        .await?;
        Ok(state.is_some_and(|(is_near, is_waited_for)| is_near && is_waited_for == self.is_synchronous))
    }

    async fn wait_for_primary(&self) -> Result<()> {
        let began = Instant::now();
        loop {
            let error = match self.writable().await {
                Ok(true) => return Ok(()),
                Ok(false) => anyhow::anyhow!("it only reads"),
                Err(error) => error,
            };
            if began.elapsed() > WAIT_MAX {
                return Err(error).context("the primary does not come up");
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    async fn writable(&self) -> Result<bool> {
        let mut owner = self.connect("postgres").await?;
        let is_standby: bool = sqlx::query_scalar("select pg_is_in_recovery()").fetch_one(&mut owner).await?;
        Ok(!is_standby)
    }

    async fn connect(&self, database: &str) -> Result<PgConnection> {
        Ok(PgConnection::connect_with(&self.options(database)).await?)
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(self.nodes[self.primary].run())
            .username(OWNER)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
    }

    /// Every finished piece of the log is copied there.
    pub async fn archive_to(&self, folder: &Path) -> Result<()> {
        self.account.make_folder(folder)?;
        let mut owner = self.connect("postgres").await?;
        // The folder's name is our own and has no quotes; ALTER SYSTEM takes no parameters.
        let alter = format!("alter system set archive_command = 'cp %p {}/%f'", folder.display());
        sqlx::raw_sql(sqlx::AssertSqlSafe(alter)).execute(&mut owner).await?;
        sqlx::query("select pg_reload_conf()").execute(&mut owner).await?;
        Ok(())
    }

    pub async fn back_up(&self, to: &Path) -> Result<()> {
        self.nodes[self.primary].back_up(to, &self.account).await
    }

    /// The database's clock.
    pub async fn now(&self) -> Result<String> {
        let mut owner = self.connect("postgres").await?;
        Ok(sqlx::query_scalar("select clock_timestamp()::text").fetch_one(&mut owner).await?)
    }

    /// Until all of the log so far is archived.
    pub async fn finish_archive(&self) -> Result<()> {
        let mut owner = self.connect("postgres").await?;
        let last: String = sqlx::query_scalar("select pg_walfile_name(pg_switch_wal())").fetch_one(&mut owner).await?;
        let began = Instant::now();
        loop {
            let archived: Option<String> =
                sqlx::query_scalar("select last_archived_wal from pg_stat_archiver").fetch_one(&mut owner).await?;
            if archived.is_some_and(|archived| archived >= last) {
                return Ok(());
            }
            if began.elapsed() > WAIT_MAX {
                bail!("the log is not archived");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Both servers die, and their disks with them.
    pub async fn lose_everything(&self) -> Result<()> {
        for node in &self.nodes {
            node.kill().await?;
            node.clear()?;
        }
        Ok(())
    }

    /// A new primary from a base backup and the archive, as it was at `moment`.
    pub async fn restore(&mut self, backup: &Path, archive: &Path, moment: &str) -> Result<()> {
        self.primary = 0;
        self.nodes[0].restore(backup, archive, moment, &self.account)?;
        self.nodes[0].start(&self.account).await?;
        self.wait_for_primary().await
    }

    /// The folder of the primary's socket, for PostgreSQL's own tools.
    pub fn socket_folder(&self) -> PathBuf {
        self.nodes[self.primary].run()
    }

    pub async fn stop(&self) -> Result<()> {
        for node in [1 - self.primary, self.primary] {
            self.nodes[node].stop(&self.account).await?;
        }
        Ok(())
    }
}

/// Whatever goes wrong, no server stays behind.
impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &self.nodes {
            node.kill_now();
        }
    }
}

/// Where the server's own tools are.
pub fn binaries() -> Result<PathBuf> {
    let pgbench = crate::tpcb::find()?;
    pgbench.parent().map(Path::to_path_buf).context("PostgreSQL has no folder")
}
