//! The one door to background work. What is lost when the sandbox stops is in the journal and resumes with it.

use std::future::Future;

use tokio::task::JoinHandle;

/// Runs `work` by itself, even if whoever started it goes away.
#[expect(clippy::disallowed_methods, reason = "this is the sandbox's one place that starts tasks")]
pub fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(work)
}
