//! Where Postgres's programs are: those that made the cluster, or the newest for a fresh one.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

#[derive(Debug, Clone)]
pub struct Binaries {
    folder: PathBuf,
    /// The major version, as the file `PG_VERSION` has it: `15`.
    pub major: String,
}

impl Binaries {
    /// `chosen` is the operator's folder; `made_by` the version that the cluster was made by, which no other can open.
    pub fn find(chosen: Option<&Path>, made_by: Option<&str>) -> Result<Self> {
        let folders = match chosen {
            Some(folder) => vec![folder.to_owned()],
            None => candidates(),
        };
        let mut found: Vec<Self> = folders.into_iter().filter_map(Self::at).collect();
        if found.is_empty() {
            let place = chosen.map(|folder| format!(" in {}", folder.display())).unwrap_or_default();
            bail!(
                "no PostgreSQL found{place}: install it (Debian, Ubuntu: apt-get install postgresql), \
                 point ATLAS_PG_BIN at the folder of initdb, or set DATABASE_URL to a server"
            );
        }
        let Some(made_by) = made_by else {
            // Equal versions: the first, as the folders are in order of preference.
            found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major.parse::<u32>().unwrap_or(0)));
            return Ok(found.swap_remove(0));
        };
        let versions: Vec<String> = found.iter().map(|binaries| binaries.major.clone()).collect();
        found.into_iter().find(|binaries| binaries.major == made_by).with_context(|| {
            format!(
                "the private database was made by PostgreSQL {made_by}, but only version {} is installed. Install \
                 {made_by} beside it, or move the data over with pg_dump or pg_upgrade (docs/operate.md)",
                versions.join(", ")
            )
        })
    }

    pub fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub fn pg_ctl(&self) -> PathBuf {
        self.folder.join("pg_ctl")
    }

    fn at(folder: PathBuf) -> Option<Self> {
        let whole = ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).is_file());
        if !whole {
            return None;
        }
        let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
        let major = parse_major(&String::from_utf8(output.stdout).ok()?)?;
        Some(Self { folder, major })
    }
}

/// `postgres (Postgres) 15.14 (Debian …)`, `… 18beta1`: the digits after the name.
fn parse_major(said: &str) -> Option<String> {
    let number = said.split_once("(PostgreSQL) ")?.1;
    let major: String = number.chars().take_while(char::is_ascii_digit).collect();
    (!major.is_empty()).then_some(major)
}

fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt"]
        .iter()
        .filter_map(|place| std::fs::read_dir(place).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders.extend([PathBuf::from("/usr/local/pgsql/bin")]);
    folders
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_major_version_is_read_from_every_form() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n").unwrap(), "15");
        assert_eq!(parse_major("postgres (PostgreSQL) 18beta1").unwrap(), "18");
        assert_eq!(parse_major("something else"), None);
    }

    #[test]
    fn a_cluster_of_another_version_is_refused_in_words() {
        let said = Binaries::find(None, Some("9")).unwrap_err().to_string();
        assert!(said.starts_with("the private database was made by PostgreSQL 9, but only version"), "{said}");
    }

    #[test]
    fn no_postgresql_says_what_to_do() {
        let said = Binaries::find(Some(Path::new("/nowhere")), None).unwrap_err().to_string();
        assert!(said.contains("apt-get install postgresql") && said.contains("/nowhere"), "{said}");
    }
}
