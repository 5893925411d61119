//! The theory turned round: the fewest operators that meet a planner's targets.

use callfloor_measure::EarlyAbandons;

use super::error::{positive, share_below_one};
use super::{Demand, Figures, Model, TheoryError, Thresholds};

/// What must hold; `None` asks for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Targets {
    /// The least service level by this rule, in (0, 1); its wait is the thresholds' target.
    pub service_level: Option<(EarlyAbandons, f64)>,
    /// The largest occupancy, in (0, 1).
    pub max_occupancy: Option<f64>,
    /// The largest abandonment (short ones left out), in (0, 1).
    pub max_abandonment: Option<f64>,
    /// The largest mean wait of answered calls, in seconds, above 0.
    pub max_asa_s: Option<f64>,
    /// The largest share of calls refused, in (0, 1).
    pub max_blocking: Option<f64>,
}

impl Targets {
    /// Whether `figures` meet every target. A service level that the model does not have is not met.
    #[must_use]
    pub fn met_by(&self, figures: &Figures) -> bool {
        let at_most = |limit: Option<f64>, value: f64| limit.is_none_or(|limit| value <= limit);
        self.service_level
            .is_none_or(|(rule, least)| figures.service_level.is_some_and(|levels| levels.by(rule) >= least))
            && at_most(self.max_occupancy, figures.occupancy)
            && at_most(self.max_abandonment, figures.abandonment)
            && at_most(self.max_asa_s, figures.asa_s)
            && at_most(self.max_blocking, figures.blocking)
    }

    /// Refuses targets that cannot be meant; no target at all is fine here.
    ///
    /// # Errors
    /// A share that is not in (0, 1), such as 80 for 80 %, or a wait that is not above 0.
    pub fn check(&self) -> Result<(), TheoryError> {
        let shares = [
            ("the service level to reach", self.service_level.map(|(_, least)| least)),
            ("the largest occupancy", self.max_occupancy),
            ("the largest abandonment", self.max_abandonment),
            ("the largest blocking", self.max_blocking),
        ];
        for (what, share) in shares {
            if let Some(found) = share
                && !(found > 0.0 && found < 1.0)
            {
                return Err(TheoryError::OutOfRange { what, found, right: "a share in (0, 1)" });
            }
        }
        if let Some(asa_s) = self.max_asa_s {
            positive("the largest mean wait in seconds", asa_s)?;
        }
        Ok(())
    }
}

/// The fewest operators with which the model meets every target, and the figures with them.
///
/// Found by doubling and halving: each target gets easier with more operators.
///
/// # Errors
/// A parameter out of its range, no target at all, or none of up to ten million operators suffices.
///
/// ```
/// use callfloor_measure::EarlyAbandons;
/// use callfloor_sim::theory::{Demand, Model, Thresholds, staffing::*};
///
/// // 100 calls in 30 min of 180 s each, 80 % in 20 s at an occupancy of at most 85 %, 30 % shrinkage.
/// let demand = Demand::per_hour(200.0, 180.0)?;
/// let targets = Targets {
///     service_level: Some((EarlyAbandons::Short, 0.8)),
///     max_occupancy: Some(0.85),
///     ..Targets::default()
/// };
/// let figures = fewest_operators(&Model::ErlangC, demand, Thresholds::default(), targets)?;
/// assert_eq!(figures.operators, 14);
/// assert_eq!(rostered(figures.operators, 0.3)?, 20);
/// # Ok::<(), callfloor_sim::theory::TheoryError>(())
/// ```
pub fn fewest_operators(
    model: &Model,
    demand: Demand,
    thresholds: Thresholds,
    targets: Targets,
) -> Result<Figures, TheoryError> {
    const LIMIT: u32 = 10_000_000;
    targets.check()?;
    if targets == Targets::default() {
        return Err(TheoryError::NoTargets);
    }
    let try_out = |operators: u32| match model.figures(demand, operators, thresholds) {
        Ok(figures) => Ok(targets.met_by(&figures).then_some(figures)),
        Err(TheoryError::Unstable { .. }) => Ok(None),
        Err(error) => Err(error),
    };
    // `low` does not suffice (0 operators never do); `high` does, with `best`.
    let (mut low, mut high) = (0, 1);
    let mut best = loop {
        if let Some(figures) = try_out(high)? {
            break figures;
        }
        low = high;
        high *= 2;
        if high > LIMIT {
            return Err(TheoryError::Unreachable { tried: low });
        }
    };
    while high - low > 1 {
        let middle = u32::midpoint(low, high);
        if let Some(figures) = try_out(middle)? {
            (high, best) = (middle, figures);
        } else {
            low = middle;
        }
    }
    Ok(best)
}

/// Operators to roster so that `operators` are left after `shrinkage`: operators ÷ (1 − shrinkage), rounded up.
///
/// `shrinkage` is the share of paid time neither busy nor Ready.
///
/// # Errors
/// `shrinkage` is not in [0, 1), or more would be needed than can be counted.
pub fn rostered(operators: u32, shrinkage: f64) -> Result<u32, TheoryError> {
    let left = 1.0 - share_below_one("shrinkage", shrinkage)?;
    let exact = f64::from(operators) / left;
    // 14 ÷ 0.7 is 20, whatever the last bit of 0.7 says.
    let rounded = (exact * (1.0 - 1e-12)).ceil();
    if rounded > f64::from(u32::MAX) {
        return Err(TheoryError::OutOfRange {
            what: "shrinkage",
            found: shrinkage,
            right: "small enough that somebody is left",
        });
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, not negative and within range, as just checked"
    )]
    Ok(rounded as u32)
}
