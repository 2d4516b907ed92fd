//! A plain dump as `pg_dump` writes it: the blocks `COPY schema.table (columns) FROM stdin;` of the three tables are read, all
//! else is passed over.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use atlas::legacy::columns::Table;

use super::source::{Header, Row};

/// One row may hold a long note, but not a film.
const LINE_BYTES_MAX: u64 = 16 << 20;

pub struct Dump {
    path: PathBuf,
    bytes: u64,
    read: u64,
    reader: BufReader<File>,
    line: Vec<u8>,
    table: Option<(Table, usize)>,
}

impl Dump {
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
        let bytes = file.metadata()?.len();
        let mut begins = Vec::new();
        file.by_ref().take(5).read_to_end(&mut begins)?;
        if begins == b"PGDMP" {
            bail!(
                "{0} is a dump in pg_dump’s custom format. Make a plain one of it: pg_restore -f plain.sql {0}",
                path.display()
            );
        }
        if begins.starts_with(&[0x1f, 0x8b]) {
            bail!("{0} is compressed. Unpack it first: gunzip {0}", path.display());
        }
        file.rewind()?;
        let reader = BufReader::with_capacity(1 << 16, file);
        Ok(Self { path: path.to_owned(), bytes, read: 0, reader, line: Vec::new(), table: None })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub const fn bytes_read(&self) -> u64 {
        self.read
    }

    pub fn next_table(&mut self) -> Result<Option<Header>> {
        let mut in_another = false;
        while self.next_line()? {
            if in_another {
                in_another = self.line != b"\\.";
                continue;
            }
            self.refuse_what_it_cannot_read()?;
            let Some((name, columns)) = copies(&String::from_utf8_lossy(&self.line)) else { continue };
            let Some(table) = Table::named(&name) else {
                in_another = true;
                continue;
            };
            self.table = Some((table, columns.len()));
            return Ok(Some(Header { table, columns }));
        }
        Ok(None)
    }

    pub fn next_row(&mut self, row: &mut Row) -> Result<bool> {
        let Some((table, columns)) = self.table else { return Ok(false) };
        if !self.next_line()? {
            bail!("{} ends within {}: it was cut off", self.path.display(), table.name());
        }
        if self.line == b"\\." {
            self.table = None;
            return Ok(false);
        }
        row.clear();
        row.extend(self.line.split(|byte| *byte == b'\t').map(value));
        if row.len() != columns {
            bail!("a row of {} has {} values for {columns} columns", table.name(), row.len());
        }
        Ok(true)
    }

    /// Without its end. False: there is none.
    fn next_line(&mut self) -> Result<bool> {
        self.line.clear();
        let length = (&mut self.reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut self.line)? as u64;
        self.read += length;
        if length == LINE_BYTES_MAX {
            bail!("{} has a line of more than 16 MB; is it a dump?", self.path.display());
        }
        if self.line.ends_with(b"\n") {
            self.line.pop();
            if self.line.ends_with(b"\r") {
                self.line.pop();
            }
        }
        Ok(length > 0)
    }

    fn refuse_what_it_cannot_read(&self) -> Result<()> {
        let line = String::from_utf8_lossy(&self.line);
        if let Some(encoding) = line.strip_prefix("SET client_encoding = '").and_then(|rest| rest.split('\'').next())
            && !["UTF8", "SQL_ASCII"].contains(&encoding)
        {
            bail!("the dump is in {encoding}. Make one with pg_dump --encoding=UTF8");
        }
        if line.starts_with("INSERT INTO ") && Table::ALL.iter().any(|table| line.contains(table.name())) {
            bail!("the dump holds its rows as INSERT statements. Make one without --inserts");
        }
        Ok(())
    }
}

/// The table, without its schema, and the columns of a COPY statement.
fn copies(line: &str) -> Option<(String, Vec<String>)> {
    let rest = line.strip_prefix("COPY ")?.strip_suffix(" FROM stdin;")?;
    let (name, columns) = rest.split_once(" (")?;
    let bare = |name: &str| name.trim().trim_matches('"').to_owned();
    let name = name.rsplit('.').next().map(bare)?;
    Some((name, columns.trim_end_matches(')').split(',').map(bare).collect()))
}

/// A value in the text form of COPY (PostgreSQL, COPY, “Text Format”). None: NULL.
fn value(text: &[u8]) -> Option<Vec<u8>> {
    if text == b"\\N" {
        return None;
    }
    let mut value = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'\\' {
            value.push(*first);
            continue;
        }
        let [escaped, after @ ..] = rest else {
            value.push(b'\\');
            break;
        };
        rest = after;
        match escaped {
            b'b' => value.push(0x08),
            b'f' => value.push(0x0c),
            b'n' => value.push(b'\n'),
            b'r' => value.push(b'\r'),
            b't' => value.push(b'\t'),
            b'v' => value.push(0x0b),
            b'0'..=b'7' => {
                let digits = 1 + rest.iter().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
                let start = text.len() - rest.len() - 1;
                value.push(number(&text[start..start + digits], 8));
                rest = &text[start + digits..];
            }
            b'x' if rest.first().is_some_and(u8::is_ascii_hexdigit) => {
                let digits = rest.iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
                value.push(number(&rest[..digits], 16));
                rest = &rest[digits..];
            }
            other => value.push(*other),
        }
    }
    Some(value)
}

fn number(digits: &[u8], base: u32) -> u8 {
    let digits = std::str::from_utf8(digits).unwrap_or_default();
    u32::from_str_radix(digits, base).map_or(0, |number| number.to_le_bytes()[0])
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn dump(text: &str) -> (PathBuf, Result<Dump>) {
        let path = std::env::temp_dir().join(format!("atlas-dump-{}.sql", atlas::ids::fresh().simple()));
        std::fs::write(&path, text).unwrap();
        (path.clone(), Dump::open(&path))
    }

    #[test]
    fn values_are_unescaped() {
        assert_eq!(value(b"\\N"), None);
        assert_eq!(value(b"a\\tb\\\\c\\nd").unwrap(), b"a\tb\\c\nd");
        assert_eq!(value(b"\\101\\x42\\x4g\\q\\7").unwrap(), b"AB\x04gq\x07");
        assert_eq!(value(b"").unwrap(), b"");
    }

    #[test]
    fn only_the_three_tables_are_read_whatever_stands_in_others() {
        let (path, dump) = dump(
            "SET client_encoding = 'UTF8';\nCOPY public.notes (id, text) FROM stdin;\n\
             1\tCOPY public.user_profiles (id) FROM stdin;\n\\.\n\
             COPY public.user_profiles (id, \"email\", credits) FROM stdin;\n1\ta@example.com\t\\N\n\\.\n",
        );
        let mut dump = dump.unwrap();
        let header = dump.next_table().unwrap().unwrap();
        assert_eq!((header.table, header.columns.len()), (Table::People, 3));
        assert_eq!(header.columns[1], "email");
        let mut row = Row::new();
        assert!(dump.next_row(&mut row).unwrap());
        assert_eq!(row, [Some(b"1".to_vec()), Some(b"a@example.com".to_vec()), None]);
        assert!(!dump.next_row(&mut row).unwrap());
        assert!(dump.next_table().unwrap().is_none());
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_the_way_out() {
        for (text, way) in [
            ("PGDMP\u{1}", "pg_restore -f"),
            ("SET client_encoding = 'LATIN1';\n", "--encoding=UTF8"),
            ("INSERT INTO public.user_profiles VALUES (1);\n", "without --inserts"),
        ] {
            let (path, dump) = dump(text);
            let refused = dump.and_then(|mut dump| dump.next_table()).err().unwrap().to_string();
            assert!(refused.contains(way), "{refused}");
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_dump_that_was_cut_off_is_told() {
        let (path, dump) = dump("COPY user_profiles (id) FROM stdin;\n1\n");
        let mut dump = dump.unwrap();
        dump.next_table().unwrap();
        let mut row = Row::new();
        assert!(dump.next_row(&mut row).unwrap());
        assert!(dump.next_row(&mut row).unwrap_err().to_string().contains("cut off"));
        std::fs::remove_file(path).unwrap();
    }
}
