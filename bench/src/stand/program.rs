//! One program that was started for a measurement: it has said where it listens, and ends with us.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const START_TIMEOUT: Duration = Duration::from_mins(1);
const STOP_TIMEOUT: Duration = Duration::from_secs(40);

pub struct Program {
    name: &'static str,
    child: Child,
    pub address: SocketAddr,
}

impl Program {
    /// Starts it and waits for its line "… listening on http://…". What it logs goes to a file in `logs`.
    pub async fn start(name: &'static str, mut command: Command, logs: &Path) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let child = command.spawn().with_context(|| format!("starting {name}"))?;
        let mut program = Self { name, child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let Some(said) = program.child.stdout.take() else { bail!("{name} has no output") };
        let mut said = BufReader::new(said).lines();
        let line = tokio::time::timeout(START_TIMEOUT, said.next_line()).await;
        let address = match line {
            Ok(Ok(Some(line))) => line.split_once("listening on http://").and_then(|(_, rest)| rest.parse().ok()),
            _ => None,
        };
        let Some(address) = address else {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            bail!("{name} did not start:\n{log}");
        };
        program.address = address;
        Ok(program)
    }

    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(mut self) -> Result<()> {
        self.ask_to_end();
        let ended = tokio::time::timeout(STOP_TIMEOUT, self.child.wait()).await;
        ended.with_context(|| format!("{} does not stop", self.name))??;
        Ok(())
    }

    fn ask_to_end(&self) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It fails only when the program has ended already.
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}

/// Whatever goes wrong in between, nothing stays behind.
impl Drop for Program {
    fn drop(&mut self) {
        self.ask_to_end();
    }
}
