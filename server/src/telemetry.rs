//! Where the log goes and how it looks. Never in it: bodies, cookies, query strings, emails, secrets.

mod line;

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::{JsonFields, debug_fn};

use crate::config::{Config, LogFormat};

/// Logs go to standard error, so that standard output holds only what was asked for.
pub fn start(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log_filter)?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match config.log {
        LogFormat::Json => logs.fmt_fields(JsonFields::new()).event_format(line::JsonLine).init(),
        LogFormat::Text => {
            let fields = debug_fn(line::write_field).delimited(" ");
            logs.with_ansi(std::io::stderr().is_terminal()).fmt_fields(fields).init();
        }
    }
    // What a panic says may hold anything; where it happened is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panicked");
    }));
    Ok(())
}
