//! The gamma distribution's function and quantile, for correlated factors of arrival rates and for queueing theory.
//!
//! Series and continued fraction as in W. H. Press et al., "Numerical Recipes", 3rd ed., section 6.2, on the pinned `libm`.

/// P(X ≤ x) for a gamma number of `shape` and scale 1.
#[must_use]
pub(crate) fn gamma_cdf(shape: f64, x: f64) -> f64 {
    incomplete_gamma(shape, x).0
}

/// The regularised lower and upper incomplete gamma functions, P(shape, x) = P(X ≤ x) and Q(shape, x) = P(X > x).
///
/// The smaller of the two never cancels. `shape` > 0.
#[must_use]
pub(crate) fn incomplete_gamma(shape: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x == f64::INFINITY {
        return (1.0, 0.0);
    }
    let front = libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    if x < shape + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / shape, 1.0 / shape, shape);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        let lower = front * sum;
        return (lower, 1.0 - lower);
    }
    let tiny = 1e-300;
    let mut b = x + 1.0 - shape;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..1_000_000_u32 {
        let i = f64::from(i);
        let a = -i * (i - shape);
        b += 2.0;
        d = 1.0 / away_from_zero(a * d + b, tiny);
        c = away_from_zero(b + a / c, tiny);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    let upper = front * fraction;
    (1.0 - upper, upper)
}

fn away_from_zero(x: f64, tiny: f64) -> f64 {
    if x.abs() < tiny { tiny } else { x }
}

/// The x at which [`gamma_cdf`] is `p`, to about 10⁻¹⁴ relative. `p` in [0, 1).
#[must_use]
pub(crate) fn gamma_quantile(shape: f64, p: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, shape.max(1.0));
    while gamma_cdf(shape, high) < p && high < 1e6 * shape.max(1.0) {
        low = high;
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if gamma_cdf(shape, middle) < p {
            low = middle;
        } else {
            high = middle;
        }
        if high - low <= 1e-14 * high {
            break;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Erlang: P(X ≤ x) = 1 − e⁻ˣ Σ xᵏ/k!.
    #[test]
    fn agrees_with_erlang() {
        for x in [0.01, 0.5, 1.0, 2.7, 4.0, 10.0, 30.0] {
            let erlang = 1.0 - libm::exp(-x) * (1.0 + x + x * x / 2.0);
            assert!((gamma_cdf(3.0, x) - erlang).abs() < 1e-14, "{x}");
            assert!((gamma_cdf(1.0, x) - (1.0 - libm::exp(-x))).abs() < 1e-14, "{x}");
        }
    }

    #[test]
    fn the_quantile_inverts() {
        for shape in [0.3, 1.0, 4.0, 80.0] {
            for p in [1e-6, 0.01, 0.5, 0.9, 0.999] {
                let back = gamma_cdf(shape, gamma_quantile(shape, p));
                assert!((back / p - 1.0).abs() < 1e-10, "shape {shape}, p {p}: {back}");
            }
        }
    }
}
