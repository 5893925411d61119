//! Time with the operator, by type of call: one of five laws, chosen by likelihood.
//!
//! Services below [`SHORT_S`] are a population of their own (wrong numbers, lines that drop, operators who hang up to
//! rest): their share is written beside the law of the others.

use statrs::function::gamma::{digamma, gamma, gamma_lr, ln_gamma};

use super::statistics::{bisect, kolmogorov_smirnov, mean, normal_below};

/// Services below this many seconds are short.
pub const SHORT_S: f64 = 10.0;
/// A type with fewer services than this takes the law of all types together.
pub const LEAST: usize = 50;

/// A law of a positive time, with its parameters in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    /// Exponential.
    Exponential {
        /// Mean.
        mean_s: f64,
    },
    /// Lognormal.
    Lognormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Gamma.
    Gamma {
        /// Shape.
        shape: f64,
        /// Scale.
        scale_s: f64,
    },
    /// Weibull.
    Weibull {
        /// Shape.
        shape: f64,
        /// Scale.
        scale_s: f64,
    },
    /// One of two exponentials.
    Hyperexponential {
        /// Share of the first.
        share: f64,
        /// Mean of the first.
        first_s: f64,
        /// Mean of the second.
        second_s: f64,
    },
}

impl Law {
    /// Name as in a scenario file.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Exponential { .. } => "exponential",
            Self::Lognormal { .. } => "lognormal",
            Self::Gamma { .. } => "gamma",
            Self::Weibull { .. } => "weibull",
            Self::Hyperexponential { .. } => "hyperexponential",
        }
    }

    /// Number of free parameters.
    #[must_use]
    pub const fn parameters(&self) -> usize {
        match self {
            Self::Exponential { .. } => 1,
            Self::Lognormal { .. } | Self::Gamma { .. } | Self::Weibull { .. } => 2,
            Self::Hyperexponential { .. } => 3,
        }
    }

    /// Mean in seconds.
    #[must_use]
    pub fn mean_s(&self) -> f64 {
        match *self {
            Self::Exponential { mean_s } => mean_s,
            Self::Lognormal { mu, sigma } => (mu + sigma * sigma / 2.0).exp(),
            Self::Gamma { shape, scale_s } => shape * scale_s,
            Self::Weibull { shape, scale_s } => scale_s * gamma(1.0 + 1.0 / shape),
            Self::Hyperexponential { share, first_s, second_s } => share * first_s + (1.0 - share) * second_s,
        }
    }

    /// The same shape with another mean.
    #[must_use]
    pub fn with_mean(&self, mean_s: f64) -> Self {
        let by = mean_s / self.mean_s();
        match *self {
            Self::Exponential { .. } => Self::Exponential { mean_s },
            Self::Lognormal { mu, sigma } => Self::Lognormal { mu: mu + by.ln(), sigma },
            Self::Gamma { shape, scale_s } => Self::Gamma { shape, scale_s: scale_s * by },
            Self::Weibull { shape, scale_s } => Self::Weibull { shape, scale_s: scale_s * by },
            Self::Hyperexponential { share, first_s, second_s } => {
                Self::Hyperexponential { share, first_s: first_s * by, second_s: second_s * by }
            }
        }
    }

    /// Logarithm of the density at `x` seconds.
    #[must_use]
    pub fn ln_density(&self, x: f64) -> f64 {
        match *self {
            Self::Exponential { mean_s } => -mean_s.ln() - x / mean_s,
            Self::Lognormal { mu, sigma } => {
                let z = (x.ln() - mu) / sigma;
                -0.5 * z * z - x.ln() - sigma.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln()
            }
            Self::Gamma { shape, scale_s } => {
                (shape - 1.0) * x.ln() - x / scale_s - ln_gamma(shape) - shape * scale_s.ln()
            }
            Self::Weibull { shape, scale_s } => {
                let z = x / scale_s;
                (shape / scale_s).ln() + (shape - 1.0) * z.ln() - z.powf(shape)
            }
            Self::Hyperexponential { share, first_s, second_s } => {
                (share / first_s * (-x / first_s).exp() + (1.0 - share) / second_s * (-x / second_s).exp()).ln()
            }
        }
    }

    /// Probability of at most `x` seconds.
    #[must_use]
    pub fn cdf(&self, x: f64) -> f64 {
        match *self {
            Self::Exponential { mean_s } => -(-x / mean_s).exp_m1(),
            Self::Lognormal { mu, sigma } => normal_below((x.ln() - mu) / sigma),
            Self::Gamma { shape, scale_s } => gamma_lr(shape, x / scale_s),
            Self::Weibull { shape, scale_s } => -(-(x / scale_s).powf(shape)).exp_m1(),
            Self::Hyperexponential { share, first_s, second_s } => {
                -share * (-x / first_s).exp_m1() - (1.0 - share) * (-x / second_s).exp_m1()
            }
        }
    }
}

/// A law fitted to a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The law at its most likely parameters.
    pub law: Law,
    /// Logarithm of the likelihood there.
    pub ln_likelihood: f64,
    /// Akaike's criterion: 2·parameters − 2·ln likelihood.
    pub aic: f64,
    /// Schwarz's criterion: ln n·parameters − 2·ln likelihood.
    pub bic: f64,
    /// Distance of Kolmogorov and Smirnov.
    pub ks_distance: f64,
    /// Its asymptotic probability, too large because the parameters come from the same sample.
    pub ks_p: f64,
}

/// Every law fitted to positive `values`, the best by Schwarz's criterion first.
///
/// Most likely parameters: exponential and lognormal in closed form; gamma from ln k − ψ(k) = ln mean − mean ln;
/// Weibull from its profile equation; hyperexponential by expectation and maximisation from two starts.
#[must_use]
pub fn candidates(values: &[f64]) -> Vec<Candidate> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|x| *x > 0.0).collect();
    if sorted.len() < 2 {
        return Vec::new();
    }
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let average = mean(&sorted);
    let logs: Vec<f64> = sorted.iter().map(|x| x.ln()).collect();
    let mu = mean(&logs);
    let sigma = (logs.iter().map(|l| (l - mu).powi(2)).sum::<f64>() / n).sqrt().max(1e-6);
    let gap = (average.ln() - mu).max(1e-9);
    let gamma_shape = bisect(1e-3, 1e6, |k| k.ln() - digamma(k) - gap);
    let weibull_shape = bisect(0.05, 50.0, |k| {
        // Powers of x ÷ mean, so that they stay in range.
        let (mut weighted, mut sum) = (0.0, 0.0);
        for (x, l) in sorted.iter().zip(&logs) {
            let power = (x / average).powf(k);
            weighted += power * l;
            sum += power;
        }
        weighted / sum - 1.0 / k - mu
    });
    let powers: Vec<f64> = sorted.iter().map(|x| (x / average).powf(weibull_shape)).collect();
    let weibull_scale = average * mean(&powers).powf(1.0 / weibull_shape);
    let laws = [
        Law::Exponential { mean_s: average },
        Law::Lognormal { mu, sigma },
        Law::Gamma { shape: gamma_shape, scale_s: average / gamma_shape },
        Law::Weibull { shape: weibull_shape, scale_s: weibull_scale },
        hyperexponential(&sorted, average),
    ];
    let mut fitted: Vec<Candidate> = laws
        .into_iter()
        .map(|law| {
            let ln_likelihood: f64 = sorted.iter().map(|x| law.ln_density(*x)).sum();
            let k = law.parameters() as f64;
            let (ks_distance, ks_p) = kolmogorov_smirnov(&sorted, |x| law.cdf(x));
            let (aic, bic) = (2.0 * k - 2.0 * ln_likelihood, n.ln() * k - 2.0 * ln_likelihood);
            Candidate { law, ln_likelihood, aic, bic, ks_distance, ks_p }
        })
        .collect();
    fitted.sort_by(|a, b| a.bic.total_cmp(&b.bic));
    fitted
}

/// Two exponentials by expectation and maximisation.
fn hyperexponential(sorted: &[f64], average: f64) -> Law {
    let run = |mut share: f64, mut first: f64, mut second: f64| {
        let mut last = f64::NEG_INFINITY;
        for _ in 0..500 {
            let (mut weight, mut weighted, mut total, mut likelihood) = (0.0, 0.0, 0.0, 0.0);
            for &x in sorted {
                let a = share / first * (-x / first).exp();
                let b = (1.0 - share) / second * (-x / second).exp();
                let own = a / (a + b);
                weight += own;
                weighted += own * x;
                total += x;
                likelihood += (a + b).ln();
            }
            let n = sorted.len() as f64;
            share = (weight / n).clamp(1e-6, 1.0 - 1e-6);
            first = (weighted / weight.max(1e-12)).max(1e-3);
            second = ((total - weighted) / (n - weight).max(1e-12)).max(1e-3);
            if (likelihood - last).abs() < 1e-7 * likelihood.abs() {
                break;
            }
            last = likelihood;
        }
        (last, Law::Hyperexponential { share, first_s: first, second_s: second })
    };
    let (a, b) = (run(0.8, average * 0.6, average * 2.6), run(0.95, average * 0.8, average * 5.0));
    if a.0 >= b.0 { a.1 } else { b.1 }
}

/// The handling of one type of call.
#[derive(Debug, Clone, PartialEq)]
pub struct HandlingFit {
    /// Type of call.
    pub name: String,
    /// Services with a length above 0.
    pub n: usize,
    /// Share of them below [`SHORT_S`].
    pub short_share: f64,
    /// Mean of the short ones in seconds.
    pub short_mean_s: f64,
    /// Mean of the others in seconds.
    pub long_mean_s: f64,
    /// Mean of all in seconds.
    pub mean_s: f64,
    /// Mean of the services of calls that came in each hour of the day ÷ mean of all, drawn towards 1 by its error.
    pub by_hour: [f64; 24],
    /// Laws for the others, the best first; empty where the type is too rare for a law of its own.
    pub laws: Vec<Candidate>,
}

impl HandlingFit {
    /// Fits the services of one type: hour of the day of the arrival, and length in seconds.
    #[must_use]
    pub fn new(name: &str, services_s: &[(usize, f64)]) -> Self {
        let timed: Vec<(usize, f64)> = services_s.iter().copied().filter(|s| s.1 > 0.0).collect();
        let services: Vec<f64> = timed.iter().map(|s| s.1).collect();
        let (short, long): (Vec<f64>, Vec<f64>) = services.iter().partition(|s| **s < SHORT_S);
        Self {
            name: name.to_owned(),
            n: services.len(),
            short_share: short.len() as f64 / services.len().max(1) as f64,
            short_mean_s: mean(&short),
            long_mean_s: mean(&long),
            mean_s: mean(&services),
            by_hour: hour_factors(&timed),
            laws: if long.len() < LEAST { Vec::new() } else { candidates(&long) },
        }
    }
}

/// Mean by hour ÷ mean of all. An hour with few services is drawn towards 1 by the weight of its error: the variance
/// between hours is that of R. DerSimonian and N. Laird (1986), 0 where the hours differ no more than chance would have it.
/// The factors weigh up to 1 over the services.
fn hour_factors(services: &[(usize, f64)]) -> [f64; 24] {
    let all: Vec<f64> = services.iter().map(|s| s.1).collect();
    let (mean_s, n) = (mean(&all), all.len() as f64);
    let spread = all.iter().map(|s| (s / mean_s - 1.0).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let mut hours = [(0.0, 0.0); 24];
    for (hour, service) in services {
        hours[*hour % 24].0 += 1.0;
        hours[*hour % 24].1 += service / mean_s;
    }
    let weight = |(n, _): &(f64, f64)| n / spread.max(1e-12);
    let heard: Vec<&(f64, f64)> = hours.iter().filter(|h| h.0 > 0.0).collect();
    let sum = |of: &dyn Fn(&(f64, f64)) -> f64| heard.iter().map(|h| of(h)).sum::<f64>();
    let excess = sum(&|h| weight(h) * (h.1 / h.0 - 1.0).powi(2)) - (heard.len() as f64 - 1.0);
    let scale = sum(&weight) - sum(&|h| weight(h).powi(2)) / sum(&weight).max(1e-12);
    let between = if scale > 0.0 { (excess / scale).max(0.0) } else { 0.0 };
    let mut factors = hours.map(|h| {
        if h.0 == 0.0 || between == 0.0 {
            1.0
        } else {
            1.0 + (h.1 / h.0 - 1.0) * between / (between + 1.0 / weight(&h))
        }
    });
    let level = hours.iter().zip(&factors).map(|(h, f)| h.0 * f).sum::<f64>() / n.max(1.0);
    if level > 0.0 {
        factors.iter_mut().for_each(|f| *f /= level);
    }
    factors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::stream::{Kind, Purpose, Streams};

    fn sample(of: &Distribution, n: usize) -> Vec<f64> {
        let mut draws = Streams::new(11, 0).draws(Kind::Other, 0, Purpose::Talk);
        (0..n).map(|_| of.sample(&mut draws)).collect()
    }

    /// Each law is recognised in a sample of its own, and its mean is found within four standard errors.
    #[test]
    fn the_law_behind_a_sample_is_chosen() {
        let cases = [
            ("exponential", Distribution::exponential(180.0), 180.0, 1.0),
            ("lognormal", Distribution::lognormal_mean_cv(180.0, 1.2), 180.0, 1.2),
            ("gamma", Distribution::gamma(2.5, 70.0), 175.0, 0.64),
            ("weibull", Distribution::weibull(1.7, 200.0), 178.45, 0.61),
            ("hyperexponential", Distribution::hyperexponential(&[0.9, 0.1], &[60.0, 900.0]), 144.0, 2.5),
        ];
        for (name, of, mean_s, cv) in cases {
            let values = sample(&of.unwrap(), 8000);
            let best = candidates(&values)[0];
            assert_eq!(best.law.name(), name, "{best:?}");
            assert!((best.law.mean_s() - mean_s).abs() < 4.0 * mean_s * cv / 8000_f64.sqrt(), "{name}: {best:?}");
            assert!(best.ks_p > 0.01, "{name}: {best:?}");
        }
    }

    #[test]
    fn likelihood_is_highest_at_the_fit() {
        let values = sample(&Distribution::weibull(1.4, 90.0).unwrap(), 500);
        for candidate in candidates(&values) {
            for by in [0.97, 1.03] {
                let other = candidate.law.with_mean(candidate.law.mean_s() * by);
                let ln_likelihood: f64 = values.iter().map(|x| other.ln_density(*x)).sum();
                assert!(ln_likelihood < candidate.ln_likelihood, "{:?}", candidate.law);
            }
        }
    }

    /// Hours that differ are found; hours that differ by chance alone do not.
    #[test]
    fn the_hour_of_the_day_counts_where_it_shows() {
        let of = Distribution::lognormal_mean_cv(200.0, 1.0).unwrap();
        let values = sample(&of, 6000);
        let hour = |i: usize| 8 + i % 10;
        let alike: Vec<(usize, f64)> = values.iter().enumerate().map(|(i, s)| (hour(i), *s)).collect();
        assert!(hour_factors(&alike).iter().all(|f| (f - 1.0).abs() < 0.03), "{:?}", hour_factors(&alike));
        let truth = |hour: usize| if hour < 13 { 0.8 } else { 1.2 };
        let differ: Vec<(usize, f64)> = alike.iter().map(|(h, s)| (*h, s * truth(*h))).collect();
        let found = hour_factors(&differ);
        for (h, found) in found.iter().enumerate().take(18).skip(8) {
            assert!((found - truth(h)).abs() < 4.0 * truth(h) / 600_f64.sqrt(), "{h}: {found}");
        }
        // One call of an hour proves nothing.
        let mut lonely = alike;
        lonely.push((23, 800.0));
        assert!((hour_factors(&lonely)[23] - 1.0).abs() < 0.1);
        assert_eq!(hour_factors(&[]), [1.0; 24]);
    }

    #[test]
    fn short_services_are_kept_apart() {
        let mut services = vec![3.0; 30];
        services.extend(sample(&Distribution::lognormal_mean_cv(200.0, 0.5).unwrap(), 270));
        let services: Vec<(usize, f64)> = services.into_iter().map(|s| (9, s)).collect();
        let fit = HandlingFit::new("PS", &services);
        assert!((fit.short_share - 0.1).abs() < 1e-12);
        assert_eq!(fit.short_mean_s, 3.0);
        assert_eq!(fit.laws[0].law.name(), "lognormal");
    }
}
