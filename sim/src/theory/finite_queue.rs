//! M/M/s/r and M/M/s/r+M: a limited number of waiting places, with endless or exponential patience.
//!
//! Everything here is a sum over the states of a birth–death chain and over the counts of a pure death chain, both by
//! ratios of neighbours from the largest term outwards: nothing cancels or overflows, and it shares no step with the
//! integrals of [`general_patience`](super::general_patience), which it meets as r grows.

use super::error::positive;
use super::{Demand, Figures, Outcomes, TheoryError, Thresholds};

/// The steady state of `operators` with `waiting_places` beside them.
///
/// `patience_s` is the mean of an exponential patience in seconds; `None`: callers wait for ever. A call that finds
/// every place taken is blocked; `p_wait`, waits, abandonment and service levels are of the calls that enter.
/// Cost: O(operators + waiting places) time and memory.
///
/// # Errors
/// No operators, a negative threshold, or a patience that is not a finite number above 0.
pub fn figures(
    demand: Demand,
    patience_s: Option<f64>,
    operators: u32,
    waiting_places: u32,
    thresholds: Thresholds,
) -> Result<Figures, TheoryError> {
    let thresholds = thresholds.checked()?;
    let states = state_probabilities(demand, patience_s, operators, waiting_places)?;
    let servers = operators as usize;
    let (idle, waiting) = states.split_at(servers);
    // `waiting[k]`: every operator is busy and k calls wait; the last of them blocks.
    let (blocking, joined) = waiting.split_last().map_or((0.0, waiting), |(b, rest)| (*b, rest));
    let entering: f64 = idle.iter().chain(joined).sum();
    let rates =
        Rates { departures: f64::from(operators) / demand.handle_s(), leaving: patience_s.map_or(0.0, f64::recip) };

    let answered_at_once: f64 = idle.iter().sum();
    let mut sums = Outcomes { answered: answered_at_once, answered_in_time: answered_at_once, ..Outcomes::default() };
    let mut target = Race::new(rates, thresholds.target_s);
    let mut short = Race::new(rates, thresholds.short_abandon_s);
    let mut wait = Wait::default();
    for (k, &share) in joined.iter().enumerate() {
        let place = k as f64;
        wait.one_more_ahead(rates, place);
        let (answered, abandoned) = target.answered_and_abandoned(place);
        sums.answered_in_time += share * answered;
        sums.abandoned_in_time += share * abandoned;
        sums.abandoned_short += share * short.answered_and_abandoned(place).1;
        target.one_more_ahead(place);
        short.one_more_ahead(place);
        sums.answered += share * wait.answered;
        sums.abandoned += share * wait.abandoned;
        sums.wait_answered_s += share * wait.answered * wait.answered_mean;
        sums.wait_answered_s2 +=
            share * wait.answered * (wait.answered_variance + wait.answered_mean * wait.answered_mean);
        sums.wait_abandoned_s += share * wait.abandoned_first;
        sums.wait_abandoned_s2 += share * wait.abandoned_second;
    }
    let p_wait = joined.iter().sum::<f64>() / entering;
    let outcomes = sums.per(entering);
    Ok(Figures::of_queue(demand, operators, blocking, p_wait, outcomes))
}

/// The probability of each number of calls in the system, from 0 to operators + waiting places.
///
/// # Errors
/// No operators, more than ten million states, or a patience that is not a finite number above 0.
pub fn state_probabilities(
    demand: Demand,
    patience_s: Option<f64>,
    operators: u32,
    waiting_places: u32,
) -> Result<Vec<f64>, TheoryError> {
    const STATES: u64 = 10_000_000;
    if operators == 0 {
        return Err(TheoryError::NoOperators);
    }
    let leaving = match patience_s {
        Some(patience_s) => 1.0 / positive("mean patience in seconds", patience_s)?,
        None => 0.0,
    };
    let room = u64::from(operators) + u64::from(waiting_places);
    if room >= STATES {
        return Err(TheoryError::OutOfRange {
            what: "operators and waiting places together",
            found: room as f64,
            right: "fewer than 10,000,000",
        });
    }
    let room = operators as usize + waiting_places as usize;
    let arrivals = demand.arrivals_per_s();
    let departures = |state: usize| {
        let busy = state.min(operators as usize);
        busy as f64 / demand.handle_s() + (state - busy) as f64 * leaving
    };
    // The most likely state: departures grow with the state, so it is the last that they do not outrun.
    let (mut low, mut high) = (0, room);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if departures(middle) <= arrivals {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    let mut states = vec![0.0; room + 1];
    states[low] = 1.0;
    for state in low..room {
        states[state + 1] = states[state] * arrivals / departures(state + 1);
    }
    for state in (0..low).rev() {
        states[state] = states[state + 1] * departures(state + 1) / arrivals;
    }
    let sum: f64 = states.iter().sum();
    for state in &mut states {
        *state /= sum;
    }
    Ok(states)
}

/// What happens to those who wait, per second.
#[derive(Clone, Copy, Debug)]
struct Rates {
    /// All operators busy: calls ended.
    departures: f64,
    /// Each waiting call: patience ended.
    leaving: f64,
}

/// The end of a call's wait with k ahead of it, for k counted up from 0.
///
/// With i ahead, the next thing happens at rate departures + (i + 1) leaving: the call itself leaves, or there is one
/// fewer ahead.
#[derive(Clone, Copy, Debug, Default)]
struct Wait {
    answered: f64,
    answered_mean: f64,
    answered_variance: f64,
    abandoned: f64,
    abandoned_first: f64,
    abandoned_second: f64,
}

impl Wait {
    /// From k − 1 ahead to k = `place` ahead.
    fn one_more_ahead(&mut self, rates: Rates, place: f64) {
        let on = rates.departures + place * rates.leaving;
        let stage = 1.0 / (on + rates.leaving);
        self.answered = rates.departures * stage;
        self.answered_mean += stage;
        self.answered_variance += stage * stage;
        self.abandoned = (place + 1.0) * rates.leaving * stage;
        self.abandoned_second = 2.0 * self.abandoned * stage * stage
            + on * stage * (2.0 * self.abandoned_first * stage + self.abandoned_second);
        self.abandoned_first = self.abandoned * stage + on * stage * self.abandoned_first;
    }
}

/// Whether a call with k ahead of it is answered, or leaves, within a time, for k counted up from 0.
///
/// The calls ahead go one by one at rates departures + j leaving, j = 0, 1, …: a pure death chain whose count by the
/// time is negative binomial (Poisson without leaving).
#[derive(Clone, Copy, Debug)]
struct Race {
    rates: Rates,
    /// P(patience ≤ time) and its integral up to the time.
    left: f64,
    held_s: f64,
    /// The count that the wait itself is made of, and the one given that the call is answered (rates one step on).
    offered: Count,
    answered: Count,
}

impl Race {
    fn new(rates: Rates, time_s: f64) -> Self {
        let left = -(-rates.leaving * time_s).exp_m1();
        let none = -rates.departures * time_s;
        Self {
            rates,
            left,
            held_s: if rates.leaving > 0.0 { left / rates.leaving } else { time_s },
            offered: Count::new(none),
            answered: Count::new(none - rates.leaving * time_s),
        }
    }

    /// The probabilities of an answer and of an abandonment within the time with k = `place` ahead.
    fn answered_and_abandoned(&self, place: f64) -> (f64, f64) {
        let Rates { departures, leaving } = self.rates;
        let answered = departures / (departures + (place + 1.0) * leaving) * (1.0 - self.answered.at_most());
        let over = 1.0 - (1.0 - self.left) * self.offered.at_most();
        let abandoned = if leaving > 0.0 { (over - answered).max(0.0) } else { 0.0 };
        (answered, abandoned)
    }

    /// From k = `place` ahead to k + 1.
    fn one_more_ahead(&mut self, place: f64) {
        let departed = self.rates.departures * self.held_s;
        self.offered.next((departed + self.left * place) / (place + 1.0));
        self.answered.next((departed + self.left * (place + 1.0)) / (place + 1.0));
    }
}

/// P(count ≤ k), built up from k = 0 by the ratio of neighbouring terms, with a scale that cannot underflow.
#[derive(Clone, Copy, Debug)]
struct Count {
    term: f64,
    sum: f64,
    ln_scale: f64,
}

impl Count {
    const fn new(ln_none: f64) -> Self {
        Self { term: 1.0, sum: 1.0, ln_scale: ln_none }
    }

    fn next(&mut self, ratio: f64) {
        self.term *= ratio;
        self.sum += self.term;
        if self.sum > 1e200 {
            self.term *= 1e-200;
            self.sum *= 1e-200;
            self.ln_scale += 200.0 * core::f64::consts::LN_10;
        }
    }

    fn at_most(&self) -> f64 {
        (self.sum * self.ln_scale.exp()).min(1.0)
    }
}
