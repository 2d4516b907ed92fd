//! The figures as Markdown, for people and for `docs/benchmarks.md`, with the machine that they come from.

use std::fmt;

use anyhow::Result;

use crate::stand::Stand;
use crate::tpcb;

/// One measurement.
#[derive(Debug)]
pub struct Table {
    title: &'static str,
    about: &'static str,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    pub fn new(title: &'static str, about: &'static str, head: &[&'static str]) -> Self {
        Self { title, about, head: head.to_vec(), rows: Vec::new(), notes: Vec::new() }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub fn note(&mut self, sentence: String) {
        self.notes.push(sentence);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n\n{}\n", self.title, self.about)?;
        writeln!(f, "| {} |", self.head.join(" | "))?;
        let numbers = self.head.len().saturating_sub(1);
        writeln!(f, "|---|{}", "--:|".repeat(numbers))?;
        for row in &self.rows {
            writeln!(f, "| {} |", row.join(" | "))?;
        }
        for note in &self.notes {
            writeln!(f, "\n{note}")?;
        }
        Ok(())
    }
}

/// The whole document.
pub async fn document(stand: &Stand, tables: &[Table]) -> Result<String> {
    let mut text = format!(
        "# Benchmarks\n\n\
        Made by `make bench`, which starts all that it measures: the release program with its private PostgreSQL, and a \
        load generator that shares the machine with both. So the ratios say more than the rates.\n\n\
        - Date: {}\n- Machine: {}\n- Atlas {}, {}, PostgreSQL {}, {}\n- `fsync` {}, `synchronous_commit` {}, \
        `full_page_writes` {}, `shared_buffers` {}\n",
        atlas::clock::Clock::system().now().date(),
        machine(),
        env!("CARGO_PKG_VERSION"),
        rustc().await?,
        stand.setting("server_version").await?,
        tpcb::version().await?,
        stand.setting("fsync").await?,
        stand.setting("synchronous_commit").await?,
        stand.setting("full_page_writes").await?,
        stand.setting("shared_buffers").await?,
    );
    for table in tables {
        text.push('\n');
        text.push_str(&table.to_string());
    }
    Ok(text)
}

fn machine() -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let (cpus, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let value = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let model = value(&cpus, "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let kilobytes = value(&memory, "MemTotal").and_then(|text| text.split_once(' ')?.0.parse::<u64>().ok());
    let memory = kilobytes.map(|kilobytes| format!(", {} GiB", kilobytes / 1_048_576)).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{cores} cores of {model}{memory}, {} {}", std::env::consts::OS, kernel.trim())
}

async fn rustc() -> Result<String> {
    let output = tokio::process::Command::new("rustc").arg("--version").output().await?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new("Pages", "How fast.", &["", "per second"]);
        table.row(["a".to_owned(), "1.0".to_owned()]);
        table.note("Well.".to_owned());
        let text = "## Pages\n\nHow fast.\n\n|  | per second |\n|---|--:|\n| a | 1.0 |\n\nWell.\n";
        assert_eq!(table.to_string(), text);
    }
}
