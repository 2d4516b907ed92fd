//! Sealing everything anew with the present key, so that an old one can be thrown away.

use secrecy::ExposeSecret as _;
use uuid::Uuid;

use super::Place;
use crate::{Context, Result};

/// At most this many rows at once.
const PART: i64 = 500;

/// A column of sealed values, in a table whose key is one uuid.
pub struct Column {
    pub table: &'static str,
    pub column: &'static str,
    stale: &'static str,
    renew: &'static str,
}

/// What was done with one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotated {
    pub table: &'static str,
    pub column: &'static str,
    /// Sealed anew.
    pub rows: u64,
    /// They do not open, and were left alone.
    pub unreadable: u64,
}

/// The statements for one column. Tables can't be parameters, so they are put together when this is built.
macro_rules! column {
    ($table:literal, $column:literal, $key:literal) => {
        Column {
            table: $table,
            column: $column,
            stale: concat!(
                "select ",
                $key,
                ", ",
                $column,
                " from ",
                $table,
                " where ",
                $key,
                " > $1 and substring(",
                $column,
                " from 1 for octet_length($2::bytea)) <> $2 order by ",
                $key,
                " limit $3"
            ),
            renew: concat!(
                "update ",
                $table,
                " as kept set ",
                $column,
                " = fresh.sealed ",
                "from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as fresh (id, was, sealed) ",
                "where kept.",
                $key,
                " = fresh.id and kept.",
                $column,
                " = fresh.was"
            ),
        }
    };
}

/// Every sealed column of the schema. A test compares this with the columns that are named `sealed_…`.
pub const COLUMNS: [Column; 6] = [
    column!("identity_grants", "sealed_access", "id"),
    column!("identity_grants", "sealed_refresh", "id"),
    column!("second_factors", "sealed_secret", "person_id"),
    column!("second_factors", "sealed_pending", "person_id"),
    column!("provider_settings", "sealed_api_key", "id"),
    column!("provider_settings", "sealed_webhook_secret", "id"),
];

/// Seals everything anew that another key sealed. It may be stopped and begun again, and runs beside everything else:
/// what somebody changes meanwhile is theirs, and is sealed with the present key anyway.
pub async fn rotate(ctx: &Context) -> Result<Vec<Rotated>> {
    let mut done = Vec::with_capacity(COLUMNS.len());
    for column in &COLUMNS {
        done.push(column.rotate(ctx).await?);
    }
    Ok(done)
}

impl Column {
    fn place(&self, row: Uuid) -> Place<'static> {
        Place { table: self.table, column: self.column, row }
    }

    async fn rotate(&self, ctx: &Context) -> Result<Rotated> {
        let mut done = Rotated { table: self.table, column: self.column, rows: 0, unreadable: 0 };
        let mut after = Uuid::nil();
        loop {
            let stale: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(self.stale)
                .bind(after)
                .bind(ctx.vault.beginning())
                .bind(PART)
                .fetch_all(&ctx.db)
                .await?;
            let Some((last, _)) = stale.last() else { return Ok(done) };
            after = *last;
            let (mut rows, mut was, mut sealed) = (Vec::new(), Vec::new(), Vec::new());
            for (row, old) in stale {
                match ctx.vault.open(self.place(row), &old) {
                    Ok(plain) => {
                        sealed.push(ctx.vault.seal(self.place(row), plain.expose_secret()));
                        rows.push(row);
                        was.push(old);
                    }
                    Err(error) => {
                        tracing::warn!(table = self.table, column = self.column, %row, %error, "left as it is");
                        done.unreadable += 1;
                    }
                }
            }
            let renewed = sqlx::query(self.renew).bind(rows).bind(was).bind(sealed).execute(&ctx.db).await?;
            done.rows += renewed.rows_affected();
        }
    }
}
