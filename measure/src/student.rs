//! Quantiles of Student's t and of the normal distribution, on pinned `libm` so that they are equal on every machine.

use std::cell::Cell;

/// The value that a standard normal variable does not pass with probability `p`.
///
/// # Panics
/// Where `p` is not in (0, 1).
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    root(p, |x| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2))
}

/// The value that a Student t variable with `freedom` degrees does not pass with probability `p`.
///
/// # Panics
/// Where `p` is not in (0, 1), or `freedom` is 0.
#[must_use]
pub fn t_quantile(p: f64, freedom: u64) -> f64 {
    assert!(freedom > 0, "Student's t has at least one degree of freedom");
    // A report asks for the same one hundreds of times, and each takes some 40 µs.
    thread_local! {
        static LAST: Cell<(u64, u64, f64)> = const { Cell::new((0, 0, 0.0)) };
    }
    let (last_p, last_freedom, last) = LAST.get();
    if (last_p, last_freedom) == (p.to_bits(), freedom) {
        return last;
    }
    let degrees = freedom as f64;
    let quantile = root(p, |t| {
        let tail = 0.5 * incomplete_beta(degrees / 2.0, 0.5, degrees / (degrees + t * t));
        if t > 0.0 { 1.0 - tail } else { tail }
    });
    LAST.set((p.to_bits(), freedom, quantile));
    quantile
}

/// Solves `distribution(x) = p` for a distribution that is symmetric about 0, by bisection on the upper half.
fn root(p: f64, distribution: impl Fn(f64) -> f64) -> f64 {
    assert!(p > 0.0 && p < 1.0, "a quantile's probability is in (0, 1)");
    if p < 0.5 {
        return -root(1.0 - p, distribution);
    }
    let (mut low, mut high) = (0.0, 1.0);
    while distribution(high) < p {
        low = high;
        high *= 2.0;
    }
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if distribution(middle) < p { low = middle } else { high = middle }
    }
}

/// Regularised incomplete beta function I_x(a, b), by Lentz's continued fraction (DLMF 8.17.22).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let front =
        libm::exp(libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log1p(-x)) / a;
    let floor = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut c, mut d) = (1.0, 1.0 / floor(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..10_000_u32 {
        let m = f64::from(m);
        for term in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / floor(1.0 + term * d);
            c = floor(1.0 + term / c);
            fraction *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-16 {
            break;
        }
    }
    front * fraction
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

    use super::*;

    #[test]
    fn t_quantiles_equal_printed_tables() {
        // NIST/SEMATECH e-Handbook, 1.3.6.7.2, upper critical values.
        for (p, freedom, printed) in [
            (0.975, 1, 12.706),
            (0.975, 2, 4.303),
            (0.975, 4, 2.776),
            (0.975, 9, 2.262),
            (0.975, 19, 2.093),
            (0.975, 29, 2.045),
            (0.975, 99, 1.984),
            (0.95, 9, 1.833),
            (0.995, 9, 3.250),
            (0.999, 29, 3.396),
        ] {
            assert!((t_quantile(p, freedom) - printed).abs() < 6e-4, "t({p}, {freedom})");
        }
    }

    #[test]
    fn quantiles_agree_with_another_implementation() {
        let normal = Normal::standard();
        for p in [0.0005, 0.025, 0.3, 0.5, 0.9, 0.975, 0.9995] {
            assert!((normal.cdf(normal_quantile(p)) - p).abs() < 1e-9, "normal {p}");
            for freedom in [1, 2, 3, 7, 30, 199, 10_000] {
                let other = StudentsT::new(0.0, 1.0, freedom as f64).unwrap();
                assert!((other.cdf(t_quantile(p, freedom)) - p).abs() < 1e-9, "t {p} {freedom}");
            }
        }
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-12);
        assert!((t_quantile(0.975, 1_000_000) - normal_quantile(0.975)).abs() < 1e-5);
    }
}
