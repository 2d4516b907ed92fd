//! The statement as CSV, page by page, so that its size costs no memory.

use std::fmt::Write as _;

use domain::PersonId;
use sqlx::PgPool;

use super::{Filter, Line};
use crate::Result;
use crate::csv::cell;

pub const HEADER: &str = "time,description,credits,balance,transaction,order\r\n";

/// The next piece: rows before number `before` (none: from the newest), and where to go on, if there is more.
pub async fn piece(db: &PgPool, owner: PersonId, filter: Filter, before: Option<i64>) -> Result<(String, Option<i64>)> {
    let page = super::page(db, owner, filter, before).await?;
    Ok((page.lines.iter().map(row).collect(), page.older))
}

fn row(line: &Line) -> String {
    let mut row = String::new();
    let order = line.order.map(|order| order.to_string()).unwrap_or_default();
    let at = line.at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default();
    // Writing to a string can't fail.
    let _ = write!(
        row,
        "{at},{},{},{},{},{order}\r\n",
        cell(&line.description),
        line.net.get(),
        line.balance_after.get(),
        line.transaction,
    );
    row
}
