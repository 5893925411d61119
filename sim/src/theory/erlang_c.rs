//! Erlang C (M/M/n): everybody waits until answered.

use super::erlang_b::inverse_blocking;
use super::{Demand, Figures, Outcomes, TheoryError, Thresholds};

/// The steady state of M/M/n.
///
/// Nobody abandons, so the five service levels are one. Source: A. K. Erlang 1917.
///
/// # Errors
/// No operators, a negative threshold, or an offered load that is not below the number of operators.
pub fn figures(demand: Demand, operators: u32, thresholds: Thresholds) -> Result<Figures, TheoryError> {
    let thresholds = thresholds.checked()?;
    let p_wait = p_wait(demand, operators)?;
    // The wait of those who wait is exponential with this mean.
    let scale_s = demand.handle_s() / (f64::from(operators) - demand.offered_load_erl());
    let outcomes = Outcomes {
        answered: 1.0,
        answered_in_time: 1.0 - p_wait * (-thresholds.target_s / scale_s).exp(),
        wait_answered_s: p_wait * scale_s,
        wait_answered_s2: 2.0 * p_wait * scale_s * scale_s,
        ..Outcomes::default()
    };
    Ok(Figures::of_queue(demand, operators, 0.0, p_wait, outcomes))
}

/// The probability that a call finds every operator busy.
///
/// # Errors
/// No operators, or an offered load that is not below the number of operators.
pub fn p_wait(demand: Demand, operators: u32) -> Result<f64, TheoryError> {
    if operators == 0 {
        return Err(TheoryError::NoOperators);
    }
    let load = demand.offered_load_erl();
    let spare = f64::from(operators) - load;
    if spare <= 0.0 {
        return Err(TheoryError::Unstable { offered_load_erl: load, operators });
    }
    Ok(1.0 / (1.0 + inverse_blocking(load, operators - 1) * spare / load))
}
