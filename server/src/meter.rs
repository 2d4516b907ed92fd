//! How often somebody may do what is cheap to do: token buckets in this process's memory, which cost next to nothing to ask.
//! What must hold for all processes together, or outlive a restart, is counted in the database (`atlas::limits`).

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use atlas::api_keys::secret::KeyHash;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

/// After so many questions, those are forgotten who asked nothing lately.
const SWEEP_EVERY: u32 = 4_096;

/// Webhooks that are not authentic, by address: twenty, and one a second.
const BAD_SIGNATURES: Rate = Rate { burst: NonZeroU32::new(20).unwrap(), each: Duration::from_secs(1) };
/// Reports of browsers, by address: ten, and ten a minute.
const REPORTS: Rate = Rate { burst: NonZeroU32::new(10).unwrap(), each: Duration::from_secs(6) };

/// So many at once, and one more each time a while has gone by.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    pub burst: NonZeroU32,
    /// More than nothing.
    pub each: Duration,
}

impl Rate {
    /// Twice as many at once.
    pub fn a_second(count: NonZeroU32) -> Self {
        Self {
            burst: count.saturating_mul(NonZeroU32::MIN.saturating_add(1)),
            each: (Duration::from_secs(1) / count.get()).max(Duration::from_nanos(1)),
        }
    }
}

/// What is counted by whom.
#[derive(Clone)]
pub struct Meters {
    pub spends: Arc<Meter<KeyHash>>,
    pub bad_signatures: Arc<Meter<String>>,
    pub reports: Arc<Meter<String>>,
}

impl Meters {
    /// `spends`: for each API key.
    pub fn new(spends: Rate) -> Self {
        Self {
            spends: Arc::new(Meter::new(spends)),
            bad_signatures: Arc::new(Meter::new(BAD_SIGNATURES)),
            reports: Arc::new(Meter::new(REPORTS)),
        }
    }
}

/// A bucket for each of those who are counted.
pub struct Meter<K: Clone + Eq + Hash> {
    rate: Rate,
    buckets: RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>,
    clock: DefaultClock,
    asked: AtomicU32,
}

/// An empty bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Empty {
    /// Until it holds something again, at least 1.
    pub seconds: u64,
}

impl<K: Clone + Eq + Hash> Meter<K> {
    pub fn new(rate: Rate) -> Self {
        let quota = Quota::with_period(rate.each).unwrap_or(Quota::per_second(NonZeroU32::MIN)).allow_burst(rate.burst);
        Self {
            rate,
            buckets: RateLimiter::keyed(quota).with_middleware(),
            clock: DefaultClock::default(),
            asked: AtomicU32::new(0),
        }
    }

    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes one out of somebody's bucket; how many are left in it.
    pub fn take(&self, of: &K) -> Result<u32, Empty> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.buckets.retain_recent();
        }
        match self.buckets.check_key(of) {
            Ok(state) => Ok(state.remaining_burst_capacity()),
            Err(not_yet) => Err(Empty { seconds: not_yet.wait_time_from(self.clock.now()).as_secs() + 1 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Rate = Rate { burst: NonZeroU32::new(3).unwrap(), each: Duration::from_mins(1) };

    #[test]
    fn each_has_a_bucket_of_their_own_and_is_told_what_is_left() {
        let meter = Meter::new(SLOW);
        assert_eq!([meter.take(&"a"), meter.take(&"a"), meter.take(&"a")], [Ok(2), Ok(1), Ok(0)]);
        assert_eq!(meter.take(&"a"), Err(Empty { seconds: 60 }));
        assert_eq!(meter.take(&"b"), Ok(2));
    }

    #[test]
    fn whoever_asks_nothing_more_is_forgotten_and_whoever_waits_is_not() {
        let meter = Meter::new(Rate { burst: NonZeroU32::MIN, each: Duration::from_nanos(1) });
        let waiting = Meter::new(SLOW);
        for number in 0..4 * SWEEP_EVERY {
            assert!(meter.take(&number).is_ok());
            assert_eq!(waiting.take(&0).is_ok(), number < 3);
        }
        assert!(meter.buckets.len() <= SWEEP_EVERY as usize, "{}", meter.buckets.len());
        assert_eq!(waiting.buckets.len(), 1);
    }
}
