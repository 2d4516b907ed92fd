//! Who runs the database server. Postgres refuses to run as root, so for root it is another user of the machine.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use super::folder::Folder;

/// Linux lets root keep this one right for a child: to pass through folders that the other user may not enter.
const PASS_THROUGH: &str = "+dac_read_search";

#[derive(Debug, Clone)]
pub struct Account {
    /// None: our own.
    other: Option<User>,
    /// The way to the folder is closed to the other user (a clone under /root, say).
    pass_through: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct User {
    uid: u32,
    gid: u32,
}

impl Account {
    /// Ourselves; for root, whoever owns the cluster already, or `postgres`, or `nobody`.
    pub fn for_folder(folder: &Folder) -> Result<Self> {
        let own = rustix::process::getuid().as_raw();
        let owner = folder.owner()?;
        if own != 0 {
            if let Some(owner) = owner.filter(|(uid, _)| *uid != own) {
                bail!(
                    "{} belongs to another user (id {}); run Atlas as that user, or set ATLAS_DATA_DIR to another folder",
                    folder.data().display(),
                    owner.0
                );
            }
            return Ok(Self { other: None, pass_through: false });
        }
        let user = match owner {
            Some((uid, gid)) if uid != 0 => User { uid, gid },
            _ => find_user().context("PostgreSQL refuses to run as root, and there is no user postgres or nobody")?,
        };
        Ok(Self { other: Some(user), pass_through: !user.can_enter(folder.root())? })
    }

    /// User and group that the cluster's files must belong to; None: we are that user.
    pub fn owner(&self) -> Option<(u32, u32)> {
        self.other.map(|user| (user.uid, user.gid))
    }

    /// A program of Postgres's, run as this account: with none of our environment (our secrets are in it), and in a
    /// process group of its own, so that the terminal's Ctrl-C reaches us and not it.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = match self.other {
            Some(user) if self.pass_through => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={}", user.uid)).arg(format!("--regid={}", user.gid)).arg("--clear-groups");
                command.args([format!("--inh-caps={PASS_THROUGH}"), format!("--ambient-caps={PASS_THROUGH}")]);
                command.arg("--").arg(program);
                command
            }
            Some(user) => {
                let mut command = Command::new(program);
                command.uid(user.uid).gid(user.gid);
                command
            }
            None => Command::new(program),
        };
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into());
        command.env_clear().env("PATH", path).env("LC_ALL", "C").env("TZ", "UTC");
        command.current_dir("/").stdin(std::process::Stdio::null()).process_group(0);
        command
    }
}

impl User {
    /// Whether this user may walk to `folder`: through every folder above it.
    fn can_enter(self, folder: &Path) -> Result<bool> {
        for above in folder.ancestors().skip(1) {
            let metadata = above.metadata().with_context(|| format!("looking at {}", above.display()))?;
            let may_pass = if metadata.uid() == self.uid {
                0o100
            } else if metadata.gid() == self.gid {
                0o010
            } else {
                0o001
            };
            if metadata.mode() & may_pass == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn find_user() -> Option<User> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    ["postgres", "nobody"].into_iter().find_map(|name| users.lines().find_map(|line| parse_user(line, name)))
}

/// One line of passwd(5): name:password:uid:gid:…
fn parse_user(line: &str, name: &str) -> Option<User> {
    let mut fields = line.split(':');
    if fields.next()? != name {
        return None;
    }
    Some(User { uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_read_from_its_own_line_only() {
        let line = "postgres:x:104:112:PostgreSQL administrator:/var/lib/postgresql:/bin/bash";
        assert_eq!(parse_user(line, "postgres"), Some(User { uid: 104, gid: 112 }));
        assert_eq!(parse_user(line, "nobody"), None);
        assert_eq!(parse_user("postgres:x:what", "postgres"), None);
    }
}
