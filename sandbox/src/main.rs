//! The sandbox program: starts the local Whop, says where it listens, and stops cleanly when told to.

use std::io::Write;

use clap::Parser;
use sandbox::options::Options;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let running = sandbox::start(&Options::parse()).await?;
    // A caller may wait for this line to learn the port.
    let mut stdout = std::io::stdout();
    writeln!(stdout, "sandbox listening on http://{}", running.address)?;
    stdout.flush()?;
    stop_signal().await?;
    running.stop().await
}

async fn stop_signal() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            outcome = tokio::signal::ctrl_c() => outcome?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}
