//! `pgbench`, PostgreSQL's own measure, on the cluster that Atlas runs on.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use crate::figures::Rate;
use crate::stand::{OWNER, Stand};

const DATABASE: &str = "tpcb";
const CLIENTS: &str = "16";
/// With fewer branches than clients they would wait for each other's rows.
const SCALE: &str = "16";

pub struct Tpcb {
    program: PathBuf,
    socket: PathBuf,
}

impl Tpcb {
    /// Makes a database for it, and fills it.
    pub async fn prepare(stand: &Stand) -> Result<Self> {
        let tpcb = Self { program: find()?, socket: stand.socket.clone() };
        sqlx::query("drop database if exists tpcb").execute(&stand.owner).await?;
        sqlx::query("create database tpcb").execute(&stand.owner).await?;
        tpcb.pgbench(&["-i", "-q", "-s", SCALE]).await?;
        Ok(tpcb)
    }

    /// Transactions per second.
    pub async fn run(&self, seconds: u64) -> Result<Rate> {
        let said = self.pgbench(&["-c", CLIENTS, "-j", "2", "-T", &seconds.to_string()]).await?;
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next());
        rate.and_then(Rate::parse).with_context(|| format!("pgbench says no rate: {said}"))
    }

    async fn pgbench(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.arg("-h").arg(&self.socket).args(["-U", OWNER]).args(arguments).arg(DATABASE);
        let output = command.output().await.context("running pgbench")?;
        if !output.status.success() {
            bail!("pgbench: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The newest of Debian's, or the one on the path.
pub fn find() -> Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin/pgbench"))))
        .filter(|(_, program)| program.is_file())
        .collect();
    found.sort();
    if let Some((_, program)) = found.pop() {
        return Ok(program);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = std::env::split_paths(&path).map(|folder| folder.join("pgbench")).find(|program| program.is_file());
    program.context("no pgbench found; it comes with PostgreSQL")
}

/// The version of PostgreSQL whose `pgbench` it is.
pub async fn version() -> Result<String> {
    let program: &Path = &find()?;
    let output = Command::new(program).arg("--version").output().await?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
