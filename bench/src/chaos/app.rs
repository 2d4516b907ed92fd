//! One process of Atlas in the storm: started again however it ended, with its log kept over all its lives.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const START_MAX: Duration = Duration::from_mins(1);
/// A graceful stop has 25 seconds for what is under way, and a little for the rest.
const STOP_MAX: Duration = Duration::from_secs(30);
/// Every process opens what any of them sealed. The key is good for a storm and nothing else.
const ENCRYPTION_KEYS: &str = "storm:hLOeDgK7A5D/m7A3xjO487PDnXb/WzvpjtguabvjOQ0=";

/// What every process of the storm is told.
#[derive(Debug, Clone)]
pub struct Setup {
    pub program: PathBuf,
    pub folder: PathBuf,
    /// The proxy before PostgreSQL.
    pub database: SocketAddr,
    /// The provider's twin.
    pub provider: SocketAddr,
    /// Where mails go.
    pub post: SocketAddr,
    pub api_key: String,
    pub company: String,
    pub secret: String,
    pub secret_before: Option<String>,
}

impl Setup {
    /// A command of Atlas' with nothing of our own environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().args(arguments);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.env("DATABASE_URL", format!("postgres://atlas@{}/atlas?sslmode=disable", self.database));
        command.env("ATLAS_DATA_DIR", self.folder.join("data")).env("ATLAS_SITE_DIR", self.folder.join("site"));
        command.env("ATLAS_TRUSTED_PROXIES", "127.0.0.1").env("ATLAS_SPENDS_PER_SECOND", "1000000");
        command.env("ATLAS_LISTEN", "127.0.0.1:0").env("RUST_LOG", "warn,atlas=info,tower_http=error");
        command.env("ATLAS_ENCRYPTION_KEYS", ENCRYPTION_KEYS);
        command.env("WHOP_API_KEY", &self.api_key).env("WHOP_COMPANY_ID", &self.company);
        command.env("WHOP_WEBHOOK_SECRET", &self.secret);
        if let Some(before) = &self.secret_before {
            command.env("WHOP_WEBHOOK_SECRET_PREVIOUS", before);
            command.env("WHOP_WEBHOOK_SECRET_PREVIOUS_UNTIL", "2100-01-01T00:00:00Z");
        }
        command.env("WHOP_API_URL", format!("http://{}/api/v1", self.provider));
        command.env("WHOP_WEB_URL", format!("http://{}", self.provider));
        command.env("SMTP_URL", format!("smtp://{}", self.post)).env("MAIL_FROM", "Storm <storm@storm.example>");
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs a command of Atlas' to its end; what it said.
    pub async fn run(&self, arguments: &[&str]) -> Result<(bool, String)> {
        let output = self.command(arguments).output().await?;
        let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            said.push_str(&String::from_utf8_lossy(&output.stderr));
        }
        Ok((output.status.success(), said))
    }
}

pub struct App {
    log: PathBuf,
    life: Option<Life>,
    /// How often it was started.
    pub starts: usize,
}

struct Life {
    child: Child,
    address: SocketAddr,
}

impl App {
    pub fn new(folder: &Path, name: &str) -> Self {
        Self { log: folder.join(format!("{name}.log")), life: None, starts: 0 }
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    pub fn address(&self) -> Option<SocketAddr> {
        self.life.as_ref().map(|life| life.address)
    }

    /// Starts it, again and again while the database is away, as a supervisor would.
    pub async fn start(&mut self, setup: &Setup) -> Result<()> {
        let began = Instant::now();
        loop {
            match self.try_start(setup).await {
                Ok(life) => {
                    self.life = Some(life);
                    self.starts += 1;
                    return Ok(());
                }
                Err(error) if began.elapsed() > START_MAX => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    }

    async fn try_start(&self, setup: &Setup) -> Result<Life> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = setup.command(&["serve"]);
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().context("starting atlas")?;
        let mut said = BufReader::new(child.stdout.take().context("atlas has no output")?).lines();
        let line = tokio::time::timeout(START_MAX, said.next_line()).await.context("atlas says nothing")??;
        let line = line.with_context(|| format!("atlas did not start; see {}", self.log.display()))?;
        let address = line.split_once("listening on http://").context("atlas says something else")?.1.parse()?;
        Ok(Life { child, address })
    }

    /// Its end, if it ended although nobody asked it to.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.life.as_mut()?.child.try_wait().ok()?
    }

    pub async fn kill(&mut self) -> Result<()> {
        let Some(mut life) = self.life.take() else { return Ok(()) };
        life.child.kill().await.context("killing atlas")
    }

    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            // It fails only when the process is gone.
            let _ = kill_process(pid, signal);
        }
    }

    /// Asks it to end; how long it took.
    pub async fn stop(&mut self) -> Result<Duration> {
        self.signal(Signal::TERM);
        let Some(mut life) = self.life.take() else { return Ok(Duration::ZERO) };
        let began = Instant::now();
        let Ok(ended) = tokio::time::timeout(STOP_MAX, life.child.wait()).await else {
            bail!("it does not end within {} s of SIGTERM", STOP_MAX.as_secs());
        };
        let status = ended?;
        if !status.success() {
            bail!("after SIGTERM it ended with {status}");
        }
        Ok(began.elapsed())
    }

    /// Resident memory, in kilobytes.
    pub fn memory(&self) -> Option<u64> {
        resident(self.life.as_ref()?.child.id()?)
    }

    fn pid(&self) -> Option<Pid> {
        let id = self.life.as_ref()?.child.id()?;
        Pid::from_raw(i32::try_from(id).ok()?)
    }
}

/// Resident memory of a process, in kilobytes.
pub fn resident(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
