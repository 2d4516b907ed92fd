//! The rows on disk: a CSV file of each table, and a plain dump of all three.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use time::OffsetDateTime;
use time::macros::format_description;

const PEOPLE: &str = "id,email,full_name,credits,role,avatar_url,created_at";
const ORDERS: &str = "id,user_id,plan_name,credits,price,status,note,created_at,approved_at,approved_by";
const TRANSACTIONS: &str = "id,user_id,amount,type,description,order_id,balance_after,created_at";
const TABLES: [(&str, &str); 3] =
    [("user_profiles", PEOPLE), ("credit_orders", ORDERS), ("credit_transactions", TRANSACTIONS)];

/// Each table twice: as CSV, and as the rows of a COPY block.
pub struct Files([Pair; 3]);

struct Pair {
    csv: BufWriter<File>,
    copy: BufWriter<File>,
}

impl Files {
    pub fn begin(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let pair = |(name, header): (&str, &str)| -> io::Result<Pair> {
            let mut csv = BufWriter::new(File::create(folder.join(format!("{name}.csv")))?);
            writeln!(csv, "{header}")?;
            let copy = BufWriter::new(File::create(folder.join(format!("{name}.copy")))?);
            Ok(Pair { csv, copy })
        };
        let [people, orders, transactions] = TABLES;
        Ok(Self([pair(people)?, pair(orders)?, pair(transactions)?]))
    }

    pub fn profile(
        &mut self,
        id: &str,
        email: &str,
        name: &[u8],
        credits: &str,
        role: &str,
        since: &str,
    ) -> io::Result<()> {
        let values = [id, email, "", credits, role, "", since].map(str::as_bytes);
        let [id, email, _, credits, role, avatar, since] = values;
        self.0[0].row(&[id, email, name, credits, role, avatar, since])
    }

    pub fn order(&mut self, values: &[&str; 10]) -> io::Result<()> {
        self.0[1].row(&values.map(str::as_bytes))
    }

    pub fn transaction(&mut self, values: &[&str; 8]) -> io::Result<()> {
        self.0[2].row(&values.map(str::as_bytes))
    }

    /// Puts the dump together.
    pub fn finish(self, folder: &Path) -> io::Result<()> {
        let mut dump = BufWriter::new(File::create(folder.join("dump.sql"))?);
        writeln!(dump, "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'SQL_ASCII';\n")?;
        for (pair, (name, header)) in self.0.into_iter().zip(TABLES) {
            let Pair { mut csv, mut copy } = pair;
            csv.flush()?;
            copy.flush()?;
            writeln!(dump, "COPY public.{name} ({}) FROM stdin;", header.replace(',', ", "))?;
            let rows = folder.join(format!("{name}.copy"));
            io::copy(&mut File::open(&rows)?, &mut dump)?;
            writeln!(dump, "\\.\n\n")?;
            fs::remove_file(rows)?;
        }
        dump.flush()
    }
}

impl Pair {
    fn row(&mut self, values: &[&[u8]]) -> io::Result<()> {
        for (place, value) in values.iter().enumerate() {
            if place > 0 {
                self.csv.write_all(b",")?;
                self.copy.write_all(b"\t")?;
            }
            self.quoted(value)?;
            self.escaped(value)?;
        }
        self.csv.write_all(b"\n")?;
        self.copy.write_all(b"\n")
    }

    fn quoted(&mut self, value: &[u8]) -> io::Result<()> {
        if !value.iter().any(|byte| b",\"\n\r".contains(byte)) {
            return self.csv.write_all(value);
        }
        let doubled: Vec<u8> =
            value.iter().flat_map(|byte| std::iter::repeat_n(*byte, if *byte == b'"' { 2 } else { 1 })).collect();
        self.csv.write_all(b"\"")?;
        self.csv.write_all(&doubled)?;
        self.csv.write_all(b"\"")
    }

    /// PostgreSQL's text holds no zero bytes, so the dump has another one that is no UTF-8.
    fn escaped(&mut self, value: &[u8]) -> io::Result<()> {
        if value.is_empty() {
            return self.copy.write_all(b"\\N");
        }
        for byte in value {
            match byte {
                b'\\' => self.copy.write_all(b"\\\\")?,
                b'\t' => self.copy.write_all(b"\\t")?,
                b'\n' => self.copy.write_all(b"\\n")?,
                0 => self.copy.write_all(b"\xff")?,
                other => self.copy.write_all(&[*other])?,
            }
        }
        Ok(())
    }
}

/// As PostgreSQL writes it.
pub fn time(at: OffsetDateTime) -> String {
    at.format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second]+00")).unwrap_or_default()
}
