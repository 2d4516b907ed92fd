//! The threads that hash. They are the last to be given a core: whoever reads a page does not notice that a thousand others try
//! passwords (T79).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use super::HASHES_AT_ONCE;
use crate::{Error, Result};

/// Nicer than everything else by so much that a page is drawn at once, and yet hashing gets its tenth of a busy core.
const NICER: i32 = 10;
/// In a flood each rests twice as long as it worked. Being nice is not enough: Linux weighs threads within a session or a control
/// group, and the database's are in others; and whoever wakes up waits for a core until the next tick.
const RESTS: u32 = 2;

type Work = Box<dyn FnOnce() + Send>;

static QUEUE: LazyLock<std::io::Result<Sender<Work>>> = LazyLock::new(|| {
    let (sender, work) = channel();
    let work = Arc::new(Mutex::new(work));
    for number in 0..*HASHES_AT_ONCE {
        let work = Arc::clone(&work);
        std::thread::Builder::new().name(format!("hash {number}")).spawn(move || carry_out(&work))?;
    }
    Ok(sender)
});

/// Does `work` on one of them.
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (done, answer) = tokio::sync::oneshot::channel();
    // Nobody may be waiting any more; then the answer is dropped.
    let work: Work = Box::new(move || drop(done.send(work())));
    let queue = QUEUE.as_ref().map_err(|error| Error::broken(error.to_string()))?;
    queue.send(work).map_err(|_| Error::broken("nobody hashes"))?;
    answer.await.map_err(Error::broken)?
}

/// Until the process ends. Linux counts niceness by thread (nice(2)), so nobody else gets slower.
fn carry_out(queue: &Mutex<Receiver<Work>>) {
    if let Err(error) = rustix::process::nice(NICER) {
        tracing::debug!(%error, "passwords are hashed as if they were urgent");
    }
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        // Whoever waits learns of a panic by the silence.
        let began = Instant::now();
        drop(catch_unwind(AssertUnwindSafe(work)));
        if super::is_crowded() {
            std::thread::sleep(began.elapsed() * RESTS);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[tokio::test]
    async fn t79_hashing_stands_behind_everything_else() {
        let own = || rustix::process::getpriority_process(None).map_err(|error| Error::broken(error.to_string()));
        let (ours, theirs) = (own().unwrap(), run(own).await.unwrap());
        assert_eq!(theirs, (ours + NICER).min(19));
        assert_eq!(own().unwrap(), ours, "and nobody with it");
    }

    #[tokio::test]
    async fn a_panic_takes_no_worker_along() {
        for _ in 0..3 * *HASHES_AT_ONCE {
            assert!(run::<()>(|| std::panic::panic_any("no")).await.is_err());
        }
        assert_eq!(run(|| Ok(7)).await.unwrap(), 7);
    }
}
