//! What is measured, started as an operator would start it: the release program with a private PostgreSQL of its own
//! (durable, on a Unix socket), a sandbox in Whop's place, and the reference server. All of it in a temporary folder.

mod program;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::process::Command;

use self::program::Program;

pub const COMPANY: &str = "biz_Bench0001";
/// Superuser of the private cluster.
pub const OWNER: &str = "atlas";

pub struct Stand {
    folder: PathBuf,
    programs: Programs,
    sandbox: Program,
    atlas: Program,
    reference: Program,
    /// As the cluster's superuser.
    pub owner: PgPool,
    /// Where PostgreSQL's socket is.
    pub socket: PathBuf,
    pub webhook_secret: String,
}

/// The programs that were built.
pub struct Programs {
    pub atlas: PathBuf,
    pub sandbox: PathBuf,
    pub site: PathBuf,
}

impl Stand {
    pub async fn start(programs: Programs) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("atlas-bench-{}", atlas::ids::fresh().simple()));
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let webhook_secret = format!("ws_{}{}", atlas::ids::fresh().simple(), atlas::ids::fresh().simple());
        let mut command = bare(&programs.sandbox);
        command.env("SANDBOX_LISTEN", "127.0.0.1:0").env("WHOP_API_KEY", API_KEY).env("WHOP_COMPANY_ID", COMPANY);
        let sandbox = Program::start("sandbox", command, &folder).await?;
        let mut command = atlas_command(&programs, &folder, sandbox.address, &webhook_secret);
        command.arg("serve");
        let atlas = Program::start("atlas", command, &folder).await?;
        seed(&programs, &folder, sandbox.address, &webhook_secret).await?;
        let socket = socket_folder(&folder)?;
        let owner = PgConnectOptions::new_without_pgpass().socket(&socket).username(OWNER).database("atlas");
        let owner = PgPoolOptions::new().max_connections(2).connect_with(owner).await?;
        let mut command = bare(&std::env::current_exe()?);
        command.args(["reference", "--socket"]).arg(&socket);
        let reference = Program::start("reference", command, &folder).await?;
        Ok(Self { folder, programs, sandbox, atlas, reference, owner, socket, webhook_secret })
    }

    /// Where Atlas listens.
    pub const fn atlas(&self) -> SocketAddr {
        self.atlas.address
    }

    /// Atlas' process id, for a profiler.
    pub fn atlas_process(&self) -> Option<u32> {
        self.atlas.id()
    }

    /// The process id of the private cluster's postmaster.
    pub fn postmaster_process(&self) -> Result<u32> {
        postmaster_note(&self.folder, 0)?.parse().context("PostgreSQL does not say which process it is")
    }

    /// Where the reference listens.
    pub const fn reference(&self) -> SocketAddr {
        self.reference.address
    }

    /// Where its files are, until it stops.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs one of Atlas' own commands on the same database; its output.
    pub async fn run_atlas(&self, arguments: &[&str]) -> Result<String> {
        let mut command = atlas_command(&self.programs, &self.folder, self.sandbox.address, &self.webhook_secret);
        output(command.args(arguments)).await
    }

    /// A setting of the cluster.
    pub async fn setting(&self, name: &str) -> Result<String> {
        Ok(sqlx::query_scalar("select current_setting($1)").bind(name).fetch_one(&self.owner).await?)
    }

    /// Ends everything, Atlas' PostgreSQL with it, and clears the folder away.
    pub async fn stop(self) -> Result<()> {
        self.owner.close().await;
        self.reference.stop().await?;
        self.atlas.stop().await?;
        self.sandbox.stop().await?;
        std::fs::remove_dir_all(&self.folder).context("clearing the folder away")
    }
}

const API_KEY: &str = "apik_bench_0123456789abcdef";

/// A program with none of our environment: nobody's real keys or database come into this.
fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

fn atlas_command(programs: &Programs, folder: &Path, sandbox: SocketAddr, webhook_secret: &str) -> Command {
    let mut command = bare(&programs.atlas);
    command.env("ATLAS_DATA_DIR", folder.join("data")).env("ATLAS_LISTEN", "127.0.0.1:0");
    // So that one machine can stand for many.
    command.env("ATLAS_TRUSTED_PROXIES", "127.0.0.1").env("ATLAS_SPENDS_PER_SECOND", "1000000");
    command.env("ATLAS_SITE_DIR", &programs.site).env("ATLAS_REQUIRE_SECOND_FACTOR", "off");
    command.env("WHOP_API_KEY", API_KEY).env("WHOP_COMPANY_ID", COMPANY).env("WHOP_WEBHOOK_SECRET", webhook_secret);
    command.env("WHOP_API_URL", format!("http://{sandbox}/api/v1")).env("WHOP_WEB_URL", format!("http://{sandbox}"));
    command
}

/// The demo's plans and people.
async fn seed(programs: &Programs, folder: &Path, sandbox: SocketAddr, webhook_secret: &str) -> Result<()> {
    let mut command = atlas_command(programs, folder, sandbox, webhook_secret);
    output(command.arg("seed-demo")).await?;
    Ok(())
}

async fn output(command: &mut Command) -> Result<String> {
    let output = command.output().await?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("atlas: {said}{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(said)
}

/// The private cluster's socket.
fn socket_folder(folder: &Path) -> Result<PathBuf> {
    postmaster_note(folder, 4).map(PathBuf::from)
}

/// A line of the private cluster's own note: the first is its process, the fifth its socket (PostgreSQL's miscadmin.h).
fn postmaster_note(folder: &Path, line: usize) -> Result<String> {
    let note = folder.join("data/postgres/data/postmaster.pid");
    let text = std::fs::read_to_string(&note).with_context(|| format!("reading {}", note.display()))?;
    text.lines().nth(line).map(ToOwned::to_owned).with_context(|| format!("{} is too short", note.display()))
}
