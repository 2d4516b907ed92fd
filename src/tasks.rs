//! Work that must not stop half-way when the one who asked for it hangs up.

use crate::{Error, Result};

/// Runs `work` to its end, even when the caller's future is dropped (as axum does when a client disconnects).
pub async fn run_to_end<T, F>(work: F) -> Result<T>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    spawn(work).await.map_err(Error::broken)?
}

/// Runs `work` beside everything else, to its end. Nobody needs to wait for it; whoever does learns of a panic.
#[expect(clippy::disallowed_methods, reason = "this is the door that clippy.toml sends everyone else to")]
pub fn spawn<T, F>(work: F) -> tokio::task::JoinHandle<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    tokio::spawn(work)
}
