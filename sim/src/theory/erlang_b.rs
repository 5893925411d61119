//! Erlang B (M/M/n/n): nobody waits, so a call that finds all operators busy is blocked.

use super::error::{positive, share_below_one};
use super::{Demand, Figures, Outcomes, TheoryError};

/// Blocking probability of `operators` under `demand`, with the figures of those who get in.
///
/// Source: A. K. Erlang 1917. Exact for every handle-time distribution of that mean.
///
/// # Errors
/// No operators.
pub fn figures(demand: Demand, operators: u32) -> Result<Figures, TheoryError> {
    if operators == 0 {
        return Err(TheoryError::NoOperators);
    }
    let load = demand.offered_load_erl();
    let blocking = 1.0 / inverse_blocking(load, operators);
    let outcomes = Outcomes { answered: 1.0, answered_in_time: 1.0, ..Outcomes::default() };
    let mut figures = Figures::of_queue(demand, operators, blocking, 0.0, outcomes);
    figures.service_level = None;
    Ok(figures)
}

/// The share of calls blocked by `servers` servers under `load_erl` erlangs.
///
/// # Errors
/// The load is not a finite number above 0.
///
/// ```
/// # use callfloor_sim::theory::erlang_b::blocking;
/// assert_eq!(blocking(1.0, 2)?, 0.2);
/// # Ok::<(), callfloor_sim::theory::TheoryError>(())
/// ```
pub fn blocking(load_erl: f64, servers: u32) -> Result<f64, TheoryError> {
    positive("offered load in erlangs", load_erl)?;
    Ok(1.0 / inverse_blocking(load_erl, servers))
}

/// The largest load in erlangs that `servers` servers carry with at most `blocking` of the calls blocked.
///
/// # Errors
/// No servers, or `blocking` is not in (0, 1).
pub fn largest_load(servers: u32, blocking: f64) -> Result<f64, TheoryError> {
    if servers == 0 {
        return Err(TheoryError::NoOperators);
    }
    positive("blocking", share_below_one("blocking", blocking)?)?;
    let wanted = 1.0 / blocking;
    let (mut low, mut high) = (0.0, f64::from(servers));
    while inverse_blocking(high, servers) > wanted {
        low = high;
        high *= 2.0;
    }
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return Ok(low);
        }
        if inverse_blocking(middle, servers) > wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// 1 ÷ blocking: the sum over k of servers · (servers − 1) · … · (servers − k + 1) ÷ load^k.
///
/// Every term is positive, so nothing cancels. Infinite where blocking is below what a double can hold.
pub(super) fn inverse_blocking(load: f64, servers: u32) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in (1..=servers).rev() {
        let factor = f64::from(k) / load;
        term *= factor;
        sum += term;
        // Below the load the terms fall ever faster; what is left is under a 10^-16th of the sum.
        if (factor < 1.0 && term * f64::from(k) < sum * 1e-17) || sum == f64::INFINITY {
            break;
        }
    }
    sum
}
