//! A log-linear histogram of waits: integer buckets, so that merging is exact and the order of merging cannot matter.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeSeq};

/// Bits of a value that a bucket resolves: every power of two is cut into 64 buckets, each at most 1.6 % wide.
const BITS: u32 = 7;
const LINEAR: usize = 1 << BITS;
const PER_OCTAVE: usize = 1 << (BITS - 1);
/// Values from 2^44 µs (203 days) on share the last bucket.
const OCTAVES: usize = 44 - BITS as usize;
const BUCKETS: usize = LINEAR + OCTAVES * PER_OCTAVE;
/// Memory of a histogram, with its buckets.
pub(crate) const BYTES: usize = size_of::<Histogram>() + size_of::<[u64; BUCKETS]>();

/// Counts of values in µs: exact below 128 µs, else in buckets at most 1.6 % wide, up to 203 days.
///
/// The layout is that of HDR histograms (Tene, HdrHistogram) with a fixed size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    buckets: Box<[u64]>,
    count: u64,
    max_us: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    /// An empty histogram.
    #[must_use]
    pub fn new() -> Self {
        Self { buckets: vec![0; BUCKETS].into_boxed_slice(), count: 0, max_us: 0 }
    }

    /// Counts `value_us` once.
    #[inline]
    pub fn record(&mut self, value_us: u64) {
        self.buckets[bucket_of(value_us)] += 1;
        self.count += 1;
        self.max_us = self.max_us.max(value_us);
    }

    /// Adds all counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (sum, count) in self.buckets.iter_mut().zip(&other.buckets) {
            *sum = sum.saturating_add(*count);
        }
        self.count = self.count.saturating_add(other.count);
        self.max_us = self.max_us.max(other.max_us);
    }

    /// Forgets everything; keeps the memory.
    pub fn clear(&mut self) {
        self.buckets.fill(0);
        self.count = 0;
        self.max_us = 0;
    }

    /// Number of values.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The largest value, exact, in µs; 0 where there is none.
    #[must_use]
    pub const fn max_us(&self) -> u64 {
        self.max_us
    }

    /// The value that a share `q` of all values does not pass, in µs; `None` where there is none.
    ///
    /// The value of rank `ceil(q × count)`, placed in its bucket by its rank there; at most 1.6 % off.
    ///
    /// # Panics
    /// Where `q` is not in [0, 1].
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "q is in [0, 1], so the rank is in 0..=count"
    )]
    pub fn quantile_us(&self, q: f64) -> Option<u64> {
        assert!((0.0..=1.0).contains(&q), "a quantile's share is in [0, 1]");
        if self.count == 0 {
            return None;
        }
        let rank = (libm::ceil(q * self.count as f64) as u64).clamp(1, self.count);
        let mut below = 0;
        for (index, &count) in self.buckets.iter().enumerate() {
            if count >= rank - below {
                let (low, width) = bounds_of(index);
                let inside = u128::from(width - 1) * u128::from(rank - below) / u128::from(count);
                return Some((low + inside as u64).min(self.max_us));
            }
            below += count;
        }
        // The buckets add up to `count`, unless sums were saturated.
        Some(self.max_us)
    }

    /// The share of values not above `value_us`; `None` where there is none. Values of its own bucket count in proportion.
    #[must_use]
    pub fn share_up_to(&self, value_us: u64) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let last = bucket_of(value_us);
        let below = self.buckets[..last].iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        let (low, width) = bounds_of(last);
        let part = self.buckets[last] as f64 * ((value_us - low + 1) as f64 / width as f64).min(1.0);
        Some((below as f64 + part) / self.count as f64)
    }

    /// The non-empty buckets as `(lowest value in µs, width in µs, count)`, in order.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> + '_ {
        self.buckets.iter().enumerate().filter(|(_, count)| **count > 0).map(|(index, &count)| {
            let (low, width) = bounds_of(index);
            (low, width, count)
        })
    }
}

#[inline]
const fn bucket_of(value: u64) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "below 128, or shifted to below 128")]
    if value < LINEAR as u64 {
        value as usize
    } else {
        let octave = value.ilog2() - BITS;
        let index = LINEAR + octave as usize * PER_OCTAVE + ((value >> (octave + 1)) as usize - PER_OCTAVE);
        if index < BUCKETS { index } else { BUCKETS - 1 }
    }
}

/// `(lowest value, width)` of a bucket.
const fn bounds_of(index: usize) -> (u64, u64) {
    if index < LINEAR {
        return (index as u64, 1);
    }
    let octave = (index - LINEAR) / PER_OCTAVE;
    let within = (index - LINEAR) % PER_OCTAVE;
    (((PER_OCTAVE + within) as u64) << (octave + 1), 1 << (octave + 1))
}

/// Written as `[max_us, [bucket, count], …]`.
impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let filled = || self.buckets.iter().enumerate().filter(|(_, count)| **count > 0);
        let mut seq = serializer.serialize_seq(Some(filled().count() + 1))?;
        seq.serialize_element(&(self.max_us, self.count))?;
        for (index, count) in filled() {
            seq.serialize_element(&(index, count))?;
        }
        seq.end()
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let pairs = Vec::<(u64, u64)>::deserialize(deserializer)?;
        let mut histogram = Self::new();
        let Some((&(max_us, count), filled)) = pairs.split_first() else {
            return Err(D::Error::custom("a histogram starts with its maximum and its count, found nothing"));
        };
        for &(index, count) in filled {
            let bucket = usize::try_from(index).ok().and_then(|index| histogram.buckets.get_mut(index));
            let Some(bucket) = bucket else {
                return Err(D::Error::custom(format!("a histogram has buckets 0 to {}, found {index}", BUCKETS - 1)));
            };
            if std::mem::replace(bucket, count) != 0 {
                return Err(D::Error::custom(format!("a histogram has bucket {index} twice")));
            }
        }
        let sum = filled.iter().try_fold(0_u64, |sum, pair| sum.checked_add(pair.1));
        if sum != Some(count) {
            return Err(D::Error::custom(format!("a histogram of {count} values whose buckets do not add up to it")));
        }
        histogram.count = count;
        histogram.max_us = max_us;
        Ok(histogram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_tile_the_line_without_gap_or_overlap() {
        let mut next = 0;
        for index in 0..BUCKETS {
            let (low, width) = bounds_of(index);
            assert_eq!(low, next, "bucket {index}");
            assert_eq!(bucket_of(low), index);
            assert_eq!(bucket_of(low + width - 1), index);
            assert!(low < LINEAR as u64 || width as f64 / low as f64 <= 1.0 / 64.0);
            next = low + width;
        }
        assert_eq!(next, 1 << 44);
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_within_a_bucket_of_the_sorted_values() {
        let mut values: Vec<u64> = (0..10_000_u64).map(|i| (i * i * 7919) % 300_000_000).collect();
        let mut histogram = Histogram::new();
        values.iter().for_each(|&value| histogram.record(value));
        values.sort_unstable();
        for (q, rank) in [(0.0, 1), (0.25, 2_500), (0.5, 5_000), (0.9, 9_000), (0.999, 9_990), (1.0, 10_000)] {
            let exact = values[rank - 1] as f64;
            let found = histogram.quantile_us(q).unwrap() as f64;
            assert!((found - exact).abs() <= exact / 64.0 + 1.0, "q {q}: {found} for {exact}");
        }
        assert_eq!(histogram.quantile_us(1.0), values.last().copied());
        let share = histogram.share_up_to(100_000_000).unwrap();
        let exact = values.iter().filter(|v| **v <= 100_000_000).count() as f64 / 10_000.0;
        assert!((share - exact).abs() < 0.01, "{share} for {exact}");
    }

    #[test]
    fn merging_equals_recording_together_and_survives_json() {
        let (mut left, mut right, mut both) = (Histogram::new(), Histogram::new(), Histogram::new());
        for value in [0, 0, 5, 127, 128, 20_000_000, 1 << 50] {
            left.record(value);
            both.record(value);
        }
        for value in [3, 20_000_001, 90_000_000] {
            right.record(value);
            both.record(value);
        }
        left.merge(&right);
        assert_eq!(left, both);
        let json = serde_json::to_string(&left).unwrap();
        assert_eq!(serde_json::from_str::<Histogram>(&json).unwrap(), both);
        assert!(serde_json::from_str::<Histogram>("[[5,2],[3,1]]").is_err());
        assert!(serde_json::from_str::<Histogram>("[[5,1],[99999,1]]").is_err());
    }
}
