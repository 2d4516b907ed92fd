#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;
use std::task::Poll;
use std::time::Duration;

use futures::future::{join_all, try_join};
use futures::poll;
use tokio::time::{Instant, sleep, timeout};

use super::*;

const ONE_LANE: Limits =
    Limits { queue: 100, batch: 100, lanes: 1, linger: Duration::ZERO, time: Duration::from_mins(1) };
/// An item whose batch panics.
const PANICS: u32 = 666;
/// An item whose batch gets an answer too few.
const MISCOUNTS: u32 = 667;

/// Work that says when it begins, waits to be let go on, and multiplies by ten.
struct Workshop {
    batcher: Batcher<u32, u32>,
    begun: mpsc::UnboundedReceiver<Vec<u32>>,
    /// Each permit lets one batch go on.
    gate: Arc<Semaphore>,
    committed: Arc<Mutex<Vec<u32>>>,
}

impl Workshop {
    fn new(limits: Limits) -> Self {
        let (begins, begun) = mpsc::unbounded_channel();
        let (gate, committed) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (gate_of_work, committed_by_work) = (gate.clone(), committed.clone());
        let batcher = Batcher::start(limits, move |items: Vec<u32>| {
            let (begins, gate, committed) = (begins.clone(), gate_of_work.clone(), committed_by_work.clone());
            async move {
                begins.send(items.clone()).unwrap();
                gate.acquire().await.unwrap().forget();
                assert!(!items.contains(&PANICS), "as a test asked");
                let answered = if items.contains(&MISCOUNTS) { items.len() - 1 } else { items.len() };
                committed.lock().unwrap().extend(&items);
                items.iter().take(answered).map(|item| Ok(item * 10)).collect()
            }
        });
        Self { batcher, begun, gate, committed }
    }

    /// Hands in an item alone, which begins a batch that waits at the gate.
    async fn occupy(&mut self, item: u32) -> impl Future<Output = Result<u32>> + use<> {
        let batcher = self.batcher.clone();
        let mut asking = Box::pin(async move { batcher.submit(item).await });
        assert!(poll!(&mut asking).is_pending());
        assert_eq!(self.begins().await, [item]);
        asking
    }

    async fn begins(&mut self) -> Vec<u32> {
        timeout(Duration::from_secs(10), self.begun.recv()).await.unwrap().unwrap()
    }

    fn opens_for(&self, batches: usize) {
        self.gate.add_permits(batches);
    }
}

#[tokio::test]
async fn what_arrives_alone_goes_at_once() {
    let mut shop = Workshop::new(ONE_LANE);
    shop.opens_for(3);
    for item in 1..=3 {
        assert_eq!(shop.batcher.submit(item).await.unwrap(), item * 10);
        assert_eq!(shop.begins().await, [item]);
    }
}

#[tokio::test]
async fn what_arrives_meanwhile_is_the_next_batch_in_order() {
    let mut shop = Workshop::new(ONE_LANE);
    let first = shop.occupy(1).await;
    let mut rest = join_all((2..=30).map(|item| shop.batcher.submit(item)));
    assert!(poll!(&mut rest).is_pending());
    shop.opens_for(2);
    assert_eq!(first.await.unwrap(), 10);
    let answers: Vec<u32> = rest.await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, (2..=30).map(|item| item * 10).collect::<Vec<_>>());
    assert_eq!(shop.begins().await, (2..=30).collect::<Vec<_>>());
}

#[tokio::test]
async fn nobody_is_answered_before_the_work_is_done() {
    let mut shop = Workshop::new(ONE_LANE);
    let mut asking = Box::pin(shop.occupy(1).await);
    tokio::task::yield_now().await;
    assert_eq!(poll!(&mut asking).map(Result::ok), Poll::Pending);
    assert!(shop.committed.lock().unwrap().is_empty());
    shop.opens_for(1);
    assert_eq!(asking.await.unwrap(), 10);
    assert_eq!(*shop.committed.lock().unwrap(), [1]);
}

#[tokio::test]
async fn a_batch_is_no_larger_than_its_limit() {
    let mut shop = Workshop::new(Limits { batch: 4, ..ONE_LANE });
    let first = shop.occupy(1).await;
    let mut rest = join_all((2..=10).map(|item| shop.batcher.submit(item)));
    assert!(poll!(&mut rest).is_pending());
    shop.opens_for(4);
    first.await.unwrap();
    assert!(rest.await.into_iter().all(|answer| answer.is_ok()));
    assert_eq!([shop.begins().await, shop.begins().await, shop.begins().await].map(|batch| batch.len()), [4, 4, 1]);
}

#[tokio::test(start_paused = true)]
async fn after_a_batch_of_several_the_next_waits_for_company() {
    let mut shop = Workshop::new(Limits { linger: Duration::from_millis(3), ..ONE_LANE });
    shop.opens_for(10);
    let alone = Instant::now();
    shop.batcher.submit(1).await.unwrap();
    assert_eq!((shop.begins().await, alone.elapsed()), (vec![1], Duration::ZERO), "alone, nobody waits");
    try_join(shop.batcher.submit(2), shop.batcher.submit(3)).await.unwrap();
    let late = async {
        sleep(Duration::from_millis(2)).await;
        shop.batcher.submit(5).await
    };
    try_join(shop.batcher.submit(4), late).await.unwrap();
    assert_eq!([shop.begins().await, shop.begins().await], [[2, 3], [4, 5]]);

    // Nobody else comes: it goes when the time is over, and after it one that is alone goes at once again.
    let (began, third) = (Instant::now(), shop.batcher.submit(6).await);
    assert_eq!((third.unwrap(), began.elapsed()), (60, Duration::from_millis(3)));
    let (began, fourth) = (Instant::now(), shop.batcher.submit(7).await);
    assert_eq!((fourth.unwrap(), began.elapsed()), (70, Duration::ZERO));
}

#[tokio::test]
async fn two_lanes_run_two_batches_and_no_third() {
    let mut shop = Workshop::new(Limits { lanes: 2, ..ONE_LANE });
    let both = [shop.occupy(1).await, shop.occupy(2).await];
    let mut third = Box::pin(shop.batcher.submit(3));
    assert!(poll!(&mut third).is_pending());
    tokio::task::yield_now().await;
    assert!(shop.begun.try_recv().is_err());
    shop.opens_for(3);
    assert_eq!(third.await.unwrap(), 30);
    assert!(join_all(both).await.into_iter().all(|answer| answer.is_ok()));
}

#[tokio::test]
async fn a_full_queue_turns_away_at_once_and_keeps_what_it_has() {
    let mut shop = Workshop::new(Limits { queue: 2, ..ONE_LANE });
    let first = shop.occupy(1).await;
    let mut waiting = join_all([shop.batcher.submit(2), shop.batcher.submit(3)]);
    assert!(poll!(&mut waiting).is_pending());
    let mut fourth = Box::pin(shop.batcher.submit(4));
    assert!(matches!(poll!(&mut fourth), Poll::Ready(Err(Error::Unavailable(_)))));
    shop.opens_for(2);
    first.await.unwrap();
    assert!(waiting.await.into_iter().all(|answer| answer.is_ok()));
    assert_eq!(*shop.committed.lock().unwrap(), [1, 2, 3]);
}

#[tokio::test]
async fn who_hangs_up_loses_nothing() {
    let mut shop = Workshop::new(ONE_LANE);
    let under_way = shop.occupy(1).await;
    let mut waiting = Box::pin(shop.batcher.submit(2));
    assert!(poll!(&mut waiting).is_pending());
    drop((under_way, waiting));
    shop.opens_for(2);
    shop.batcher.close().await;
    assert_eq!(*shop.committed.lock().unwrap(), [1, 2]);
}

#[tokio::test]
async fn work_that_panics_or_miscounts_is_broken_for_its_batch_alone() {
    for trouble in [PANICS, MISCOUNTS] {
        let mut shop = Workshop::new(ONE_LANE);
        let first = shop.occupy(1).await;
        let mut spoilt = join_all([shop.batcher.submit(2), shop.batcher.submit(trouble)]);
        assert!(poll!(&mut spoilt).is_pending());
        shop.opens_for(3);
        assert_eq!(first.await.unwrap(), 10);
        for answer in spoilt.await {
            assert!(matches!(answer, Err(Error::Broken(_))), "{answer:?}");
        }
        assert_eq!(shop.batcher.submit(3).await.unwrap(), 30, "the batcher goes on");
    }
}

#[tokio::test(start_paused = true)]
async fn work_that_hangs_is_given_up_and_its_outcome_unknown() {
    let mut shop = Workshop::new(ONE_LANE);
    let stuck = shop.occupy(1).await;
    let mut next = Box::pin(shop.batcher.submit(2));
    assert!(poll!(&mut next).is_pending());
    // Nobody opens the gate; the standing clock moves on when nothing else can.
    assert!(matches!(stuck.await, Err(Error::Unavailable(_))));
    shop.opens_for(1);
    assert_eq!(next.await.unwrap(), 20);
}

#[tokio::test]
async fn closing_answers_what_was_taken_and_takes_no_more() {
    let mut shop = Workshop::new(Limits { batch: 2, ..ONE_LANE });
    let first = shop.occupy(1).await;
    let mut waiting = join_all((2..=6).map(|item| shop.batcher.submit(item)));
    assert!(poll!(&mut waiting).is_pending());
    let (closer, another) = (shop.batcher.clone(), shop.batcher.clone());
    let mut closing = Box::pin(async move { closer.close().await });
    assert!(poll!(&mut closing).is_pending());
    shop.opens_for(4);
    closing.await;
    assert_eq!(*shop.committed.lock().unwrap(), [1, 2, 3, 4, 5, 6]);
    assert!(first.await.is_ok() && waiting.await.into_iter().all(|answer| answer.is_ok()));
    assert!(matches!(another.submit(7).await, Err(Error::Unavailable(_))));
    another.close().await;
}

#[tokio::test]
async fn a_batcher_whose_handles_are_gone_finishes_its_work() {
    let mut shop = Workshop::new(ONE_LANE);
    let first = shop.occupy(1).await;
    let mut ended = shop.batcher.ended.clone();
    drop(shop.batcher);
    shop.gate.add_permits(1);
    assert_eq!(first.await.unwrap(), 10);
    assert!(timeout(Duration::from_secs(10), ended.changed()).await.unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_each_get_their_own_answer() {
    let shop = Workshop::new(Limits { queue: 10_000, batch: 64, lanes: 2, ..ONE_LANE });
    shop.opens_for(10_000);
    let asked = (1_000..5_000).map(|item| {
        let batcher = shop.batcher.clone();
        tasks::spawn(async move { (item, batcher.submit(item).await.unwrap()) })
    });
    for asked in join_all(asked).await {
        let (item, answer) = asked.unwrap();
        assert_eq!(answer, item * 10);
    }
    let mut committed = shop.committed.lock().unwrap().clone();
    committed.sort_unstable();
    assert_eq!(committed, (1_000..5_000).collect::<Vec<_>>());
}
