//! Thresholds that decide the exit code.

use callfloor_measure::Metric;

use crate::scenario::{GroupIndex, QueueIndex};

/// A bound on a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// The figure.
    pub metric: Metric,
    /// Over what it is taken.
    pub of: ThresholdScope,
    /// In every statistics interval in which the figure exists, instead of over the whole run.
    pub every_interval: bool,
    /// Least value that passes, in the figure's unit.
    pub min: Option<f64>,
    /// Greatest value that passes.
    pub max: Option<f64>,
}

/// What a threshold looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThresholdScope {
    /// The whole floor.
    Total,
    /// One queue.
    Queue(QueueIndex),
    /// One group of operators; for figures of operators.
    Group(GroupIndex),
}
