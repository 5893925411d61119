//! Values with their intervals: Student t over replications, paired differences, Wilson's for a share of days.

use serde::{Deserialize, Serialize};

use crate::{normal_quantile, t_quantile};

/// A confidence interval, `low ≤ high`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Half of the width.
    #[must_use]
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// Whether `value` lies in the interval, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// A figure with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The point estimate.
    pub value: f64,
    /// The interval; `None` with fewer than two replications, or for a figure that has none.
    pub interval: Option<Interval>,
    /// Number of replications behind it.
    pub replications: u64,
}

impl Estimate {
    /// Half width ÷ |value|: what sequential stopping compares with the wanted precision.
    ///
    /// `None` without an interval. 0 where the interval has no width; infinite for a value of 0 with one.
    #[must_use]
    pub fn relative_half_width(&self) -> Option<f64> {
        let half = self.interval?.half_width();
        Some(if half == 0.0 { 0.0 } else { half / self.value.abs() })
    }

    /// The same figure with both ends of its interval kept in `[low, high]`.
    #[must_use]
    pub fn clamped(mut self, low: f64, high: f64) -> Self {
        if let Some(interval) = &mut self.interval {
            interval.low = interval.low.clamp(low, high);
            interval.high = interval.high.clamp(low, high);
        }
        self
    }
}

/// Sums and sums of products of numerators `x` and denominators `y` over replications: all that a ratio's interval needs.
///
/// The estimate is the ratio of sums `Σx ÷ Σy`. Its interval is Student's t on the residuals `x − r·y` (the delta method;
/// Law, Simulation Modeling and Analysis, 5th ed., section 9.5; Cochran, Sampling Techniques, section 6.3).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Ratio {
    /// Number of replications.
    pub n: u64,
    /// Σx.
    pub x: f64,
    /// Σy.
    pub y: f64,
    /// Σx².
    pub xx: f64,
    /// Σxy.
    pub xy: f64,
    /// Σy².
    pub yy: f64,
}

impl Ratio {
    /// Sums over pairs `(x, y)`, in their order.
    pub fn over(pairs: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut sums = Self::default();
        for (x, y) in pairs {
            sums.n += 1;
            sums.x += x;
            sums.y += y;
            sums.xx += x * x;
            sums.xy += x * y;
            sums.yy += y * y;
        }
        sums
    }

    /// The ratio with its interval of confidence `level`; `None` if the denominators add up to 0.
    #[must_use]
    pub fn estimate(&self, level: f64) -> Option<Estimate> {
        if self.y == 0.0 {
            return None;
        }
        let value = self.x / self.y;
        let interval = (self.n >= 2).then(|| {
            let n = self.n as f64;
            let squares = (self.xx - 2.0 * value * self.xy + value * value * self.yy).max(0.0);
            // Where all residuals are 0, only the rounding of the sums is left.
            let squares = if squares < 1e-13 * self.xx { 0.0 } else { squares };
            let half = half_width(squares / (n - 1.0), self.n, level) / (self.y / n).abs();
            Interval { low: value - half, high: value + half }
        });
        Some(Estimate { value, interval, replications: self.n })
    }
}

/// `t · s ÷ √n` for a variance `s²` estimated from `n` values.
pub(crate) fn half_width(variance: f64, n: u64, level: f64) -> f64 {
    t_quantile(f64::midpoint(1.0, level), n - 1) * (variance / n as f64).sqrt()
}

/// Mean of `values`, with Student's t interval; `None` of nothing.
#[must_use]
pub fn mean_interval(values: &[f64], level: f64) -> Option<Estimate> {
    let n = values.len() as u64;
    if n == 0 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    let interval = (n >= 2).then(|| {
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let half = half_width(squares / (n - 1) as f64, n, level);
        Interval { low: mean - half, high: mean + half }
    });
    Some(Estimate { value: mean, interval, replications: n })
}

/// Mean of `b − a` over pairs that share their random numbers, with the paired t interval; `None` of nothing.
///
/// # Panics
/// Where the two differ in length.
#[must_use]
pub fn mean_difference(a: &[f64], b: &[f64], level: f64) -> Option<Estimate> {
    assert_eq!(a.len(), b.len(), "a paired difference needs a pair for each replication");
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
    mean_interval(&differences, level)
}

/// Share of `met` out of `n` days, with Wilson's interval; `None` if `n` is 0.
///
/// Source: Wilson (1927), JASA 22, 209–212. It stays in [0, 1] and has a width even where none or all were met.
#[must_use]
pub fn wilson(met: u64, n: u64, level: f64) -> Option<Estimate> {
    if n == 0 {
        return None;
    }
    let (share, count) = (met as f64 / n as f64, n as f64);
    let z = normal_quantile(f64::midpoint(1.0, level));
    let spread = z * ((share * (1.0 - share) + z * z / (4.0 * count)) / count).sqrt();
    let (middle, scale) = (share + z * z / (2.0 * count), 1.0 + z * z / count);
    let interval = Interval { low: ((middle - spread) / scale).max(0.0), high: ((middle + spread) / scale).min(1.0) };
    Some(Estimate { value: share, interval: Some(interval), replications: n })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uniform in (0, 1): splitmix64, enough for a test.
    fn uniform(state: &mut u64) -> f64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    #[test]
    fn a_known_sample_gives_the_textbook_interval() {
        // Mean 3, s² = 2.5, t(4) = 2.776: 3 ± 1.963.
        let estimate = mean_interval(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95).unwrap();
        let interval = estimate.interval.unwrap();
        assert!((estimate.value - 3.0).abs() < 1e-12 && (interval.half_width() - 1.963_243).abs() < 1e-5);
        let ratio = Ratio::over([1.0, 2.0, 3.0, 4.0, 5.0].map(|x| (x, 1.0))).estimate(0.95).unwrap();
        assert!((ratio.interval.unwrap().low - interval.low).abs() < 1e-9, "with y = 1 the ratio is the mean");
    }

    #[test]
    fn wilson_equals_the_published_example() {
        // Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611.
        let interval = wilson(81, 263, 0.95).unwrap().interval.unwrap();
        assert!((interval.low - 0.2553).abs() < 5e-5 && (interval.high - 0.3662).abs() < 5e-5);
        let none = wilson(0, 20, 0.95).unwrap().interval.unwrap();
        assert!(none.low.abs() < 1e-12 && (none.high - 0.1611).abs() < 5e-5);
    }

    #[test]
    fn ninety_five_percent_intervals_cover_the_truth_in_about_95_percent_of_runs() {
        let mut state = 7;
        let (runs, mut means, mut ratios) = (4_000, 0, 0);
        for _ in 0..runs {
            let pairs: Vec<(f64, f64)> = (0..20)
                .map(|_| {
                    let y = 80.0 + 40.0 * uniform(&mut state);
                    (0.8 * y + 10.0 * (uniform(&mut state) - 0.5), y)
                })
                .collect();
            ratios +=
                u32::from(Ratio::over(pairs.iter().copied()).estimate(0.95).unwrap().interval.unwrap().contains(0.8));
            let x: Vec<f64> = pairs.iter().map(|pair| pair.0).collect();
            means += u32::from(mean_interval(&x, 0.95).unwrap().interval.unwrap().contains(80.0));
        }
        for (what, covered) in [("means", means), ("ratios", ratios)] {
            let share = f64::from(covered) / f64::from(runs);
            assert!((0.93..=0.97).contains(&share), "{what} covered {share}");
        }
    }

    #[test]
    fn common_noise_cancels_in_a_paired_difference() {
        let mut state = 3;
        let a: Vec<f64> = (0..30).map(|_| uniform(&mut state) * 100.0).collect();
        let b: Vec<f64> = a.iter().map(|a| a + 4.0 + 0.1 * (uniform(&mut state) - 0.5)).collect();
        let paired = mean_difference(&a, &b, 0.95).unwrap();
        assert!(paired.interval.unwrap().contains(4.0) && paired.interval.unwrap().half_width() < 0.05);
    }
}
