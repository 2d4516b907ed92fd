//! How long many things took, by steps that are at most a sixteenth wide. Two of them add up to one, so quarters add up to days.

use std::collections::BTreeMap;

use time::Duration;

/// How many there were of each step, by its shortest time in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times(BTreeMap<i64, i64>);

impl Times {
    pub fn add(&mut self, shortest_ms: i64, count: i64) {
        *self.0.entry(shortest_ms).or_default() += count;
    }

    pub fn count(&self) -> i64 {
        self.0.values().sum()
    }

    /// How many took at least `from_ms` and less than `to_ms`, by the step that they are in.
    pub fn between(&self, from_ms: i64, to_ms: i64) -> i64 {
        self.0.range(from_ms..to_ms).map(|(_, count)| count).sum()
    }

    /// The middle of the step within which `percent` of all had ended. None: there were none.
    pub fn percentile(&self, percent: i64) -> Option<Duration> {
        let all = self.count();
        let mut left = (all * percent + 99) / 100;
        for (shortest, count) in &self.0 {
            left -= count;
            if left <= 0 && all > 0 {
                return Some(Duration::milliseconds(shortest + width(*shortest) / 2));
            }
        }
        None
    }
}

/// How wide the step is that begins here (`time_step` in the database): five binary digits count.
const fn width(shortest_ms: i64) -> i64 {
    let digits = 64 - (shortest_ms | 1).leading_zeros();
    1 << digits.saturating_sub(5)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_percentile_is_within_a_sixteenth() {
        let mut times = Times::default();
        assert_eq!(times.percentile(50), None);
        for shortest in [10, 1_000, 4_096] {
            times.add(shortest / width(shortest) * width(shortest), 10);
        }
        for (percent, true_ms) in [(1, 10), (33, 10), (34, 1_000), (66, 1_000), (67, 4_096), (95, 4_096), (100, 4_096)]
        {
            let said = i64::try_from(times.percentile(percent).unwrap().whole_milliseconds()).unwrap();
            assert!((said - true_ms).abs() * 16 <= true_ms, "p{percent}: {said} ms for {true_ms} ms");
        }
    }
}
