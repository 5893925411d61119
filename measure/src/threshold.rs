//! Thresholds: what a run must reach to be called met.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Estimate, Metric, Results, Scope};

/// Which side of its limit a figure must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The figure must be the limit or more.
    AtLeast,
    /// The figure must be the limit or less.
    AtMost,
}

/// One demand on one figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The figure.
    pub metric: Metric,
    /// The queue or group that it is taken of; the whole floor where `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Whether every interval in which anything was offered must keep it, not the period as a whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub every_interval: bool,
    /// The side to keep.
    pub bound: Bound,
    /// The limit, in the figure's unit (a share for shares).
    pub limit: f64,
}

/// Whether a threshold was met, and how surely.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the point estimate keeps its side. A figure that does not exist (denominator 0) meets nothing.
    pub met: bool,
    /// Whether the whole interval lies on the same side; `false` without an interval.
    pub sure: bool,
    /// The figure, that of the worst interval for [`Threshold::every_interval`]; `None` where it does not exist.
    pub estimate: Option<Estimate>,
    /// The worst interval, where every interval was asked for.
    pub interval: Option<usize>,
}

impl Threshold {
    /// Judges `results`.
    ///
    /// # Errors
    /// A sentence, where no queue or group of the results has the name in [`Threshold::of`].
    pub fn judge(&self, results: &Results) -> Result<Verdict, String> {
        let scope = match &self.of {
            None => Scope::All,
            Some(name) => results
                .scope_named(name, self.metric.of_operators())
                .ok_or_else(|| format!("threshold {self}: the results have no \"{name}\" with that figure"))?,
        };
        if !self.every_interval {
            return Ok(self.verdict(results.estimate(self.metric, scope), None));
        }
        let worst = (0..results.header().grid.intervals)
            .filter(|interval| results.counts_in(Scope::All, *interval).offered > 0)
            .map(|interval| (results.estimate_in(self.metric, scope, interval), interval))
            .filter(|(estimate, _)| estimate.is_some())
            .min_by(|(a, _), (b, _)| {
                let value = |estimate: &Option<Estimate>| estimate.map_or(0.0, |estimate| estimate.value);
                match self.bound {
                    Bound::AtLeast => value(a).total_cmp(&value(b)),
                    Bound::AtMost => value(b).total_cmp(&value(a)),
                }
            });
        let (estimate, interval) = worst.map_or((None, None), |(estimate, interval)| (estimate, Some(interval)));
        Ok(self.verdict(estimate, interval))
    }

    fn verdict(&self, estimate: Option<Estimate>, interval: Option<usize>) -> Verdict {
        let keeps = |value: f64| match self.bound {
            Bound::AtLeast => value >= self.limit,
            Bound::AtMost => value <= self.limit,
        };
        let met = estimate.is_some_and(|estimate| keeps(estimate.value));
        let sure = estimate
            .and_then(|estimate| estimate.interval)
            .is_some_and(|interval| keeps(interval.low) == met && keeps(interval.high) == met);
        Verdict { met, sure, estimate, interval }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.bound {
            Bound::AtLeast => ">=",
            Bound::AtMost => "<=",
        };
        write!(f, "{}", self.metric)?;
        if let Some(name) = &self.of {
            write!(f, " of \"{name}\"")?;
        }
        if self.every_interval {
            write!(f, " in every interval")?;
        }
        write!(f, " {sign} {}", self.limit)
    }
}
