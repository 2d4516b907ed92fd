//! The old database itself, read in one snapshot and never written.

use std::str::FromStr as _;

use anyhow::{Context as _, Result, bail};
use atlas::legacy::columns::Table;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use super::source::{Header, Row};

const ROWS_AT_ONCE: u32 = 5_000;

pub struct Connection {
    connection: PgConnection,
    waiting: Vec<Table>,
    page: std::vec::IntoIter<PgRow>,
    rows: u64,
}

impl Connection {
    pub async fn open(url: &str) -> Result<Self> {
        // The parser's own words may hold the password.
        let Ok(options) = PgConnectOptions::from_str(url) else { bail!("the old database's address can't be read") };
        let mut connection = PgConnection::connect_with(&options.application_name("atlas import"))
            .await
            .context("connecting to the old database")?;
        for statement in ["begin isolation level repeatable read, read only", "set local datestyle = 'ISO'"] {
            sqlx::query(statement).execute(&mut connection).await?;
        }
        let waiting = Table::ALL.into_iter().rev().collect();
        Ok(Self { connection, waiting, page: Vec::new().into_iter(), rows: 0 })
    }

    pub const fn rows_read(&self) -> u64 {
        self.rows
    }

    /// Every value as text, however its column is typed.
    pub async fn next_table(&mut self) -> Result<Option<Header>> {
        let Some(table) = self.waiting.pop() else { return Ok(None) };
        let columns: Vec<String> = sqlx::query_scalar(
            "select attname::text from pg_attribute
            where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum",
        )
        .bind(table.name())
        .fetch_all(&mut self.connection)
        .await?;
        if columns.is_empty() {
            bail!("there is no table {} in the old database", table.name());
        }
        let read: Vec<String> = columns.iter().map(|name| format!("\"{}\"::text", name.replace('"', "\"\""))).collect();
        let cursor = format!("declare old no scroll cursor for select {} from {}", read.join(", "), table.name());
        sqlx::query("close all").execute(&mut self.connection).await?;
        sqlx::query(AssertSqlSafe(cursor)).execute(&mut self.connection).await?;
        Ok(Some(Header { table, columns }))
    }

    pub async fn next_row(&mut self, row: &mut Row) -> Result<bool> {
        let next = match self.page.next() {
            Some(next) => next,
            None => {
                let fetch = format!("fetch {ROWS_AT_ONCE} from old");
                // Its columns change from table to table, so it must not be remembered.
                let page = sqlx::query(AssertSqlSafe(fetch)).persistent(false).fetch_all(&mut self.connection).await?;
                self.page = page.into_iter();
                let Some(next) = self.page.next() else { return Ok(false) };
                next
            }
        };
        row.clear();
        for place in 0..next.len() {
            row.push(next.try_get::<Option<&str>, _>(place)?.map(|text| text.as_bytes().to_vec()));
        }
        self.rows += 1;
        Ok(true)
    }
}
