//! Erlang A (M/M/n+M): callers abandon after an exponential patience.

use super::general_patience::{Patience, figures as general};
use super::{Demand, Figures, TheoryError, Thresholds};

/// The steady state of M/M/n+M with the given mean patience in seconds.
///
/// Source: C. Palm 1946; Mandelbaum and Zeltyn, "Service engineering in action: the Palm/Erlang-A queue", 2007.
/// Computed from the integrals of [`general_patience`](super::general_patience), whose cost does not grow with the
/// length of the queue.
///
/// # Errors
/// No operators, a negative threshold, or a patience that is not a finite number above 0.
pub fn figures(
    demand: Demand,
    patience_s: f64,
    operators: u32,
    thresholds: Thresholds,
) -> Result<Figures, TheoryError> {
    general(demand, &Patience::Exponential { mean_s: patience_s }, operators, thresholds)
}
