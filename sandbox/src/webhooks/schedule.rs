//! When a failed delivery is tried again, and when an endpoint is switched off (Whop documentation, webhooks).

use std::time::Duration;

/// Retries after the first attempt: 30 s, 2 min, 8 min, 30 min, 1 h, 3 h, 6 h, then every 12 h.
const WAITS_SECONDS: [u64; 12] = [30, 120, 480, 1_800, 3_600, 10_800, 21_600, 43_200, 43_200, 43_200, 43_200, 43_200];

/// An endpoint is disabled after failing this long ...
const DISABLE_AFTER: Duration = Duration::from_hours(72);
/// ... and at least this often.
const DISABLE_FAILURES_MIN: u32 = 10;

/// How long to wait after `tries` failed attempts; none when the schedule is over.
pub fn wait_after(tries: u32, time_scale: f64) -> Option<Duration> {
    let index = usize::try_from(tries.checked_sub(1)?).ok()?;
    WAITS_SECONDS.get(index).map(|seconds| squeezed(Duration::from_secs(*seconds), time_scale))
}

/// Whether an endpoint that failed so often, for so long, is switched off.
pub fn is_given_up(consecutive_failures: u32, failing_for: Duration, time_scale: f64) -> bool {
    consecutive_failures >= DISABLE_FAILURES_MIN && failing_for >= squeezed(DISABLE_AFTER, time_scale)
}

fn squeezed(wait: Duration, time_scale: f64) -> Duration {
    wait.div_f64(time_scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_retries_take_about_71_hours() {
        let waits: Vec<_> = (1..).map_while(|tries| wait_after(tries, 1.0)).collect();
        assert_eq!(waits.len(), 12);
        assert_eq!(waits[0], Duration::from_secs(30));
        assert_eq!(waits[6], Duration::from_hours(6));
        let hours = waits.iter().sum::<Duration>().as_secs() / 3600;
        assert_eq!(hours, 70, "and 40 minutes");
        assert_eq!(wait_after(0, 1.0), None);
    }

    #[test]
    fn time_can_be_squeezed() {
        assert_eq!(wait_after(1, 60.0), Some(Duration::from_millis(500)));
        assert_eq!(wait_after(1, 0.5), Some(Duration::from_mins(1)));
    }

    #[test]
    fn an_endpoint_is_given_up_only_after_long_and_often() {
        let hours = Duration::from_hours;
        assert!(is_given_up(10, hours(72), 1.0));
        assert!(!is_given_up(9, hours(100), 1.0));
        assert!(!is_given_up(50, hours(71), 1.0));
        assert!(is_given_up(10, Duration::from_secs(72), 3600.0));
    }
}
