//! Group commit: what arrives while a batch is being worked on becomes the next batch, so that one transaction and one
//! flush to disk serve many. What arrives alone goes at once; after a batch of several, the next one waits a moment for
//! company.

mod isolate;
#[cfg(test)]
mod tests;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::{Error, Result, tasks};

pub use isolate::isolate;

/// How much there may be of everything. Each is at least 1.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Items that wait for a batch. One more is turned away.
    pub queue: usize,
    /// Items in a batch.
    pub batch: usize,
    /// Batches under way at the same time.
    pub lanes: usize,
    /// While batches hold several items, each is kept open this long for more of them: whoever was just answered may be
    /// about to send again, and a larger batch is cheaper by the item. Zero: not at all.
    pub linger: Duration,
    /// A batch that takes longer is given up, so that a database that no longer says anything does not stop its lane.
    /// Longer than the statement timeout.
    pub time: Duration,
}

/// Hands items in and gives each its answer once its batch is done. Copies share one queue.
pub struct Batcher<Item, Answer> {
    queue: mpsc::Sender<Waiting<Item, Answer>>,
    closing: Arc<watch::Sender<bool>>,
    /// Closed by the collector's end.
    ended: watch::Receiver<()>,
}

struct Waiting<Item, Answer> {
    item: Item,
    asker: oneshot::Sender<Result<Answer>>,
}

impl<Item, Answer> Clone for Batcher<Item, Answer> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), closing: Arc::clone(&self.closing), ended: self.ended.clone() }
    }
}

impl<Item, Answer> Batcher<Item, Answer>
where
    Item: Send + 'static,
    Answer: Send + 'static,
{
    /// Starts collecting. `work` gets the items in the order in which they came (one lane keeps it between batches too)
    /// and gives one answer for each, in that order. Nobody is answered before its future is done, so it ends with its
    /// commit; see [`isolate`] for batches that one item may spoil. If it panics or miscounts, all its items are
    /// answered [`Error::Broken`]; if it takes too long it is dropped and they are answered [`Error::Unavailable`], for
    /// nobody knows what became of them. Then the next batch begins.
    pub fn start<Work, Doing>(limits: Limits, work: Work) -> Self
    where
        Work: Fn(Vec<Item>) -> Doing + Send + Sync + 'static,
        Doing: Future<Output = Vec<Result<Answer>>> + Send,
    {
        let (queue, waiting) = mpsc::channel(limits.queue.max(1));
        let (closing, closed) = watch::channel(false);
        let (running, ended) = watch::channel(());
        tasks::spawn(async move {
            collect(limits, waiting, closed, Arc::new(work)).await;
            drop(running);
        });
        Self { queue, closing: Arc::new(closing), ended }
    }

    /// The item's answer, when its batch is done. Once this was polled the item is worked on even if nobody waits for
    /// the answer any more.
    ///
    /// Errors: [`Error::Unavailable`] at once when the queue is full or closed; later if the process ends before the
    /// outcome is known. Otherwise what the work said.
    pub async fn submit(&self, item: Item) -> Result<Answer> {
        let (asker, answer) = oneshot::channel();
        self.queue.try_send(Waiting { item, asker }).map_err(|full| match full {
            mpsc::error::TrySendError::Full(_) => Error::unavailable("the queue is full"),
            mpsc::error::TrySendError::Closed(_) => Error::unavailable("the queue is closed"),
        })?;
        answer.await.map_err(|_| Error::unavailable("stopped before the outcome was known"))?
    }

    /// Takes nothing more, and comes back when everything taken so far is answered.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }
}

/// Takes batch after batch until the queue is closed and empty, then waits for those under way.
async fn collect<Item, Answer, Work, Doing>(
    limits: Limits,
    mut waiting: mpsc::Receiver<Waiting<Item, Answer>>,
    mut closing: watch::Receiver<bool>,
    work: Arc<Work>,
) where
    Item: Send + 'static,
    Answer: Send + 'static,
    Work: Fn(Vec<Item>) -> Doing + Send + Sync + 'static,
    Doing: Future<Output = Vec<Result<Answer>>> + Send,
{
    let lanes = Arc::new(Semaphore::new(limits.lanes.max(1)));
    let mut is_busy = false;
    // The lane first: what arrives until one is free joins the batch.
    while let Ok(lane) = Arc::clone(&lanes).acquire_owned().await {
        let mut batch = Vec::new();
        tokio::select! {
            biased;
            // None once the queue is closed, by us or because every handle is gone, and empty.
            _ = waiting.recv_many(&mut batch, limits.batch.max(1)) => {}
            _ = closing.wait_for(|closing| *closing) => {
                waiting.close();
                continue;
            }
        }
        if batch.is_empty() {
            drop(lane);
            break;
        }
        if is_busy {
            gather(limits, &mut waiting, &mut batch).await;
        }
        is_busy = batch.len() > 1;
        let work = Arc::clone(&work);
        tasks::spawn(async move {
            work_on(batch, limits.time, &*work).await;
            drop(lane);
        });
    }
    let all = u32::try_from(limits.lanes.max(1)).unwrap_or(u32::MAX);
    drop(lanes.acquire_many(all).await);
}

/// Adds what comes within the time that a batch is kept open.
async fn gather<Item, Answer>(
    limits: Limits,
    waiting: &mut mpsc::Receiver<Waiting<Item, Answer>>,
    batch: &mut Vec<Waiting<Item, Answer>>,
) {
    let until = Instant::now() + limits.linger;
    while let Some(room) = limits.batch.checked_sub(batch.len()).filter(|room| *room > 0) {
        match timeout_at(until, waiting.recv_many(batch, room)).await {
            Ok(added) if added > 0 => {}
            _ => break,
        }
    }
}

/// One batch, and an answer for each of its items whatever happens.
async fn work_on<Item, Answer, Work, Doing>(batch: Vec<Waiting<Item, Answer>>, time: Duration, work: &Work)
where
    Work: Fn(Vec<Item>) -> Doing,
    Doing: Future<Output = Vec<Result<Answer>>>,
{
    let (items, askers): (Vec<_>, Vec<_>) = batch.into_iter().map(|waiting| (waiting.item, waiting.asker)).unzip();
    let doing = AssertUnwindSafe(async { work(items).await }).catch_unwind();
    let failed: fn() -> Error = match timeout(time, doing).await {
        Ok(Ok(answers)) if answers.len() == askers.len() => {
            for (asker, answer) in askers.into_iter().zip(answers) {
                // Who hung up needs no answer.
                let _ = asker.send(answer);
            }
            return;
        }
        Ok(Ok(_)) => || Error::broken("the batch was answered in part"),
        Ok(Err(_)) => || Error::broken("the batch panicked"),
        Err(_) => || Error::unavailable("the batch took too long"),
    };
    tracing::error!(items = askers.len(), error = ?failed(), "a batch failed");
    for asker in askers {
        let _ = asker.send(Err(failed()));
    }
}
