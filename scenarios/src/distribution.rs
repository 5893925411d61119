//! Distributions of spans: talk, patience, ring times and the like.

/// A distribution of a span in seconds. Parameters are checked: positive where they must be, weights sum to 1.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// Infinite: a customer who never leaves.
    Never,
    /// Always the same value, at least 0.
    Constant {
        /// The value in seconds.
        value_s: f64,
    },
    /// Every value between two bounds alike.
    Uniform {
        /// Lower bound in seconds, at least 0.
        low_s: f64,
        /// Upper bound in seconds, greater than the lower.
        high_s: f64,
    },
    /// Exponential.
    Exponential {
        /// Mean in seconds, greater than 0.
        mean_s: f64,
    },
    /// Lognormal: the logarithm of the value in seconds is normal.
    Lognormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm, greater than 0.
        sigma: f64,
    },
    /// Gamma; Erlang-k where the shape is the whole number k.
    Gamma {
        /// Shape, greater than 0.
        shape: f64,
        /// Scale in seconds, greater than 0; the mean is shape × scale.
        scale_s: f64,
    },
    /// Weibull, with survival exp(−(t ÷ scale)^shape).
    Weibull {
        /// Shape, greater than 0.
        shape: f64,
        /// Scale in seconds, greater than 0.
        scale_s: f64,
    },
    /// Hyperexponential: one of several exponentials.
    Hyperexponential {
        /// Branches; weights sum to 1.
        branches: Vec<Branch>,
    },
    /// One of the given values, each equally likely.
    Empirical {
        /// Values in seconds, ascending.
        values_s: Vec<f64>,
    },
    /// A continuous distribution through given quantiles, linear between them.
    Quantiles {
        /// Points from probability 0 to probability 1; neither coordinate falls. A value that is there twice has a
        /// probability of its own; between two values of one probability there is nothing.
        points: Vec<QuantilePoint>,
    },
    /// One of several populations, such as ordinary calls and very short ones.
    Mixture {
        /// Parts; weights sum to 1.
        parts: Vec<Part>,
    },
    /// Constant hazard by pieces: the rate at which those still there leave.
    Hazard {
        /// Pieces, the first from 0, ascending; the last has no end.
        pieces: Vec<HazardPiece>,
    },
    /// Another distribution, moved to the right.
    Shifted {
        /// Added to every value, in seconds, greater than 0.
        by_s: f64,
        /// What is moved.
        of: Box<Self>,
    },
}

/// One exponential of a hyperexponential distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Branch {
    /// Probability of this branch.
    pub weight: f64,
    /// Its mean in seconds.
    pub mean_s: f64,
}

/// One point of a quantile function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantilePoint {
    /// Share of values at or below `value_s`.
    pub probability: f64,
    /// The quantile in seconds.
    pub value_s: f64,
}

/// One population of a mixture.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Share of this population.
    pub weight: f64,
    /// Its distribution.
    pub distribution: Distribution,
}

/// A piece of constant hazard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HazardPiece {
    /// Where it starts, in seconds of waiting.
    pub from_s: f64,
    /// Rate of leaving per second, at least 0. With a last rate of 0 those who are left never leave.
    pub per_s: f64,
}

impl Distribution {
    /// The mean in seconds; infinite where some never leave.
    ///
    /// ```
    /// use callfloor_scenario::Distribution;
    /// assert_eq!(Distribution::Uniform { low_s: 10.0, high_s: 30.0 }.mean_s(), 20.0);
    /// assert_eq!(Distribution::Never.mean_s(), f64::INFINITY);
    /// ```
    #[must_use]
    pub fn mean_s(&self) -> f64 {
        match self {
            Self::Never => f64::INFINITY,
            Self::Constant { value_s } => *value_s,
            Self::Uniform { low_s, high_s } => (low_s + high_s) / 2.0,
            Self::Exponential { mean_s } => *mean_s,
            Self::Lognormal { mu, sigma } => libm::exp(mu + sigma * sigma / 2.0),
            Self::Gamma { shape, scale_s } => shape * scale_s,
            Self::Weibull { shape, scale_s } => scale_s * libm::tgamma(1.0 + 1.0 / shape),
            Self::Hyperexponential { branches } => branches.iter().map(|b| b.weight * b.mean_s).sum(),
            #[expect(clippy::cast_precision_loss, reason = "a count of values is far below 2^52")]
            Self::Empirical { values_s } => values_s.iter().sum::<f64>() / values_s.len() as f64,
            Self::Quantiles { points } => points
                .windows(2)
                .map(|w| (w[1].probability - w[0].probability) * (w[0].value_s + w[1].value_s) / 2.0)
                .sum(),
            // A part of weight 0 is never drawn, even if its own mean is infinite.
            Self::Mixture { parts } => {
                parts.iter().filter(|p| p.weight > 0.0).map(|p| p.weight * p.distribution.mean_s()).sum()
            }
            Self::Hazard { pieces } => hazard_mean_s(pieces),
            Self::Shifted { by_s, of } => by_s + of.mean_s(),
        }
    }
}

/// The mean of a piecewise-constant hazard: the integral of its survival function.
fn hazard_mean_s(pieces: &[HazardPiece]) -> f64 {
    let mut survival = 1.0;
    let mut mean = 0.0;
    for (i, piece) in pieces.iter().enumerate() {
        let length = pieces.get(i + 1).map_or(f64::INFINITY, |next| next.from_s - piece.from_s);
        if piece.per_s > 0.0 {
            let after = survival * libm::exp(-piece.per_s * length);
            mean += (survival - after) / piece.per_s;
            survival = after;
        } else {
            mean += survival * length;
        }
    }
    mean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(distribution: &Distribution, mean_s: f64) {
        let found = distribution.mean_s();
        assert!((found - mean_s).abs() < 1e-9 * mean_s, "{distribution:?}: {found} instead of {mean_s}");
    }

    #[test]
    fn means_follow_the_textbook() {
        near(&Distribution::Lognormal { mu: 5.0, sigma: 0.5 }, 168.174_141_654_671_9);
        near(&Distribution::Gamma { shape: 3.0, scale_s: 40.0 }, 120.0);
        // Γ(1.5) = √π ÷ 2.
        near(&Distribution::Weibull { shape: 2.0, scale_s: 100.0 }, 88.622_692_545_275_8);
        let branches = vec![Branch { weight: 0.25, mean_s: 400.0 }, Branch { weight: 0.75, mean_s: 100.0 }];
        near(&Distribution::Hyperexponential { branches }, 175.0);
        near(&Distribution::Empirical { values_s: vec![1.0, 2.0, 6.0] }, 3.0);
        let points = [(0.0, 0.0), (0.5, 10.0), (1.0, 40.0)]
            .map(|(probability, value_s)| QuantilePoint { probability, value_s })
            .to_vec();
        near(&Distribution::Quantiles { points }, 15.0);
    }

    #[test]
    fn a_constant_hazard_is_exponential_however_it_is_cut() {
        let pieces = [0.0, 10.0, 60.0].map(|from_s| HazardPiece { from_s, per_s: 0.02 }).to_vec();
        near(&Distribution::Hazard { pieces }, 50.0);
    }

    #[test]
    fn a_hazard_that_ends_at_zero_has_no_finite_mean() {
        let pieces = vec![HazardPiece { from_s: 0.0, per_s: 0.1 }, HazardPiece { from_s: 60.0, per_s: 0.0 }];
        assert_eq!(Distribution::Hazard { pieces }.mean_s(), f64::INFINITY);
    }

    #[test]
    fn a_shift_moves_the_mean() {
        let of = Box::new(Distribution::Exponential { mean_s: 30.0 });
        near(&Distribution::Shifted { by_s: 5.0, of }, 35.0);
    }
}
