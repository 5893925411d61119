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
    /// The figure; `None` where it does not exist.
    pub estimate: Option<Estimate>,
}

impl Threshold {
    /// Judges `results`.
    ///
    /// # Errors
    /// The name in [`Threshold::of`] where no queue or group of the results has it.
    pub fn judge(&self, results: &Results) -> Result<Verdict, String> {
        let scope = match &self.of {
            None => Scope::All,
            Some(name) => results.scope_named(name, self.metric.of_operators()).ok_or_else(|| name.clone())?,
        };
        let estimate = results.estimate(self.metric, scope);
        let keeps = |value: f64| match self.bound {
            Bound::AtLeast => value >= self.limit,
            Bound::AtMost => value <= self.limit,
        };
        let met = estimate.is_some_and(|estimate| keeps(estimate.value));
        let sure = estimate
            .and_then(|estimate| estimate.interval)
            .is_some_and(|interval| keeps(interval.low) == met && keeps(interval.high) == met);
        Ok(Verdict { met, sure, estimate })
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.bound {
            Bound::AtLeast => ">=",
            Bound::AtMost => "<=",
        };
        match &self.of {
            Some(name) => write!(f, "{} of \"{name}\" {sign} {}", self.metric, self.limit),
            None => write!(f, "{} {sign} {}", self.metric, self.limit),
        }
    }
}
