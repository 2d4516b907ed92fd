//! A folder with a CSV file of each table, as RFC 4180 has it and Supabase, psql and spreadsheets write it: a line of names
//! first, and nothing for NULL.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use atlas::legacy::columns::Table;
use csv::{ByteRecord, Reader, ReaderBuilder};

use super::source::{Header, Row};

pub struct Folder {
    path: PathBuf,
    bytes: u64,
    /// Of the files that were read to their end.
    passed: u64,
    waiting: Vec<Table>,
    reader: Option<Reader<File>>,
    record: ByteRecord,
    columns: usize,
}

impl Folder {
    pub fn open(path: &Path) -> Result<Self> {
        let mut bytes = 0;
        for table in Table::ALL {
            let file = path.join(format!("{}.csv", table.name()));
            let Ok(about) = std::fs::metadata(&file) else {
                bail!("there is no {}.csv in {}", table.name(), path.display());
            };
            bytes += about.len();
        }
        let waiting = Table::ALL.into_iter().rev().collect();
        let record = ByteRecord::new();
        Ok(Self { path: path.to_owned(), bytes, passed: 0, waiting, reader: None, record, columns: 0 })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn file(&self, table: Table) -> PathBuf {
        self.path.join(format!("{}.csv", table.name()))
    }

    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn bytes_read(&self) -> u64 {
        self.passed + self.reader.as_ref().map_or(0, |reader| reader.position().byte())
    }

    pub fn next_table(&mut self) -> Result<Option<Header>> {
        self.passed = self.bytes_read();
        let Some(table) = self.waiting.pop() else { return Ok(None) };
        let file = self.file(table);
        // Rows that are too short or too long are told of by us, with their place.
        let mut reader = ReaderBuilder::new().flexible(true).from_path(&file)?;
        let header = reader.byte_headers().with_context(|| format!("reading {}", file.display()))?;
        let mut columns: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        if let Some(first) = columns.first_mut() {
            *first = first.trim_start_matches('\u{feff}').to_owned();
        }
        self.columns = columns.len();
        self.reader = Some(reader);
        Ok(Some(Header { table, columns }))
    }

    pub fn next_row(&mut self, row: &mut Row) -> Result<bool> {
        let Some(reader) = &mut self.reader else { return Ok(false) };
        if !reader.read_byte_record(&mut self.record).context("reading a row")? {
            return Ok(false);
        }
        if self.record.len() != self.columns {
            let line = self.record.position().map_or(0, csv::Position::line);
            bail!(
                "line {line} of {}’s file has {} values for {} columns",
                self.name(),
                self.record.len(),
                self.columns
            );
        }
        row.clear();
        row.extend(self.record.iter().map(|value| (!value.is_empty()).then(|| value.to_vec())));
        Ok(true)
    }

    fn name(&self) -> &'static str {
        let read = Table::ALL.len() - self.waiting.len();
        Table::ALL[read.saturating_sub(1)].name()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn folder(people: &str) -> (PathBuf, Folder) {
        let path = std::env::temp_dir().join(format!("atlas-csv-{}", atlas::ids::fresh().simple()));
        std::fs::create_dir_all(&path).unwrap();
        for (table, text) in [("user_profiles", people), ("credit_orders", "id\n"), ("credit_transactions", "id\n")] {
            std::fs::write(path.join(format!("{table}.csv")), text).unwrap();
        }
        (path.clone(), Folder::open(&path).unwrap())
    }

    #[test]
    fn quotes_line_breaks_and_nothing_are_read_as_the_standard_has_them() {
        let (path, mut folder) = folder("\u{feff}id,name,email\r\n1,\"Ana \"\"A\"\"\nLovelace\",\r\n");
        let header = folder.next_table().unwrap().unwrap();
        assert_eq!(header.columns, ["id", "name", "email"]);
        let mut row = Row::new();
        assert!(folder.next_row(&mut row).unwrap());
        assert_eq!(row, [Some(b"1".to_vec()), Some(b"Ana \"A\"\nLovelace".to_vec()), None]);
        assert!(!folder.next_row(&mut row).unwrap());
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_row_of_another_width_is_refused_with_its_line() {
        let (path, mut folder) = folder("id,email,credits\n1,a@example.com,5\n2,b@example.com,1,000\n");
        folder.next_table().unwrap();
        let mut row = Row::new();
        assert!(folder.next_row(&mut row).unwrap());
        let refused = folder.next_row(&mut row).unwrap_err().to_string();
        assert!(refused.contains("line 3 of user_profiles") && refused.contains("4 values for 3 columns"), "{refused}");
        std::fs::remove_dir_all(path).unwrap();
    }
}
