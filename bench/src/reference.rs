//! What Atlas is compared with, as a process of its own: an axum route that says "ok", and one that asks PostgreSQL for
//! a 1 through a pool as large as Atlas' own.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::net::TcpListener;

/// As many as Atlas has for its pages.
const CONNECTIONS_MAX: u32 = 8;

pub const BARE: &str = "/ok";
pub const SELECT: &str = "/select";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of PostgreSQL's socket.
    #[arg(long)]
    socket: PathBuf,
}

/// Serves until it is ended, on any free port, which it says first.
pub async fn serve(args: Args) -> Result<()> {
    let options = PgConnectOptions::new_without_pgpass().socket(args.socket).username("atlas").database("atlas");
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(Duration::from_secs(2))
        .connect_lazy_with(options);
    let site = Router::new().route(BARE, get(async || "ok")).route(SELECT, get(select)).with_state(pool);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "reference listening on http://{}", listener.local_addr()?)?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        // As Atlas does; without it the figure is only a little slower.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, site).await?)
}

async fn select(State(pool): State<PgPool>) -> Result<&'static str, (StatusCode, String)> {
    match sqlx::query_scalar::<_, i32>("select 1").fetch_one(&pool).await {
        Ok(1) => Ok("ok"),
        other => Err((StatusCode::INTERNAL_SERVER_ERROR, format!("{other:?}"))),
    }
}
