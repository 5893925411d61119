//! How long something took, counted without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Classes: a quarter of a doubling each, from 1 ns to as long as 64 bits of them.
const CLASSES: usize = 64 * 4;

/// Counts of times, by class.
#[derive(Debug)]
pub struct Times([AtomicU64; CLASSES]);

impl Default for Times {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; CLASSES])
    }
}

impl Times {
    pub(super) fn note(&self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(1);
        // The leading one's place, then the two bits behind it.
        let doubling = ns.ilog2();
        let quarter = ns << (63 - doubling) >> 61 & 0b11;
        let class = u64::from(doubling) * 4 + quarter;
        self.0[usize::try_from(class).expect("it is below 256")].fetch_add(1, Ordering::Relaxed);
    }

    /// What so many percent did not exceed: the upper end of their class, a quarter too long at most. Zero where none were noted.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Duration {
        let counts: Vec<u64> = self.0.iter().map(|class| class.load(Ordering::Relaxed)).collect();
        let mut left = (counts.iter().sum::<u64>() * percent).div_ceil(100);
        for (class, count) in (0u64..).zip(counts) {
            if left <= count && left > 0 {
                let end = (u128::from(class % 4 + 5) << (class / 4)) / 4;
                return Duration::from_nanos(u64::try_from(end).unwrap_or(u64::MAX));
            }
            left = left.saturating_sub(count);
        }
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_at_most_a_quarter_too_long() {
        let times = Times::default();
        assert_eq!(times.percentile(99), Duration::ZERO, "none were noted");
        for us in 1..=100 {
            times.note(Duration::from_micros(us));
        }
        for (percent, us) in [(1, 1), (50, 50), (99, 99), (100, 100)] {
            let (found, exact) = (times.percentile(percent), Duration::from_micros(us));
            assert!((exact..=exact * 5 / 4).contains(&found), "{percent} %: {found:?}");
        }
        times.note(Duration::ZERO);
        times.note(Duration::MAX);
        assert_eq!(times.percentile(100), Duration::from_nanos(u64::MAX));
    }
}
