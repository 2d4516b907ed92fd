//! The server process of the private cluster: starting it, finding it again, stopping it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::account::Account;
use super::binaries::Binaries;
use super::folder::{Folder, PORT};

/// As much of the server's log as helps to see why it did not start.
const LOG_LINES_SHOWN: usize = 8;
const LOG_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Whether a server runs on this folder. Only its keeper may ask: a stale note of a dead server is cleared away.
pub fn is_running(folder: &Folder) -> Result<bool> {
    let note = folder.data().join("postmaster.pid");
    let Some(pid) = first_number(&note) else { return Ok(false) };
    if is_server_of(pid, folder) {
        return Ok(true);
    }
    // After a restart of the machine or container the number may belong to anybody, and PostgreSQL refuses to start.
    fs::remove_file(&note).context("clearing the note of a dead server")?;
    Ok(false)
}

/// Whether that process is a database server that works in our folder.
fn is_server_of(pid: i32, folder: &Folder) -> bool {
    if !cfg!(target_os = "linux") {
        let pid = rustix::process::Pid::from_raw(pid);
        return pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH));
    }
    let process = PathBuf::from(format!("/proc/{pid}"));
    match fs::read_link(process.join("cwd")) {
        Ok(works_in) => works_in == folder.data(),
        // Not ours to look at, or dead and not yet collected by its parent: that one has no command line.
        Err(_) => fs::read_to_string(process.join("cmdline")).is_ok_and(|line| line.contains("postgres")),
    }
}

/// Where the running server's socket is, by its own note; None: it does not say.
pub fn socket_folder(folder: &Folder) -> Option<PathBuf> {
    let note = fs::read_to_string(folder.data().join("postmaster.pid")).ok()?;
    // PostgreSQL's miscadmin.h: pid, data folder, start time, port, socket folder, …
    note.lines().nth(4).filter(|line| !line.is_empty()).map(PathBuf::from)
}

pub async fn start(folder: &Folder, binaries: &Binaries, account: &Account) -> Result<()> {
    if fs::metadata(folder.log()).is_ok_and(|log| log.len() > LOG_BYTES_MAX) {
        fs::OpenOptions::new().write(true).truncate(true).open(folder.log())?;
    }
    let output = account
        .command(&binaries.pg_ctl())
        .args(["start", "--wait", "--timeout", "60", "--silent", "--pgdata"])
        .arg(folder.data())
        .arg("--log")
        .arg(folder.log())
        .arg("--options")
        .arg(settings(folder))
        .output()
        .await
        .context("running pg_ctl")?;
    if !output.status.success() {
        let log = fs::read_to_string(folder.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n");
        bail!(
            "the private PostgreSQL did not start: {}\n{last}\n(all of it: {})",
            String::from_utf8_lossy(&output.stderr).trim(),
            folder.log().display()
        );
    }
    Ok(())
}

/// Waits for running transactions to be rolled back, and for a clean end on disk.
pub async fn stop(folder: &Folder, binaries: &Binaries, account: &Account) -> Result<()> {
    let output = account
        .command(&binaries.pg_ctl())
        .args(["stop", "--mode", "fast", "--wait", "--timeout", "30", "--silent", "--pgdata"])
        .arg(folder.data())
        .output()
        .await
        .context("running pg_ctl")?;
    if !output.status.success() {
        bail!("the private PostgreSQL did not stop: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Options of the server, for the shell that `pg_ctl` hands them to.
fn settings(folder: &Folder) -> String {
    let socket = folder.socket();
    let settings = [
        ("listen_addresses", ""),
        ("port", &PORT.to_string()),
        ("unix_socket_directories", &quoted_list_item(&socket.to_string_lossy())),
        ("unix_socket_permissions", "0700"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_checkpoints", "off"),
        ("max_connections", "60"),
    ];
    let options: Vec<String> =
        settings.iter().map(|(name, value)| format!("-c {}", quoted_word(&format!("{name}={value}")))).collect();
    options.join(" ")
}

/// `unix_socket_directories` is a list: double quotes keep a comma or a space inside one item.
fn quoted_list_item(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn quoted_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn first_number(file: &std::path::Path) -> Option<i32> {
    fs::read_to_string(file).ok()?.lines().next()?.trim().parse().ok().filter(|pid| *pid > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_folder_names_survive_the_shell_and_the_list() {
        assert_eq!(quoted_word("k=it's"), r"'k=it'\''s'");
        assert_eq!(quoted_list_item("/a b,c\"d"), r#""/a b,c""d""#);
    }
}
