//! Work that must not stop half-way when the one who asked for it hangs up.

use crate::{Error, Result};

/// Runs `work` to its end, even when the caller's future is dropped (as axum does when a client disconnects).
#[expect(clippy::disallowed_methods, reason = "this is the door that clippy.toml sends everyone else to")]
pub async fn run_to_end<T, F>(work: F) -> Result<T>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    tokio::spawn(work).await.map_err(Error::broken)?
}
