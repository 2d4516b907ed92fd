//! How commands show data: aligned columns for people, JSON for programs.

use std::io::Write as _;

use anyhow::Result;
use serde_json::Value;

/// How to show what was asked for.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Format {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Format {
    pub const fn is_json(self) -> bool {
        self.json
    }
}

/// One column: its heading, and the field of each row's JSON that stands under it.
pub type Column = (&'static str, &'static str);

pub fn line(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

/// One thing: JSON, or the sentence for it.
pub fn one(format: Format, value: &Value, sentence: &str) -> Result<()> {
    if format.json { line(&serde_json::to_string_pretty(value)?) } else { line(sentence) }
}

/// Rows of JSON objects, whole or by columns.
pub fn table(format: Format, columns: &[Column], rows: Vec<Value>) -> Result<()> {
    if format.json {
        return line(&serde_json::to_string_pretty(&Value::Array(rows))?);
    }
    let headings = columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
    let cells = rows.iter().map(|row| columns.iter().map(|(_, field)| text(&row[*field])).collect());
    let lines: Vec<Vec<String>> = std::iter::once(headings).chain(cells).collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0))
        .collect();
    for cells in lines {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        line(padded.join("  ").trim_end())?;
    }
    Ok(())
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        // Control characters in someone's text must not steer the operator's terminal.
        Value::String(text) => text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect(),
        other => other.to_string(),
    }
}
