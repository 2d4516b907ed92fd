//! Where the vault's keys come from: the environment, or, beside a private PostgreSQL, a file that is made once.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use atlas::vault::Vault;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::Config;

const NAME: &str = "ATLAS_ENCRYPTION_KEYS";
/// The id of the key that is made here. Whoever rotates gives the next one another.
const FIRST_KEY_ID: &str = "first";

/// What keeps the vault from opening, as far as the configuration says.
pub fn problem(config: &Config) -> Option<String> {
    match config.encryption_keys() {
        Some(keys) => Vault::parse(keys).err().map(|bad| format!("{NAME} {bad}")),
        None if config.database_url().is_some() => {
            Some(format!("{NAME} is missing (it is made only for a private PostgreSQL)"))
        }
        None => None,
    }
}

/// The vault of a server; beside a private PostgreSQL its key is made at the first start.
pub fn vault(config: &Config) -> Result<Vault> {
    match config.encryption_keys() {
        Some(keys) => Vault::parse(keys).context(NAME),
        None => from_file(&file(config), || make(&file(config))),
    }
}

/// The vault of a command: without keys where none were made yet, or none are given for a database of the operator's.
pub fn vault_of_command(config: &Config) -> Result<Vault> {
    match config.encryption_keys() {
        Some(keys) => Vault::parse(keys).context(NAME),
        None if config.database_url().is_some() || !file(config).exists() => Ok(Vault::without_keys()),
        None => from_file(&file(config), || Ok(())),
    }
}

fn file(config: &Config) -> PathBuf {
    config.data_dir.join("encryption-keys")
}

fn from_file(file: &Path, make_missing: impl FnOnce() -> Result<()>) -> Result<Vault> {
    if !file.exists() {
        make_missing()?;
    }
    let keys = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    Vault::parse(&SecretString::from(keys.trim())).with_context(|| file.display().to_string())
}

/// Written beside and renamed, so that a file of this name is whole; on disk before anything is sealed with it.
fn make(file: &Path) -> Result<()> {
    let beside = file.with_extension("new");
    let written = || {
        let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        writeln!(out, "{}", Vault::fresh_key(FIRST_KEY_ID).expose_secret())?;
        out.sync_all()?;
        fs::rename(&beside, file)?;
        file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    written().with_context(|| format!("making {}", file.display()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = std::env::temp_dir().join(format!("atlas-keys-{}", atlas::ids::fresh().simple()));
        fs::create_dir(&folder).unwrap();
        let file = folder.join("encryption-keys");
        let first = format!("{:?}", from_file(&file, || make(&file)).unwrap());
        let written = fs::read_to_string(&file).unwrap();
        from_file(&file, || panic!("made again")).unwrap();
        assert_eq!((first.as_str(), written.len()), (r#"["first"]"#, "first:".len() + 44 + 1));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&file, "first:broken").unwrap();
        let said = format!("{:#}", from_file(&file, || Ok(())).unwrap_err());
        assert!(said.contains("32 bytes") && !said.contains("broken"), "{said}");
        fs::remove_dir_all(folder).unwrap();
    }
}
