//! Tests of fit and the special functions behind them. Not used by any sampler.

use statrs::function::{erf, gamma};

/// Probability that a χ² variable with `freedom` degrees exceeds `x`.
#[must_use]
pub fn chi_square_above(x: f64, freedom: f64) -> f64 {
    if x <= 0.0 || freedom <= 0.0 { 1.0 } else { gamma::gamma_ur(freedom / 2.0, x / 2.0) }
}

/// Standard normal distribution function.
#[must_use]
pub fn normal_below(z: f64) -> f64 {
    0.5 * erf::erfc(-z / std::f64::consts::SQRT_2)
}

/// Kolmogorov and Smirnov: the largest distance between the sample's distribution function and `cdf`, and the
/// asymptotic probability of a larger one (Stephens' correction for finite n). With parameters estimated from the same
/// sample the probability is too large. `sorted` is ascending.
#[must_use]
pub fn kolmogorov_smirnov(sorted: &[f64], cdf: impl Fn(f64) -> f64) -> (f64, f64) {
    let n = sorted.len() as f64;
    let mut distance: f64 = 0.0;
    let mut below = 0.0;
    for ties in sorted.chunk_by(|a, b| a == b) {
        let f = cdf(ties[0]);
        let upto = below + ties.len() as f64;
        distance = distance.max((f - below / n).abs()).max((upto / n - f).abs());
        below = upto;
    }
    let lambda = (n.sqrt() + 0.12 + 0.11 / n.sqrt()) * distance;
    // The series alternates and does not converge near 0, where the probability is 1.
    if lambda < 0.2 {
        return (distance, 1.0);
    }
    let p: f64 = (1..=100_i32)
        .map(|j| {
            let sign = if j % 2 == 1 { 2.0 } else { -2.0 };
            sign * (-2.0 * f64::from(j * j) * lambda * lambda).exp()
        })
        .sum();
    (distance, p.clamp(0.0, 1.0))
}

/// The zero of a function that changes sign between `low` and `high`, by bisection on a logarithmic scale.
pub(super) fn bisect(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let rising = f(high) > f(low);
    for _ in 0..200 {
        let middle = (low * high).sqrt();
        if (f(middle) > 0.0) == rising { high = middle } else { low = middle }
    }
    (low * high).sqrt()
}

/// Arithmetic mean; 0 of nothing.
pub(super) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The middle value; 0 of nothing.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_the_textbook() {
        assert!((chi_square_above(18.307, 10.0) - 0.05).abs() < 1e-5);
        assert!((normal_below(1.959_964) - 0.975).abs() < 1e-7);
        // A uniform sample on its own quantiles lies 1/(2n) away.
        let sample: Vec<f64> = (0..100).map(|i| (f64::from(i) + 0.5) / 100.0).collect();
        let (distance, p) = kolmogorov_smirnov(&sample, |x| x);
        assert!((distance - 0.005).abs() < 1e-12 && p > 0.999);
        // The 5 % point of the asymptotic distribution is 1.358.
        let (_, p) = kolmogorov_smirnov(&sample, |x| (x - 0.1291).max(0.0));
        assert!((p - 0.05).abs() < 0.01, "{p}");
    }
}
