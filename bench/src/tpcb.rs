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

    /// Runs a script of ours in Atlas' own database: how often a second, and how often in all.
    pub async fn run_script(&self, stand: &Stand, script: &str, seconds: u64) -> Result<(Rate, i64)> {
        let file = stand.folder().join("script.sql");
        std::fs::write(&file, script)?;
        let file = file.to_str().context("a folder's name is no text")?;
        let seconds = seconds.to_string();
        let arguments = ["-n", "-M", "prepared", "-c", CLIENTS, "-j", "2", "-T", &seconds, "-f", file];
        let said = self.pgbench_in("atlas", &arguments).await?;
        let value = |name: &str| Some(said.lines().find_map(|line| line.strip_prefix(name))?.trim().to_owned());
        let rate = value("tps = ").and_then(|rate| Rate::parse(rate.split_whitespace().next()?));
        let count = value("number of transactions actually processed: ").and_then(|count| count.parse().ok());
        rate.zip(count).with_context(|| format!("pgbench says no rate: {said}"))
    }

    async fn pgbench(&self, arguments: &[&str]) -> Result<String> {
        self.pgbench_in(DATABASE, arguments).await
    }

    async fn pgbench_in(&self, database: &str, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.arg("-h").arg(&self.socket).args(["-U", OWNER]).args(arguments).arg(database);
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
