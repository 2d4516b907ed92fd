//! The old database itself, read in one snapshot and never written.

use std::str::FromStr as _;

use anyhow::{Context as _, Result, bail};
use atlas::legacy::columns::Table;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};

use super::source::{Header, Row};

/// A row's values as text, in the order of their columns, however they are typed.
type Values = Vec<Option<String>>;

pub struct Connection {
    db: PgConnection,
    waiting: Vec<Table>,
    page: std::vec::IntoIter<Values>,
    rows: u64,
}

impl Connection {
    pub async fn open(url: &str) -> Result<Self> {
        // The parser's own words may hold the password.
        let Ok(options) = PgConnectOptions::from_str(url) else { bail!("the old database's address can't be read") };
        Self::with(&options.application_name("atlas import")).await
    }

    async fn with(options: &PgConnectOptions) -> Result<Self> {
        let mut connection = PgConnection::connect_with(options).await.context("connecting to the old database")?;
        sqlx::query("begin isolation level repeatable read, read only").execute(&mut connection).await?;
        let waiting = Table::ALL.into_iter().rev().collect();
        Ok(Self { db: connection, waiting, page: Vec::new().into_iter(), rows: 0 })
    }

    pub const fn rows_read(&self) -> u64 {
        self.rows
    }

    pub async fn next_table(&mut self) -> Result<Option<Header>> {
        let Some(table) = self.waiting.pop() else { return Ok(None) };
        let columns: Vec<String> = sqlx::query_scalar(
            "select attname::text from pg_attribute
            where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum",
        )
        .bind(table.name())
        .fetch_all(&mut self.db)
        .await?;
        if columns.is_empty() {
            bail!("there is no table {} in the old database", table.name());
        }
        let declare = match table {
            Table::People => {
                "declare old no scroll cursor for
                select array(select value from json_each_text(row_to_json(t))) from user_profiles t"
            }
            Table::Orders => {
                "declare old no scroll cursor for
                select array(select value from json_each_text(row_to_json(t))) from credit_orders t"
            }
            Table::Transactions => {
                "declare old no scroll cursor for
                select array(select value from json_each_text(row_to_json(t))) from credit_transactions t"
            }
        };
        sqlx::query("close all").execute(&mut self.db).await?;
        sqlx::query(declare).execute(&mut self.db).await?;
        Ok(Some(Header { table, columns }))
    }

    pub async fn next_row(&mut self, row: &mut Row) -> Result<bool> {
        if self.page.len() == 0 {
            // The cursor is another one from table to table, so its plan must not be remembered.
            let page = sqlx::query_scalar::<_, Values>("fetch 5000 from old").persistent(false);
            self.page = page.fetch_all(&mut self.db).await.context("reading the old database")?.into_iter();
        }
        let Some(values) = self.page.next() else { return Ok(false) };
        row.clear();
        row.extend(values.into_iter().map(|value| value.map(String::into_bytes)));
        self.rows += 1;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use sqlx::PgPool;

    use super::*;

    #[sqlx::test(migrations = false)]
    async fn the_tables_are_read_as_text_in_one_snapshot_that_writes_nothing(pool: PgPool) {
        for statement in [
            "create table user_profiles (id integer, email text, credits numeric, \"odd name\" boolean, gone text)",
            "alter table user_profiles drop column gone",
            "insert into user_profiles values (1, 'ana@example.com', 12.00, true), (2, null, 7, false)",
            "create table credit_orders (id uuid, created_at timestamptz)",
            "insert into credit_orders values ('0b0e8a5e-3f4c-4d55-9d0a-1f0f4f8a1c11', '2024-03-01 12:00:00+00')",
            "create table credit_transactions (id integer)",
        ] {
            sqlx::query(statement).execute(&pool).await.unwrap();
        }
        let mut old = Connection::with(pool.connect_options().as_ref()).await.unwrap();
        let people = old.next_table().await.unwrap().unwrap();
        assert_eq!((people.table, people.columns.join(",")), (Table::People, "id,email,credits,odd name".to_owned()));
        sqlx::query("insert into credit_transactions values (1)").execute(&pool).await.unwrap();
        let mut rows = Vec::new();
        let mut row = Row::new();
        while old.next_row(&mut row).await.unwrap() {
            rows.push(row.iter().map(|value| value.clone().map(|v| String::from_utf8(v).unwrap())).collect::<Vec<_>>());
        }
        let text = |value: &str| Some(value.to_owned());
        assert_eq!(rows[0], [text("1"), text("ana@example.com"), text("12.00"), text("true")]);
        assert_eq!(rows[1], [text("2"), None, text("7"), text("false")]);
        assert_eq!(old.next_table().await.unwrap().unwrap().table, Table::Orders);
        assert!(old.next_row(&mut row).await.unwrap());
        assert_eq!(row[1].as_deref(), Some(&b"2024-03-01T12:00:00+00:00"[..]));
        assert_eq!(old.next_table().await.unwrap().unwrap().table, Table::Transactions);
        assert!(!old.next_row(&mut row).await.unwrap(), "it came after we began");
        assert!(old.next_table().await.unwrap().is_none());
        let write = sqlx::query("insert into credit_transactions values (2)").execute(&mut old.db).await;
        assert!(write.unwrap_err().to_string().contains("read-only"));
    }
}
