//! One PostgreSQL server of the storm.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::process::Command;

use super::{OWNER, binaries};

const SETTINGS: &str = "
listen_addresses = ''
max_connections = 60
shared_buffers = 192MB
max_wal_size = 2GB
wal_keep_size = 512MB
wal_retrieve_retry_interval = 100ms
wal_receiver_timeout = 10s
wal_sender_timeout = 10s
hot_standby = on
archive_mode = on
archive_command = '/bin/true'
log_min_messages = warning
";
const DEATH_MAX: Duration = Duration::from_secs(10);

/// Who runs it: PostgreSQL refuses to run as root.
pub struct Account {
    user: Option<(u32, u32)>,
    binaries: PathBuf,
}

impl Account {
    pub fn find(folder: &Path) -> Result<Self> {
        let binaries = binaries()?;
        if !rustix::process::getuid().is_root() {
            return Ok(Self { user: None, binaries });
        }
        let users = fs::read_to_string("/etc/passwd")?;
        let user = ["postgres", "nobody"].into_iter().find_map(|name| {
            let fields =
                users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name)?;
            Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
        });
        let (uid, gid) = user.context("PostgreSQL refuses to run as root, and there is no user postgres or nobody")?;
        chown(folder, Some(uid), Some(gid))?;
        Ok(Self { user: Some((uid, gid)), binaries })
    }

    /// A folder that belongs to it.
    pub fn make_folder(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        if let Some((uid, gid)) = self.user {
            chown(folder, Some(uid), Some(gid))?;
        }
        Ok(())
    }

    async fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(self.binaries.join(program));
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").env("PATH", "/usr/bin:/bin").current_dir("/");
        command.args(arguments).process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let output = command.output().await.with_context(|| format!("running {program}"))?;
        if !output.status.success() {
            bail!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }
}

pub struct Node {
    root: PathBuf,
}

impl Node {
    pub fn new(folder: &Path, name: &str) -> Self {
        Self { root: folder.join(name) }
    }

    /// The folder of the socket.
    pub fn run(&self) -> PathBuf {
        self.root.clone()
    }

    pub fn socket(&self) -> PathBuf {
        self.root.join(".s.PGSQL.5432")
    }

    fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub async fn initdb(&self, account: &Account) -> Result<()> {
        account.make_folder(&self.root)?;
        let data = self.data();
        let to =
            ["-D", text(&data)?, "-U", OWNER, "-E", "UTF8", "--locale", "C.UTF-8", "--data-checksums", "-A", "trust"];
        account.run("initdb", &to).await?;
        let file = data.join("postgresql.conf");
        let settings = fs::read_to_string(&file)? + SETTINGS;
        fs::write(&file, settings)?;
        Ok(())
    }

    pub async fn start(&self, account: &Account) -> Result<()> {
        let (data, log) = (self.data(), self.root.join("log"));
        let options = format!("-c unix_socket_directories={}", self.root.display());
        let to = ["start", "-w", "-t", "60", "-s", "-D", text(&data)?, "-l", text(&log)?, "-o", &options];
        account.run("pg_ctl", &to).await
    }

    pub async fn restart_immediately(&self, account: &Account) -> Result<()> {
        let (data, log) = (self.data(), self.root.join("log"));
        let to = ["restart", "-m", "immediate", "-w", "-t", "60", "-s", "-D", text(&data)?, "-l", text(&log)?];
        account.run("pg_ctl", &to).await
    }

    pub async fn promote(&self, account: &Account) -> Result<()> {
        account.run("pg_ctl", &["promote", "-w", "-t", "60", "-s", "-D", text(&self.data())?]).await
    }

    pub async fn stop(&self, account: &Account) -> Result<()> {
        if self.postmaster().is_none() {
            return Ok(());
        }
        account.run("pg_ctl", &["stop", "-m", "fast", "-w", "-t", "60", "-s", "-D", text(&self.data())?]).await
    }

    /// Becomes a copy of `primary` that follows it under the name `standby`.
    pub async fn copy_from(&self, primary: &Self, standby: &str, account: &Account) -> Result<()> {
        account.make_folder(&self.root)?;
        let (data, from) =
            (self.data(), format!("host={} user={OWNER} application_name={standby}", primary.root.display()));
        let to = ["-d", &from, "-D", text(&data)?, "-R", "-X", "stream", "-c", "fast"];
        account.run("pg_basebackup", &to).await
    }

    /// A copy of its files, for [`Self::restore`].
    pub async fn back_up(&self, to: &Path, account: &Account) -> Result<()> {
        let from = format!("host={} user={OWNER}", self.root.display());
        account.run("pg_basebackup", &["-d", &from, "-D", text(to)?, "-X", "none", "-c", "fast"]).await
    }

    /// Puts a backup in its place, to be brought to `moment` by the archive at the next start.
    pub fn restore(&self, backup: &Path, archive: &Path, moment: &str, account: &Account) -> Result<()> {
        account.make_folder(&self.root)?;
        let data = self.data();
        fs::rename(backup, &data).context("putting the backup in its place")?;
        let file = data.join("postgresql.auto.conf");
        let settings = fs::read_to_string(&file)?
            + &format!(
                "restore_command = 'cp {}/%f %p'\nrecovery_target_time = '{moment}'\nrecovery_target_action = 'promote'\n\
                synchronous_standby_names = ''\narchive_command = '/bin/true'\n",
                archive.display()
            );
        fs::write(&file, settings)?;
        fs::write(data.join("recovery.signal"), "")?;
        Ok(())
    }

    /// What is left of a dead server goes away.
    pub fn clear(&self) -> Result<()> {
        if self.postmaster().is_some() {
            bail!("{} still runs", self.root.display());
        }
        fs::remove_dir_all(&self.root).with_context(|| format!("clearing {}", self.root.display()))
    }

    /// Kills the server with all its processes, and waits until they are gone.
    pub async fn kill(&self) -> Result<()> {
        let family = self.kill_now();
        let began = Instant::now();
        while family.iter().any(|pid| is_alive(*pid)) {
            if began.elapsed() > DEATH_MAX {
                bail!("{} does not die", self.root.display());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// The parent first, so that it cannot start others.
    pub fn kill_now(&self) -> Vec<Pid> {
        let Some(postmaster) = self.postmaster() else { return Vec::new() };
        let mut family = vec![postmaster];
        family.extend(children(postmaster));
        for pid in &family {
            let _ = kill_process(*pid, Signal::KILL);
        }
        family
    }

    fn postmaster(&self) -> Option<Pid> {
        let note = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let pid = Pid::from_raw(note.lines().next()?.trim().parse().ok()?)?;
        // The note outlives a server that was killed, and its number may belong to another process by now.
        (is_alive(pid) && command_line(pid).contains(self.root.to_str()?)).then_some(pid)
    }
}

fn is_alive(pid: Pid) -> bool {
    let is_dead = |line: &str| line.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'));
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    test_kill_process(pid).is_ok() && state.is_ok_and(|line| !is_dead(&line))
}

fn command_line(pid: Pid) -> String {
    fs::read_to_string(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default().replace('\0', " ")
}

fn children(parent: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // proc(5): pid (name) state parent …
            let own_parent: i32 = stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()?;
            if own_parent == parent.as_raw_nonzero().get() { Pid::from_raw(pid) } else { None }
        })
        .collect()
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a folder's name is no text")
}
