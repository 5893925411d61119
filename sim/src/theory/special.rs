//! Special functions that the patience distributions need.

/// P(2, y) and P(3, y): 1 − e^−y (1 + y) and 1 − e^−y (1 + y + y²/2), given `e` = e^−y.
pub(super) fn lower_gamma_2_3(y: f64, e: f64) -> (f64, f64) {
    const RATIOS: [f64; 12] = [
        1.0 / 4.0,
        1.0 / 5.0,
        1.0 / 6.0,
        1.0 / 7.0,
        1.0 / 8.0,
        1.0 / 9.0,
        1.0 / 10.0,
        1.0 / 11.0,
        1.0 / 12.0,
        1.0 / 13.0,
        1.0 / 14.0,
        1.0 / 15.0,
    ];
    if y < 0.25 {
        // The closed forms would cancel: e^−y · y³/6 · (1 + y/4 + y²/20 + …), and P(2) from P(3).
        let series = RATIOS.iter().rev().fold(1.0, |sum, ratio| 1.0 + y * ratio * sum);
        let third = e * y * y * y / 6.0 * series;
        (third + e * y * y / 2.0, third)
    } else {
        let second = 1.0 - e * (1.0 + y);
        (second, second - e * y * y / 2.0)
    }
}

/// The standard normal distribution function.
pub(super) fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * core::f64::consts::FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incomplete_gamma::incomplete_gamma;

    #[test]
    fn incomplete_gamma_meets_its_closed_forms() {
        for x in [1e-9, 0.01, 0.3, 0.9, 2.0, 7.5, 40.0, 300.0] {
            let (p1, q1) = incomplete_gamma(1.0, x);
            assert!((p1 + (-x).exp_m1()).abs() <= 1e-14 * p1, "P(1, {x})");
            assert!((q1 - (-x).exp()).abs() <= 1e-13, "Q(1, {x})");
            let (p2, p3) = lower_gamma_2_3(x, (-x).exp());
            assert!((incomplete_gamma(2.0, x).0 - p2).abs() <= 1e-13 * p2, "P(2, {x})");
            assert!((incomplete_gamma(3.0, x).0 - p3).abs() <= 1e-12 * p3, "P(3, {x})");
            let (half, _) = incomplete_gamma(0.5, x);
            assert!((half - libm::erf(x.sqrt())).abs() <= 1e-13 * half, "P(0.5, {x})");
        }
    }

    #[test]
    fn normal_distribution_function_meets_its_table() {
        // Abramowitz and Stegun, table 26.1.
        for (z, p) in [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (-2.0, 0.022_750_131_948_179)] {
            assert!((normal_cdf(z) - p).abs() < 1e-14);
        }
    }
}
