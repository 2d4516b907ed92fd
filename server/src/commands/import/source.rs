//! Where the old system's rows come from: each source gives one table after the other, and each table row by row.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use atlas::legacy::columns::Table;
use sha2::{Digest as _, Sha256};

use super::connection::Connection;
use super::csv::Folder;
use super::dump::Dump;

/// A table that begins.
pub struct Header {
    pub table: Table,
    pub columns: Vec<String>,
}

/// The values of one row, none for NULL.
pub type Row = Vec<Option<Vec<u8>>>;

pub enum Source {
    Folder(Box<Folder>),
    Dump(Dump),
    Connection(Box<Connection>),
}

impl Source {
    pub async fn open(from: &str) -> Result<Self> {
        if from.starts_with("postgres://") || from.starts_with("postgresql://") {
            return Ok(Self::Connection(Box::new(Connection::open(from).await?)));
        }
        let path = Path::new(from);
        let about = std::fs::metadata(path).with_context(|| format!("reading {from}"))?;
        if about.is_dir() {
            return Ok(Self::Folder(Box::new(Folder::open(path)?)));
        }
        Ok(Self::Dump(Dump::open(path)?))
    }

    /// As the operator may read it, without a password.
    pub fn name(&self) -> String {
        match self {
            Self::Folder(folder) => folder.path().display().to_string(),
            Self::Dump(dump) => dump.path().display().to_string(),
            Self::Connection(_) => "the old database".to_owned(),
        }
    }

    /// What tells whether it is still the same. None: only by reading it again.
    pub fn hash(&self) -> Result<Option<[u8; 32]>> {
        let mut hash = Sha256::new();
        match self {
            Self::Folder(folder) => {
                for table in Table::ALL {
                    hash.update(table.name());
                    add(&mut hash, &folder.file(table))?;
                }
            }
            Self::Dump(dump) => add(&mut hash, dump.path())?,
            Self::Connection(_) => return Ok(None),
        }
        Ok(Some(hash.finalize().into()))
    }

    /// How much there is to read, where that is known.
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Self::Folder(folder) => Some(folder.bytes()),
            Self::Dump(dump) => Some(dump.bytes()),
            Self::Connection(_) => None,
        }
    }

    pub fn bytes_read(&self) -> u64 {
        match self {
            Self::Folder(folder) => folder.bytes_read(),
            Self::Dump(dump) => dump.bytes_read(),
            Self::Connection(connection) => connection.rows_read(),
        }
    }

    /// The next of the three tables. None: there are no more.
    pub async fn next_table(&mut self) -> Result<Option<Header>> {
        match self {
            Self::Folder(folder) => folder.next_table(),
            Self::Dump(dump) => dump.next_table(),
            Self::Connection(connection) => connection.next_table().await,
        }
    }

    /// Reads the table's next row in the place of the last one. False: it has no more.
    pub async fn next_row(&mut self, row: &mut Row) -> Result<bool> {
        match self {
            Self::Folder(folder) => folder.next_row(row),
            Self::Dump(dump) => dump.next_row(row),
            Self::Connection(connection) => connection.next_row(row).await,
        }
    }
}

fn add(hash: &mut Sha256, path: &Path) -> Result<()> {
    let mut file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
    let mut part = vec![0; 1 << 16];
    loop {
        let length = file.read(&mut part).with_context(|| format!("reading {}", path.display()))?;
        if length == 0 {
            return Ok(());
        }
        hash.update(&part[..length]);
    }
}
