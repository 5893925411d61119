//! What goes into a model and what comes out, the same for every model.

use callfloor_measure::EarlyAbandons;

use super::TheoryError;
use super::error::{not_negative, positive};

/// A steady stream of calls: how many, and how long each keeps an operator busy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    arrivals_per_s: f64,
    handle_s: f64,
}

impl Demand {
    /// Calls per second, and mean handle time (talk, hold, consult, after-call work) in seconds.
    ///
    /// # Errors
    /// Either is not a finite number above 0.
    pub fn per_second(arrivals_per_s: f64, handle_s: f64) -> Result<Self, TheoryError> {
        Ok(Self {
            arrivals_per_s: positive("calls per second", arrivals_per_s)?,
            handle_s: positive("mean handle time in seconds", handle_s)?,
        })
    }

    /// Calls per hour, and mean handle time in seconds.
    ///
    /// # Errors
    /// Either is not a finite number above 0.
    pub fn per_hour(calls_per_hour: f64, handle_s: f64) -> Result<Self, TheoryError> {
        positive("calls per hour", calls_per_hour)?;
        Self::per_second(calls_per_hour / 3600.0, handle_s)
    }

    /// Calls per second.
    #[must_use]
    pub const fn arrivals_per_s(self) -> f64 {
        self.arrivals_per_s
    }

    /// Mean handle time in seconds.
    #[must_use]
    pub const fn handle_s(self) -> f64 {
        self.handle_s
    }

    /// Arrival rate × mean handle time, in erlangs.
    #[must_use]
    pub fn offered_load_erl(self) -> f64 {
        self.arrivals_per_s * self.handle_s
    }
}

/// The two waits that the service levels are measured by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// T: a call answered within it was answered in time, in seconds.
    pub target_s: f64,
    /// s: a call abandoned within it was abandoned shortly, in seconds.
    pub short_abandon_s: f64,
}

impl Default for Thresholds {
    /// 20 s and 5 s.
    fn default() -> Self {
        Self { target_s: 20.0, short_abandon_s: 5.0 }
    }
}

impl Thresholds {
    pub(super) fn checked(self) -> Result<Self, TheoryError> {
        not_negative("the service level's target in seconds", self.target_s)?;
        not_negative("the short abandonment's limit in seconds", self.short_abandon_s)?;
        Ok(self)
    }
}

/// What becomes of a call that entered the queue, as expectations for one call.
///
/// The first five are the probabilities that answer to the counts A, A_T, B, B_T and B_s over N; calls that were
/// refused are in none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcomes {
    /// Answered at last.
    pub answered: f64,
    /// Answered within the target.
    pub answered_in_time: f64,
    /// Abandoned at last; with balking, those who did not join count as abandoned after 0 s.
    pub abandoned: f64,
    /// Abandoned within the target.
    pub abandoned_in_time: f64,
    /// Abandoned within the limit of short abandonments.
    pub abandoned_short: f64,
    /// E[wait; answered]: the wait where answered, else 0; in seconds.
    pub wait_answered_s: f64,
    /// E[wait²; answered], in square seconds.
    pub wait_answered_s2: f64,
    /// E[wait; abandoned], in seconds.
    pub wait_abandoned_s: f64,
    /// E[wait²; abandoned], in square seconds.
    pub wait_abandoned_s2: f64,
}

impl Outcomes {
    /// Every part divided by `whole`.
    pub(super) fn per(self, whole: f64) -> Self {
        Self {
            answered: self.answered / whole,
            answered_in_time: self.answered_in_time / whole,
            abandoned: self.abandoned / whole,
            abandoned_in_time: self.abandoned_in_time / whole,
            abandoned_short: self.abandoned_short / whole,
            wait_answered_s: self.wait_answered_s / whole,
            wait_answered_s2: self.wait_answered_s2 / whole,
            wait_abandoned_s: self.wait_abandoned_s / whole,
            wait_abandoned_s2: self.wait_abandoned_s2 / whole,
        }
    }
}

/// The share of calls answered within the target, by each of the five rules for early abandonments.
///
/// With the counts of [`Outcomes`]; refused calls (blocked, no place left) are in no denominator. In [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceLevels {
    /// A_T ÷ (N − B_s): short abandonments left out. The default.
    pub short: f64,
    /// A_T ÷ (N − B_T): abandonments within the target left out.
    pub ignore: f64,
    /// A_T ÷ N: every abandonment is a miss.
    pub negative: f64,
    /// (A_T + B_T) ÷ N: an abandonment within the target is a success.
    pub positive: f64,
    /// A_T ÷ A: only answered calls count, which flatters.
    pub handled: f64,
}

impl ServiceLevels {
    /// The service level by `rule`.
    #[must_use]
    pub const fn by(&self, rule: EarlyAbandons) -> f64 {
        match rule {
            EarlyAbandons::Short => self.short,
            EarlyAbandons::Ignore => self.ignore,
            EarlyAbandons::Negative => self.negative,
            EarlyAbandons::Positive => self.positive,
            EarlyAbandons::Handled => self.handled,
        }
    }
}

/// The steady state of a pool of operators.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Operators.
    pub operators: u32,
    /// Arrival rate × mean handle time, in erlangs, blocked calls included.
    pub offered_load_erl: f64,
    /// Share of calls that are refused because no operator and no waiting place is free.
    pub blocking: f64,
    /// Share of entering calls that find every operator busy.
    pub p_wait: f64,
    /// Mean wait of answered calls, zero waits included, in seconds.
    pub asa_s: f64,
    /// Mean wait of all entering calls, answered or not, in seconds.
    pub mean_wait_s: f64,
    /// Share of entering calls that abandon, short ones left out of both parts: (B − B_s) ÷ (N − B_s).
    pub abandonment: f64,
    /// Share of entering calls that abandon: B ÷ N.
    pub abandonment_raw: f64,
    /// The five service levels; `None` where nobody can wait (Erlang B).
    pub service_level: Option<ServiceLevels>,
    /// Busy ÷ (busy + Ready), in [0, 1].
    pub occupancy: f64,
    /// Calls waiting, mean over time.
    pub mean_queue: f64,
    /// The parts that the figures were made from.
    pub outcomes: Outcomes,
}

impl Figures {
    /// Standard deviation of the wait of answered calls, zero waits included, in seconds.
    #[must_use]
    pub fn wait_answered_sd_s(&self) -> f64 {
        let o = &self.outcomes;
        sd(o.answered, o.wait_answered_s, o.wait_answered_s2)
    }

    /// Mean wait of calls that abandoned, in seconds; `None` where nobody abandons.
    #[must_use]
    pub fn mean_wait_abandoned_s(&self) -> Option<f64> {
        let o = &self.outcomes;
        (o.abandoned > 0.0).then(|| o.wait_abandoned_s / o.abandoned)
    }

    /// Standard deviation of the wait of calls that abandoned, in seconds; `None` where nobody abandons.
    #[must_use]
    pub fn wait_abandoned_sd_s(&self) -> Option<f64> {
        let o = &self.outcomes;
        (o.abandoned > 0.0).then(|| sd(o.abandoned, o.wait_abandoned_s, o.wait_abandoned_s2))
    }

    /// Assembles the figures of a queue in which calls can wait.
    ///
    /// `p_wait` and `outcomes` are of entering calls.
    pub(super) fn of_queue(demand: Demand, operators: u32, blocking: f64, p_wait: f64, outcomes: Outcomes) -> Self {
        let o = &outcomes;
        let entering = demand.arrivals_per_s * (1.0 - blocking);
        let mean_wait_s = o.wait_answered_s + o.wait_abandoned_s;
        // N − B_s and N − B_T, from what is left: the differences from 1 would cancel where nearly all leave early.
        let abandoned_later = (o.abandoned - o.abandoned_short).max(0.0);
        let without_short = o.answered + abandoned_later;
        let without_early = o.answered + (o.abandoned - o.abandoned_in_time).max(0.0);
        Self {
            operators,
            offered_load_erl: demand.offered_load_erl(),
            blocking,
            p_wait,
            asa_s: ratio(o.wait_answered_s, o.answered),
            mean_wait_s,
            abandonment: ratio(abandoned_later, without_short),
            abandonment_raw: o.abandoned,
            service_level: Some(ServiceLevels {
                short: ratio(o.answered_in_time, without_short),
                ignore: ratio(o.answered_in_time, without_early),
                negative: o.answered_in_time,
                positive: o.answered_in_time + o.abandoned_in_time,
                handled: ratio(o.answered_in_time, o.answered),
            }),
            occupancy: entering * o.answered * demand.handle_s / f64::from(operators),
            // Little's law, over those who abandon as well.
            mean_queue: entering * mean_wait_s,
            outcomes,
        }
    }
}

/// `part ÷ whole`, and 0 where the whole has vanished below what a double can hold.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn sd(share: f64, first: f64, second: f64) -> f64 {
    let mean = ratio(first, share);
    (ratio(second, share) - mean * mean).max(0.0).sqrt()
}
