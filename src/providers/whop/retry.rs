//! When a call is made again, and after how long.

use std::time::Duration;

use super::error::{ApiError, WhopError};

/// How long and how often we try.
#[derive(Debug, Clone)]
pub struct Limits {
    pub connect: Duration,
    /// For one try, up to the last byte of the answer.
    pub attempt: Duration,
    /// For all tries and the waits between them.
    pub call: Duration,
    pub tries: u32,
    /// The first wait; each further one is twice as long. The real wait lies between half of it and all of it.
    pub wait: Duration,
    /// Above it an answer is not read.
    pub answer_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            attempt: Duration::from_secs(10),
            call: Duration::from_secs(15),
            tries: 3,
            wait: Duration::from_millis(250),
            answer_bytes_max: 1024 * 1024,
        }
    }
}

/// What repeating a call would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing: it only reads.
    Reads,
    /// Nothing: Whop knows it by its idempotency key.
    Keyed,
    /// Perhaps it would be carried out twice.
    Risky,
}

/// How long to wait before the next try, after `tries` of them. None: it would be wrong, useless or too late.
pub fn wait_before_next(
    limits: &Limits,
    repeat: Repeat,
    failure: &WhopError,
    tries: u32,
    left: Duration,
) -> Option<Duration> {
    if tries >= limits.tries || !may_help(repeat, failure) {
        return None;
    }
    // Asking before the time that Whop names would only be refused again: then rather not at all.
    let wait = asked_for(failure).unwrap_or_else(|| jittered(limits.wait * 2_u32.pow(tries.saturating_sub(1).min(16))));
    (wait < left).then_some(wait)
}

fn may_help(repeat: Repeat, failure: &WhopError) -> bool {
    match failure {
        WhopError::Unreachable(_) => repeat != Repeat::Risky,
        // Without a key a 409 is a state that doesn't allow the call; with one it is the first try, still running.
        WhopError::Api(ApiError { status: 409, .. }) => repeat == Repeat::Keyed,
        WhopError::Api(answer) => repeat != Repeat::Risky && answer.is_temporary(),
        WhopError::Unreadable(_) | WhopError::Unsendable(_) => false,
    }
}

fn asked_for(failure: &WhopError) -> Option<Duration> {
    if let WhopError::Api(answer) = failure { answer.retry_after } else { None }
}

/// So that those who failed together don't come back together.
fn jittered(wait: Duration) -> Duration {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(rand::random_range(wait_ms / 2..=wait_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Duration = Duration::from_secs(15);

    fn answer(status: u16, retry_after: Option<Duration>) -> WhopError {
        WhopError::Api(ApiError { status, kind: String::new(), code: None, message: String::new(), retry_after })
    }

    fn is_repeated(repeat: Repeat, failure: &WhopError) -> bool {
        wait_before_next(&Limits::default(), repeat, failure, 1, LEFT).is_some()
    }

    #[test]
    fn only_what_is_safe_and_may_help_is_repeated() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(is_repeated(Repeat::Reads, &answer(status, None)), "{status}");
            assert!(is_repeated(Repeat::Keyed, &answer(status, None)), "{status}");
            assert!(!is_repeated(Repeat::Risky, &answer(status, None)), "{status}");
        }
        for status in [300, 400, 401, 403, 404, 410, 422] {
            assert!(!is_repeated(Repeat::Keyed, &answer(status, None)), "{status}");
        }
        assert!(is_repeated(Repeat::Keyed, &answer(409, None)));
        assert!(!is_repeated(Repeat::Reads, &answer(409, None)));
        let unreachable = WhopError::Unreachable(String::new());
        assert!(is_repeated(Repeat::Reads, &unreachable) && is_repeated(Repeat::Keyed, &unreachable));
        assert!(!is_repeated(Repeat::Risky, &unreachable));
        assert!(!is_repeated(Repeat::Keyed, &WhopError::Unreadable(String::new())));
    }

    #[test]
    fn waits_grow_and_stay_within_their_bounds() {
        let limits = Limits { tries: 10, ..Limits::default() };
        for (tries, longest_ms) in [(1, 250), (2, 500), (3, 1_000)] {
            for _ in 0..50 {
                let wait = wait_before_next(&limits, Repeat::Reads, &answer(503, None), tries, LEFT);
                let wait_ms = wait.unwrap_or_default().as_millis();
                assert!((longest_ms / 2..=longest_ms).contains(&wait_ms), "{wait_ms} after {tries}");
            }
        }
        assert_eq!(wait_before_next(&limits, Repeat::Reads, &answer(503, None), 10, LEFT), None);
    }

    #[test]
    fn a_wait_that_whop_asks_for_is_kept_or_the_call_given_up() {
        let limits = Limits::default();
        let seven = Duration::from_secs(7);
        assert_eq!(wait_before_next(&limits, Repeat::Reads, &answer(429, Some(seven)), 1, LEFT), Some(seven));
        let minute = Some(Duration::from_mins(1));
        assert_eq!(wait_before_next(&limits, Repeat::Reads, &answer(429, minute), 1, LEFT), None);
    }
}
