//! What is counted and how it is written: rates, percentiles, ratios. Whole numbers throughout.

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::load::Answers;

/// How often something happened within a second, in tenths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u64);

impl Rate {
    pub fn of(count: usize, lasted: Duration) -> Self {
        let tenths = count as u128 * 10_000_000 / lasted.as_micros().max(1);
        Self(u64::try_from(tenths).unwrap_or(u64::MAX))
    }

    /// Reads a decimal number; digits after the first of the fraction are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let tenth = fraction.get(..1)?.parse::<u64>().ok()?;
        Some(Self(whole.parse::<u64>().ok()?.checked_mul(10)?.checked_add(tenth)?))
    }

    /// The time from one to the next.
    pub fn interval(self) -> Duration {
        Duration::from_micros(10_000_000 / self.0.max(1))
    }

    /// This rate as a part of another.
    pub fn to(self, whole: Self) -> Ratio {
        Ratio(self.0 * 1_000 / whole.0.max(1))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

/// A part of something, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio(u64);

impl Ratio {
    pub const fn thousandths(thousandths: u64) -> Self {
        Self(thousandths)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

/// Milliseconds with two digits of their fraction.
pub fn milliseconds(time: Duration) -> String {
    let hundredths = (time.as_micros() + 5) / 10;
    format!("{}.{:02} ms", hundredths / 100, hundredths % 100)
}

/// The value that `percent` of all are at or below (nearest rank).
pub fn percentile(mut times: Vec<Duration>, percent: usize) -> Duration {
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100).max(1);
    times.get(rank - 1).copied().unwrap_or_default()
}

/// The one in the middle; of an even number the lower of the two.
pub fn median<T: Copy + Ord>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// Several rounds of the same.
#[derive(Debug, Default)]
pub struct Measured {
    pub rates: Vec<Rate>,
    times: Vec<Duration>,
    put_off: usize,
}

impl Measured {
    pub fn add(&mut self, answers: Answers) {
        self.rates.push(answers.rate());
        self.times.extend(answers.times);
        self.put_off += answers.put_off;
    }

    /// What it is, the median rate, p50, p99, how many were put off, and the median ratio to the reference of the same
    /// round: a machine that is slow for a while is slow for both.
    pub fn row(&self, what: &str, references: &[Rate]) -> Result<[String; 6]> {
        let rate = median(self.rates.iter().copied()).context("no rounds")?;
        let ratios = self.rates.iter().zip(references).map(|(rate, reference)| rate.to(*reference));
        let ratio = median(ratios).context("no rounds")?;
        let at = |percent| milliseconds(percentile(self.times.clone(), percent));
        Ok([what.to_owned(), rate.to_string(), at(50), at(99), self.put_off.to_string(), ratio.to_string()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_ratios_are_exact_to_their_last_digit() {
        let rate = Rate::of(1_234, Duration::from_secs(4));
        assert_eq!(rate.to_string(), "308.5");
        assert_eq!(Rate::parse("308.567"), Some(rate));
        assert_eq!(Rate::parse("12"), Some(Rate(120)));
        assert_eq!(Rate::parse("x"), None);
        assert_eq!(rate.to(Rate(10_000)).to_string(), "0.308");
        assert_eq!(rate.to(Rate::default()).to_string(), "3085.000");
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let times = || (1..=200).rev().map(Duration::from_millis).collect::<Vec<_>>();
        assert_eq!(percentile(times(), 50), Duration::from_millis(100));
        assert_eq!(percentile(times(), 99), Duration::from_millis(198));
        assert_eq!(percentile(times(), 100), Duration::from_millis(200));
        assert_eq!(percentile(Vec::new(), 99), Duration::ZERO);
        assert_eq!(milliseconds(Duration::from_micros(1_234)), "1.23 ms");
    }

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median([3, 1, 2]), Some(2));
        assert_eq!(median([4, 1, 2, 3]), Some(2));
        assert_eq!(median([0_u8; 0]), None);
    }
}
