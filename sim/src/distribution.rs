//! Lengths of time drawn at random: talk, patience, after-call work, delays.
//!
//! A [`Distribution`] cannot exist with parameters out of range. All values are seconds, at least 0, and
//! [`f64::INFINITY`] only where a hazard dies out (a customer who never gives up). Everything transcendental comes from the
//! pinned `libm`, so that a draw has the same bits on every machine; the golden tests below hold them.

use crate::stream::Draw;
use crate::ziggurat;
use callfloor_scenario::Distribution as Described;
use std::fmt;

/// A distribution of lengths of time, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution(Law);

#[derive(Debug, Clone, PartialEq)]
enum Law {
    Constant(f64),
    Uniform { low: f64, width: f64 },
    Exponential { mean: f64 },
    Lognormal { mu: f64, sigma: f64 },
    Gamma { shape: f64, scale: f64, d: f64, c: f64 },
    Weibull { shape: f64, scale: f64, power: f64 },
    Hyperexponential { cumulative: Vec<f64>, means: Vec<f64> },
    Empirical { values: Vec<f64>, cumulative: Vec<f64> },
    Linear { values: Vec<f64>, cumulative: Vec<f64> },
    Mixture { cumulative: Vec<f64>, parts: Vec<Distribution> },
    Hazard { starts: Vec<f64>, rates: Vec<f64> },
    Shifted { by: f64, of: Box<Distribution> },
}

/// Why a distribution cannot exist.
#[derive(Debug, Clone, PartialEq)]
pub struct DistributionError(String);

impl fmt::Display for DistributionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DistributionError {}

fn refuse<T>(message: impl Into<String>) -> Result<T, DistributionError> {
    Err(DistributionError(message.into()))
}

fn positive(what: &str, x: f64) -> Result<f64, DistributionError> {
    if x.is_finite() && x > 0.0 { Ok(x) } else { refuse(format!("{what} is {x}; it must be above 0 and finite")) }
}

fn non_negative(what: &str, x: f64) -> Result<f64, DistributionError> {
    if x.is_finite() && x >= 0.0 { Ok(x) } else { refuse(format!("{what} is {x}; it must be 0 or more and finite")) }
}

/// Shares that end in 1 from weights of any scale.
fn cumulate(weights: &[f64]) -> Result<Vec<f64>, DistributionError> {
    if weights.is_empty() {
        return refuse("no weights are given; at least one is needed");
    }
    let mut sum = 0.0;
    let mut cumulative = Vec::with_capacity(weights.len());
    for &weight in weights {
        sum += non_negative("a weight", weight)?;
        cumulative.push(sum);
    }
    positive("the sum of the weights", sum)?;
    for share in &mut cumulative {
        *share /= sum;
    }
    // A draw below 1 must find its part whatever the rounding; parts of weight 0 behind the last real one stay unreachable.
    let last = weights.iter().rposition(|&w| w > 0.0).unwrap_or(0);
    for share in &mut cumulative[last..] {
        *share = 1.0;
    }
    Ok(cumulative)
}

fn pick(cumulative: &[f64], u: f64) -> usize {
    if cumulative.len() <= 8 {
        let mut i = 0;
        while cumulative[i] <= u {
            i += 1;
        }
        return i;
    }
    cumulative.partition_point(|&share| share <= u)
}

fn shares(cumulative: &[f64]) -> impl Iterator<Item = f64> + '_ {
    cumulative.iter().scan(0.0, |before, &share| {
        let own = share - *before;
        *before = share;
        Some(own)
    })
}

impl Distribution {
    /// Always `value` seconds.
    ///
    /// # Errors
    /// If `value` is negative or not finite.
    pub fn constant(value: f64) -> Result<Self, DistributionError> {
        Ok(Self(Law::Constant(non_negative("the value", value)?)))
    }

    /// Uniform between `low` and `high` seconds.
    ///
    /// # Errors
    /// If a bound is negative or not finite, or `high` is below `low`.
    pub fn uniform(low: f64, high: f64) -> Result<Self, DistributionError> {
        non_negative("the lower bound", low)?;
        non_negative("the upper bound", high)?;
        if high < low {
            return refuse(format!("the upper bound {high} is below the lower bound {low}"));
        }
        Ok(Self(Law::Uniform { low, width: high - low }))
    }

    /// Exponential with `mean` seconds. Sampled by [`ziggurat::exponential`].
    ///
    /// # Errors
    /// If the mean is not positive and finite.
    pub fn exponential(mean: f64) -> Result<Self, DistributionError> {
        Ok(Self(Law::Exponential { mean: positive("the mean", mean)? }))
    }

    /// Lognormal: the logarithm of the seconds is normal with mean `mu` and standard deviation `sigma`.
    ///
    /// # Errors
    /// If `mu` is not finite or `sigma` is negative.
    pub fn lognormal(mu: f64, sigma: f64) -> Result<Self, DistributionError> {
        if !mu.is_finite() {
            return refuse(format!("mu is {mu}; it must be finite"));
        }
        Ok(Self(Law::Lognormal { mu, sigma: non_negative("sigma", sigma)? }))
    }

    /// Lognormal with `mean` seconds and coefficient of variation `cv`.
    ///
    /// # Errors
    /// If the mean is not positive or `cv` is negative.
    pub fn lognormal_mean_cv(mean: f64, cv: f64) -> Result<Self, DistributionError> {
        positive("the mean", mean)?;
        non_negative("the coefficient of variation", cv)?;
        let sigma2 = libm::log1p(cv * cv);
        Self::lognormal(libm::log(mean) - 0.5 * sigma2, libm::sqrt(sigma2))
    }

    /// Gamma with `shape` and `scale` (mean shape·scale seconds); Erlang-k is `gamma(k, mean / k)`.
    ///
    /// Sampled by G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26(3), 2000,
    /// with their power of a uniform number for shapes below 1.
    ///
    /// # Errors
    /// If a parameter is not positive and finite.
    pub fn gamma(shape: f64, scale: f64) -> Result<Self, DistributionError> {
        positive("the shape", shape)?;
        positive("the scale", scale)?;
        let d = if shape < 1.0 { shape + 1.0 } else { shape } - 1.0 / 3.0;
        Ok(Self(Law::Gamma { shape, scale, d, c: 1.0 / libm::sqrt(9.0 * d) }))
    }

    /// Weibull with survival exp(−(x/scale)^shape).
    ///
    /// # Errors
    /// If a parameter is not positive and finite.
    pub fn weibull(shape: f64, scale: f64) -> Result<Self, DistributionError> {
        positive("the shape", shape)?;
        positive("the scale", scale)?;
        Ok(Self(Law::Weibull { shape, scale, power: 1.0 / shape }))
    }

    /// Hyperexponential: exponential with `means[i]` seconds, `i` chosen with weight `weights[i]`.
    ///
    /// # Errors
    /// If the lists differ in length, a weight is negative, all are 0, or a mean is not positive.
    pub fn hyperexponential(weights: &[f64], means: &[f64]) -> Result<Self, DistributionError> {
        if weights.len() != means.len() {
            return refuse(format!("{} weights are given for {} means", weights.len(), means.len()));
        }
        for &mean in means {
            positive("a mean", mean)?;
        }
        Ok(Self(Law::Hyperexponential { cumulative: cumulate(weights)?, means: means.to_vec() }))
    }

    /// One of `values` seconds, with the given weights.
    ///
    /// # Errors
    /// If the lists differ in length, a value or weight is negative, or all weights are 0.
    pub fn empirical(values: &[f64], weights: &[f64]) -> Result<Self, DistributionError> {
        if weights.len() != values.len() {
            return refuse(format!("{} weights are given for {} values", weights.len(), values.len()));
        }
        for &value in values {
            non_negative("a value", value)?;
        }
        Ok(Self(Law::Empirical { values: values.to_vec(), cumulative: cumulate(weights)? }))
    }

    /// The distribution function rises linearly from 0 at `edges[0]`, by the share of `weights[i]` between `edges[i]` and
    /// `edges[i + 1]`.
    ///
    /// # Errors
    /// If there is not one edge more than weights, the edges are negative or fall, or all weights are 0.
    pub fn histogram(edges: &[f64], weights: &[f64]) -> Result<Self, DistributionError> {
        if edges.len() != weights.len() + 1 {
            return refuse(format!(
                "{} edges are given for {} weights; one more is needed",
                edges.len(),
                weights.len()
            ));
        }
        for pair in edges.windows(2) {
            if pair[1] < pair[0] {
                return refuse(format!("edge {} is below edge {}", pair[1], pair[0]));
            }
        }
        for &edge in edges {
            non_negative("an edge", edge)?;
        }
        Ok(Self(Law::Linear { values: edges.to_vec(), cumulative: cumulate(weights)? }))
    }

    /// One of `parts`, with the given weights.
    ///
    /// # Errors
    /// If the lists differ in length, a weight is negative or all are 0.
    pub fn mixture(weights: &[f64], parts: Vec<Self>) -> Result<Self, DistributionError> {
        if weights.len() != parts.len() {
            return refuse(format!("{} weights are given for {} parts", weights.len(), parts.len()));
        }
        Ok(Self(Law::Mixture { cumulative: cumulate(weights)?, parts }))
    }

    /// A hazard of `rates[i]` per second from `starts[i]` to `starts[i + 1]`, the last for ever. `starts[0]` is 0.
    ///
    /// With a last rate of 0 a draw can be infinite. Sampled by inversion of the cumulative hazard.
    ///
    /// # Errors
    /// If the lists differ in length or are empty, the starts do not rise from 0, or a rate is negative.
    pub fn piecewise_hazard(starts: &[f64], rates: &[f64]) -> Result<Self, DistributionError> {
        if starts.len() != rates.len() || starts.is_empty() {
            return refuse(format!("{} starts are given for {} rates", starts.len(), rates.len()));
        }
        if starts[0] != 0.0 {
            return refuse(format!("the first start is {}; it must be 0", starts[0]));
        }
        for pair in starts.windows(2) {
            if !pair[1].is_finite() || pair[1] <= pair[0] {
                return refuse(format!("start {} does not come after start {}", pair[1], pair[0]));
            }
        }
        for &rate in rates {
            non_negative("a rate", rate)?;
        }
        Ok(Self(Law::Hazard { starts: starts.to_vec(), rates: rates.to_vec() }))
    }

    /// `of`, later by `by` seconds.
    ///
    /// # Errors
    /// If `by` is negative or not finite.
    pub fn shifted(by: f64, of: Self) -> Result<Self, DistributionError> {
        Ok(Self(Law::Shifted { by: non_negative("the shift", by)?, of: Box::new(of) }))
    }

    /// The distribution of a scenario file.
    ///
    /// # Errors
    /// If a parameter is out of range, which a checked scenario excludes.
    pub fn new(described: &Described) -> Result<Self, DistributionError> {
        match described {
            Described::Never => Self::piecewise_hazard(&[0.0], &[0.0]),
            Described::Constant { value_s } => Self::constant(*value_s),
            Described::Uniform { low_s, high_s } => Self::uniform(*low_s, *high_s),
            Described::Exponential { mean_s } => Self::exponential(*mean_s),
            Described::Lognormal { mu, sigma } => Self::lognormal(*mu, *sigma),
            Described::Gamma { shape, scale_s } => Self::gamma(*shape, *scale_s),
            Described::Weibull { shape, scale_s } => Self::weibull(*shape, *scale_s),
            Described::Hyperexponential { branches } => {
                let (weights, means): (Vec<_>, Vec<_>) = branches.iter().map(|b| (b.weight, b.mean_s)).unzip();
                Self::hyperexponential(&weights, &means)
            }
            Described::Empirical { values_s } => Self::empirical(values_s, &vec![1.0; values_s.len()]),
            Described::Quantiles { points } => {
                let edges: Vec<_> = points.iter().map(|p| p.value_s).collect();
                let weights: Vec<_> = points.windows(2).map(|p| p[1].probability - p[0].probability).collect();
                Self::histogram(&edges, &weights)
            }
            Described::Mixture { parts } => {
                let weights: Vec<_> = parts.iter().map(|p| p.weight).collect();
                let parts: Result<Vec<_>, _> = parts.iter().map(|p| Self::new(&p.distribution)).collect();
                Self::mixture(&weights, parts?)
            }
            Described::Hazard { pieces } => {
                let (starts, rates): (Vec<_>, Vec<_>) = pieces.iter().map(|p| (p.from_s, p.per_s)).unzip();
                Self::piecewise_hazard(&starts, &rates)
            }
            Described::Shifted { by_s, of } => Self::shifted(*by_s, Self::new(of)?),
        }
    }

    /// One draw, in seconds.
    #[inline]
    pub fn sample(&self, draw: &mut impl Draw) -> f64 {
        match &self.0 {
            Law::Exponential { mean } => mean * ziggurat::exponential(draw),
            Law::Constant(value) => *value,
            Law::Lognormal { mu, sigma } => libm::exp(mu + sigma * ziggurat::normal(draw)),
            _ => self.sample_rare(draw),
        }
    }

    #[inline(never)]
    fn sample_rare(&self, draw: &mut impl Draw) -> f64 {
        match &self.0 {
            Law::Constant(_) | Law::Exponential { .. } | Law::Lognormal { .. } => self.sample(draw),
            Law::Uniform { low, width } => low + width * draw.uniform(),
            Law::Gamma { shape, scale, d, c } => {
                let mut x = *scale;
                if *shape < 1.0 {
                    x *= libm::pow(draw.uniform_open(), 1.0 / shape);
                }
                x * standard_gamma(*d, *c, draw)
            }
            Law::Weibull { scale, power, .. } => scale * libm::pow(ziggurat::exponential(draw), *power),
            Law::Hyperexponential { cumulative, means } => {
                let part = pick(cumulative, draw.uniform());
                means[part] * ziggurat::exponential(draw)
            }
            Law::Empirical { values, cumulative } => values[pick(cumulative, draw.uniform())],
            Law::Linear { values, cumulative } => {
                let u = draw.uniform();
                let i = pick(cumulative, u);
                let below = if i == 0 { 0.0 } else { cumulative[i - 1] };
                values[i] + (values[i + 1] - values[i]) * ((u - below) / (cumulative[i] - below))
            }
            Law::Mixture { cumulative, parts } => {
                let part = pick(cumulative, draw.uniform());
                parts[part].sample(draw)
            }
            Law::Hazard { starts, rates } => invert_hazard(starts, rates, ziggurat::exponential(draw)),
            Law::Shifted { by, of } => by + of.sample(draw),
        }
    }

    /// The mean, in seconds; infinite if a draw can be.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.moments().0
    }

    /// The variance, in seconds squared; infinite if a draw can be.
    #[must_use]
    pub fn variance(&self) -> f64 {
        let (mean, second) = self.moments();
        if second.is_finite() { (second - mean * mean).max(0.0) } else { f64::INFINITY }
    }

    /// Mean and second moment about 0.
    fn moments(&self) -> (f64, f64) {
        match &self.0 {
            Law::Constant(value) => (*value, value * value),
            Law::Uniform { low, width } => {
                let mean = low + 0.5 * width;
                (mean, mean * mean + width * width / 12.0)
            }
            Law::Exponential { mean } => (*mean, 2.0 * mean * mean),
            Law::Lognormal { mu, sigma } => {
                let s2 = sigma * sigma;
                (libm::exp(mu + 0.5 * s2), libm::exp(2.0 * mu + 2.0 * s2))
            }
            Law::Gamma { shape, scale, .. } => (shape * scale, shape * (shape + 1.0) * scale * scale),
            Law::Weibull { scale, power, .. } => {
                (scale * libm::tgamma(1.0 + power), scale * scale * libm::tgamma(1.0 + 2.0 * power))
            }
            Law::Hyperexponential { cumulative, means } => weigh(cumulative, means.iter().map(|m| (*m, 2.0 * m * m))),
            Law::Empirical { values, cumulative } => weigh(cumulative, values.iter().map(|v| (*v, v * v))),
            Law::Linear { values, cumulative } => weigh(
                cumulative,
                values.windows(2).map(|v| (0.5 * (v[0] + v[1]), (v[0] * v[0] + v[0] * v[1] + v[1] * v[1]) / 3.0)),
            ),
            Law::Mixture { cumulative, parts } => weigh(cumulative, parts.iter().map(Self::moments)),
            Law::Hazard { starts, rates } => hazard_moments(starts, rates),
            Law::Shifted { by, of } => {
                let (mean, second) = of.moments();
                (mean + by, second + 2.0 * by * mean + by * by)
            }
        }
    }
}

/// Moments of a mixture from those of its parts.
fn weigh(cumulative: &[f64], parts: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    shares(cumulative)
        .zip(parts)
        .filter(|(share, _)| *share > 0.0)
        .fold((0.0, 0.0), |(mean, second), (share, part)| (mean + share * part.0, second + share * part.1))
}

fn standard_gamma(d: f64, c: f64, draw: &mut impl Draw) -> f64 {
    loop {
        let x = ziggurat::normal(draw);
        let v = 1.0 + c * x;
        if v <= 0.0 {
            continue;
        }
        let v = v * v * v;
        let u = draw.uniform_open();
        let x2 = x * x;
        if u < 1.0 - 0.0331 * x2 * x2 || libm::log(u) < 0.5 * x2 + d * (1.0 - v + libm::log(v)) {
            return d * v;
        }
    }
}

fn invert_hazard(starts: &[f64], rates: &[f64], mut hazard: f64) -> f64 {
    for (i, &rate) in rates.iter().enumerate() {
        let Some(&end) = starts.get(i + 1) else {
            return if rate > 0.0 { starts[i] + hazard / rate } else { f64::INFINITY };
        };
        let own = rate * (end - starts[i]);
        if hazard < own {
            return starts[i] + hazard / rate;
        }
        hazard -= own;
    }
    f64::INFINITY
}

/// ∫S(t)dt and 2∫tS(t)dt, piece by piece.
fn hazard_moments(starts: &[f64], rates: &[f64]) -> (f64, f64) {
    let (mut mean, mut second, mut survival) = (0.0, 0.0, 1.0);
    for (i, &rate) in rates.iter().enumerate() {
        let start = starts[i];
        let Some(&end) = starts.get(i + 1) else {
            if rate == 0.0 {
                return (f64::INFINITY, f64::INFINITY);
            }
            let tail = survival / rate;
            return (mean + tail, second + 2.0 * tail * (start + 1.0 / rate));
        };
        let width = end - start;
        if rate * width < 1e-12 {
            mean += survival * width;
            second += survival * (end * end - start * start);
            continue;
        }
        let after = survival * libm::exp(-rate * width);
        mean += (survival - after) / rate;
        second += 2.0 * ((survival * start - after * end) / rate + (survival - after) / (rate * rate));
        survival = after;
    }
    (mean, second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Kind, Purpose, Streams};

    fn all() -> Vec<(&'static str, Distribution)> {
        let made = [
            ("constant", Distribution::constant(12.5)),
            ("uniform", Distribution::uniform(20.0, 50.0)),
            ("exponential", Distribution::exponential(300.0)),
            ("lognormal", Distribution::lognormal_mean_cv(200.0, 0.9)),
            ("gamma", Distribution::gamma(2.5, 40.0)),
            ("gamma below 1", Distribution::gamma(0.4, 100.0)),
            ("erlang", Distribution::gamma(3.0, 20.0)),
            ("weibull", Distribution::weibull(1.7, 90.0)),
            ("weibull below 1", Distribution::weibull(0.7, 90.0)),
            ("hyperexponential", Distribution::hyperexponential(&[3.0, 1.0], &[30.0, 400.0])),
            ("empirical", Distribution::empirical(&[5.0, 60.0, 61.0], &[0.5, 0.3, 0.2])),
            ("histogram", Distribution::histogram(&[0.0, 10.0, 60.0, 600.0], &[1.0, 2.0, 1.0])),
            ("hazard", Distribution::piecewise_hazard(&[0.0, 5.0, 55.0, 65.0], &[0.01, 0.002, 0.02, 0.003])),
        ];
        let mut list: Vec<_> = made.into_iter().map(|(name, d)| (name, d.expect("in range"))).collect();
        let short = Distribution::exponential(5.0).expect("in range");
        let long = Distribution::gamma(4.0, 50.0).expect("in range");
        list.push(("mixture", Distribution::mixture(&[0.1, 0.9], vec![short, long]).expect("in range")));
        let of = Distribution::weibull(1.2, 30.0).expect("in range");
        list.push(("shifted", Distribution::shifted(10.0, of).expect("in range")));
        list
    }

    #[test]
    fn a_described_distribution_has_the_described_mean() {
        use callfloor_scenario::{Branch, HazardPiece, Part, QuantilePoint};
        let branches = vec![Branch { weight: 0.25, mean_s: 400.0 }, Branch { weight: 0.75, mean_s: 100.0 }];
        let points =
            [(0.0, 2.0), (0.5, 10.0), (1.0, 40.0)].map(|(probability, value_s)| QuantilePoint { probability, value_s });
        let pieces = [(0.0, 0.1), (10.0, 0.001), (60.0, 0.02)].map(|(from_s, per_s)| HazardPiece { from_s, per_s });
        let weibull = Described::Weibull { shape: 1.5, scale_s: 100.0 };
        let parts = vec![
            Part { weight: 0.3, distribution: weibull.clone() },
            Part { weight: 0.7, distribution: Described::Lognormal { mu: 4.0, sigma: 0.7 } },
        ];
        for described in [
            Described::Constant { value_s: 3.0 },
            Described::Uniform { low_s: 1.0, high_s: 4.0 },
            Described::Exponential { mean_s: 7.0 },
            Described::Gamma { shape: 2.0, scale_s: 30.0 },
            Described::Hyperexponential { branches },
            Described::Empirical { values_s: vec![1.0, 2.0, 6.0] },
            Described::Quantiles { points: points.to_vec() },
            Described::Mixture { parts },
            Described::Hazard { pieces: pieces.to_vec() },
            Described::Shifted { by_s: 5.0, of: Box::new(weibull) },
        ] {
            let mean = Distribution::new(&described).expect("in range").mean();
            assert!((mean / described.mean_s() - 1.0).abs() < 1e-12, "{described:?}: {mean}");
        }
        assert_eq!(Distribution::new(&Described::Never).expect("in range").mean(), f64::INFINITY);
    }

    /// Sample mean and variance of 400,000 draws within 4.5 of their own standard errors.
    #[test]
    fn moments() {
        let streams = Streams::new(11, 0);
        let n = 400_000;
        for (name, distribution) in all() {
            let (mean, variance) = (distribution.mean(), distribution.variance());
            let (mut sum, mut m2, mut m4) = (0.0, 0.0, 0.0);
            for id in 0..n {
                let x = distribution.sample(&mut streams.draws(Kind::Other, id, Purpose::Other));
                assert!(x >= 0.0, "{name}: {x}");
                sum += x;
                m2 += (x - mean).powi(2);
                m4 += (x - mean).powi(4);
            }
            let n = n as f64;
            let allowed = 4.5 * (variance / n).sqrt() + 1e-12;
            assert!((sum / n - mean).abs() <= allowed, "{name}: mean {} for {mean}", sum / n);
            let spread = (m4 / n - (m2 / n).powi(2)).max(0.0);
            let allowed = 4.5 * (spread / n).sqrt() + 1e-9;
            assert!((m2 / n - variance).abs() <= allowed, "{name}: variance {} for {variance}", m2 / n);
        }
    }

    /// Kolmogorov–Smirnov on 100,000 draws: √n·D below 2.23 (99.99 %).
    #[test]
    fn shapes() {
        let normal = |z: f64| 0.5 * libm::erfc(-z / 2.0_f64.sqrt());
        let sigma = (1.0 + 0.81_f64).ln().sqrt();
        let mu = 200.0_f64.ln() - 0.5 * sigma * sigma;
        let hazard = |x: f64| {
            0.01 * x.min(5.0)
                + 0.002 * (x.min(55.0) - 5.0).max(0.0)
                + 0.02 * (x.min(65.0) - 55.0).max(0.0)
                + 0.003 * (x - 65.0).max(0.0)
        };
        let cdf = move |name: &str, x: f64| match name {
            "uniform" => (x - 20.0) / 30.0,
            "exponential" => 1.0 - (-x / 300.0).exp(),
            "lognormal" => normal((x.ln() - mu) / sigma),
            "erlang" => {
                let y = x / 20.0;
                1.0 - (-y).exp() * (1.0 + y + y * y / 2.0)
            }
            "weibull" => 1.0 - (-(x / 90.0).powf(1.7)).exp(),
            "weibull below 1" => 1.0 - (-(x / 90.0).powf(0.7)).exp(),
            "hyperexponential" => 1.0 - 0.75 * (-x / 30.0).exp() - 0.25 * (-x / 400.0).exp(),
            "histogram" if x < 10.0 => 0.025 * x,
            "histogram" if x < 60.0 => 0.25 + 0.01 * (x - 10.0),
            "histogram" => 0.75 + 0.25 * (x - 60.0) / 540.0,
            "hazard" => 1.0 - (-hazard(x)).exp(),
            _ => f64::NAN,
        };
        let streams = Streams::new(12, 0);
        let mut tested = 0;
        for (name, distribution) in all() {
            if cdf(name, 30.0).is_nan() {
                continue;
            }
            let n = 100_000_u64;
            let mut xs: Vec<f64> =
                (0..n).map(|id| distribution.sample(&mut streams.draws(Kind::Other, id, Purpose::Other))).collect();
            xs.sort_by(f64::total_cmp);
            let n = n as f64;
            let mut distance = 0.0_f64;
            for (i, &x) in xs.iter().enumerate() {
                let f = cdf(name, x);
                distance = distance.max((f - i as f64 / n).abs()).max(((i + 1) as f64 / n - f).abs());
            }
            assert!(distance * n.sqrt() < 2.23, "{name}: {}", distance * n.sqrt());
            tested += 1;
        }
        assert_eq!(tested, 9);
    }

    /// The very bits of the first draw, and of 1,000 draws folded: a change here changes every published result.
    #[test]
    fn golden_bits() {
        let streams = Streams::new(1999, 0);
        let drawn: Vec<(&str, u64, u64)> = all()
            .iter()
            .map(|(name, d)| {
                let one = |id| d.sample(&mut streams.draws(Kind::Other, id, Purpose::Other)).to_bits();
                (*name, one(0), (0..1000).fold(0_u64, |sum, id| sum.rotate_left(5) ^ one(id)))
            })
            .collect();
        let golden = [
            ("constant", 0x4029_0000_0000_0000, 0x3a9d_a529_4a52_94a7),
            ("uniform", 0x403c_a124_279d_1534, 0x36ad_3ad5_5393_2d83),
            ("exponential", 0x405f_1e81_807d_fc52, 0x03af_d752_bec0_831c),
            ("lognormal", 0x4069_6264_6282_badc, 0x06c3_4e42_27b2_b81e),
            ("gamma", 0x405c_30cc_0663_746a, 0x40b0_b16f_a914_eacc),
            ("gamma below 1", 0x3ff9_d23d_838b_2008, 0xf6ad_01cb_85ef_50e2),
            ("erlang", 0x4050_eba7_e681_437c, 0xccf3_981b_9422_3ca7),
            ("weibull", 0x404a_d25d_d24a_2ebf, 0xff20_dcf0_f6ad_3a4e),
            ("weibull below 1", 0x4039_9d3b_6338_2e78, 0x3c2e_435e_1d07_46c1),
            ("hyperexponential", 0x4042_4906_028d_67ce, 0xc244_514c_38d7_045d),
            ("empirical", 0x4014_0000_0000_0000, 0x9131_b9a8_6be4_b404),
            ("histogram", 0x402b_879b_b2c1_e2b2, 0x6494_377a_abc6_57ae),
            ("hazard", 0x4055_a901_ab36_a694, 0x992c_9b57_7216_9182),
            ("mixture", 0x405a_ead6_397d_d907, 0xca73_9527_5530_365b),
            ("shifted", 0x4038_69c6_dca8_1e1a, 0x5a14_8136_1d82_ed73),
        ];
        let mut text = String::new();
        for (name, first, folded) in &drawn {
            text += &format!("            (\"{name}\", {first:#018x}, {folded:#018x}),\n");
        }
        assert!(drawn == golden, "drawn:\n{text}");
    }

    #[test]
    fn a_hazard_that_dies_out_never_ends() {
        let d = Distribution::piecewise_hazard(&[0.0, 10.0], &[0.1, 0.0]).expect("in range");
        assert_eq!((d.mean(), d.variance()), (f64::INFINITY, f64::INFINITY));
        let streams = Streams::new(3, 0);
        let n = 100_000;
        let left = (0..n)
            .filter(|&id| d.sample(&mut streams.draws(Kind::Other, id, Purpose::Patience)).is_finite())
            .count() as f64;
        let share = 1.0 - (-1.0_f64).exp();
        assert!((left / n as f64 - share).abs() < 4.5 * (share * (1.0 - share) / n as f64).sqrt());
    }

    #[test]
    fn what_cannot_be() {
        let refused = |made: Result<Distribution, DistributionError>| made.expect_err("out of range").to_string();
        assert_eq!(refused(Distribution::exponential(0.0)), "the mean is 0; it must be above 0 and finite");
        assert_eq!(refused(Distribution::uniform(5.0, 4.0)), "the upper bound 4 is below the lower bound 5");
        assert_eq!(refused(Distribution::hyperexponential(&[1.0], &[])), "1 weights are given for 0 means");
        assert_eq!(
            refused(Distribution::empirical(&[1.0], &[0.0])),
            "the sum of the weights is 0; it must be above 0 and finite"
        );
        assert_eq!(refused(Distribution::gamma(f64::NAN, 1.0)), "the shape is NaN; it must be above 0 and finite");
        assert_eq!(
            refused(Distribution::piecewise_hazard(&[0.0, 0.0], &[1.0, 1.0])),
            "start 0 does not come after start 0"
        );
    }
}
