//! What can be said without asking anybody: the configuration, the folder, the address, the keys.

use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::check::Check;
use crate::config::Config;
use crate::encryption;

const FREE_BYTES_MIN: u64 = 100 << 20;
const FREE_BYTES_NOTED: u64 = 1 << 30;

pub fn checks(config: &Config) -> Vec<Check> {
    let mut checks = configuration(config);
    checks.push(public_url(config));
    checks.push(encryption_keys(config));
    checks.push(data_folder(config));
    checks.push(disk_space(config));
    checks
}

/// What `atlas serve` would refuse, one by one. What may still be missing is looked at with Whop.
fn configuration(config: &Config) -> Vec<Check> {
    const SUBJECT: &str = "Configuration";
    let wrong = config.wrong();
    if wrong.is_empty() {
        return vec![Check::good(SUBJECT, "all that is set fits together")];
    }
    let mend =
        "Mend it in the environment (docs/operate.md, 4; atlas --help lists the variables) and start Atlas again.";
    wrong.into_iter().map(|problem| Check::bad(SUBJECT, problem, mend)).collect()
}

fn public_url(config: &Config) -> Check {
    const SUBJECT: &str = "Public address";
    let url = config.public_url(config.listen);
    if url.starts_with("https://") {
        return Check::good(SUBJECT, url);
    }
    Check::warning(
        SUBJECT,
        format!("{url} is reached from this machine only, and Whop delivers no webhooks to it"),
        "Set ATLAS_PUBLIC_URL to the https address that people type.",
    )
}

fn encryption_keys(config: &Config) -> Check {
    const SUBJECT: &str = "Encryption keys";
    match encryption::vault_of_command(config) {
        Ok(vault) if vault.has_keys() => Check::good(SUBJECT, "they can be read"),
        Ok(_) if config.database_url().is_some() => {
            Check::bad(SUBJECT, "there are none", "Set ATLAS_ENCRYPTION_KEYS=2026-11:$(openssl rand -base64 32).")
        }
        Ok(_) => Check::good(SUBJECT, "atlas serve makes one at its first start"),
        Err(error) => Check::bad(
            SUBJECT,
            format!("{error:#}"),
            "Put the keys back that sealed what is stored: ATLAS_ENCRYPTION_KEYS, or encryption-keys in the data folder.",
        ),
    }
}

fn data_folder(config: &Config) -> Check {
    const SUBJECT: &str = "Data folder";
    if config.database_url().is_some() {
        return Check::skipped(SUBJECT, "DATABASE_URL is set, so nothing is kept there");
    }
    let (folder, shown) = (existing(&config.data_dir), config.data_dir.display());
    let mend = "Set ATLAS_DATA_DIR to a folder that belongs to the user who runs Atlas.";
    if !folder.is_dir() {
        return Check::bad(SUBJECT, format!("{shown}: {} is no folder", folder.display()), mend);
    }
    match access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Check::good(SUBJECT, format!("{shown} can be written")),
        Err(error) => Check::bad(SUBJECT, format!("{shown} can’t be written: {error}"), mend),
    }
}

fn disk_space(config: &Config) -> Check {
    const SUBJECT: &str = "Disk space";
    if config.database_url().is_some() {
        return Check::skipped(SUBJECT, "DATABASE_URL is set, so nothing is kept here");
    }
    match statvfs(existing(&config.data_dir)) {
        Ok(disk) => room(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => Check::skipped(SUBJECT, format!("the file system does not say: {error}")),
    }
}

fn room(free_bytes: u64) -> Check {
    const SUBJECT: &str = "Disk space";
    let found = format!("{} MiB are free", free_bytes >> 20);
    let mend = "Make room, or move ATLAS_DATA_DIR: with a full disk nothing can be booked.";
    match free_bytes {
        ..FREE_BYTES_MIN => Check::bad(SUBJECT, found, mend),
        FREE_BYTES_MIN..FREE_BYTES_NOTED => Check::warning(SUBJECT, found, mend),
        _ => Check::good(SUBJECT, found),
    }
}

/// The folder itself, or the nearest one above it that is there.
fn existing(folder: &Path) -> &Path {
    let named = folder.ancestors().filter(|one| !one.as_os_str().is_empty());
    named.into_iter().find(|one| one.exists()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;

    #[test]
    fn a_full_disk_is_said_before_it_is_full() {
        assert_eq!(room(50 << 20).verdict, Verdict::Bad);
        assert_eq!(room(500 << 20).verdict, Verdict::Warning);
        assert_eq!(room(50 << 30).verdict, Verdict::Good);
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_judged_by_where_it_would_be() {
        assert_eq!(existing(Path::new("/tmp/surely/not/there")), Path::new("/tmp"));
        assert_eq!(existing(Path::new("not-there")), Path::new("."));
    }
}
